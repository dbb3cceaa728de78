#include "server/config.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"

namespace dare::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kLeast[] = R"(
[tls]
certificate = "server.pem"
key = "server.key"
client_ca = "/etc/ssl/ca.pem"
[hsm]
pin = "hsm-pin"
[store]
path = "kms.db"
[audit]
folder = "audit"
)";

Result<Config> Parse(const std::string& text) { return ParseConfig(text, "/etc/dare/kms.toml"); }
// The message for the least configuration with `line` at its top.
std::string MistakeWith(const std::string& line) {
  const auto config = Parse(line + kLeast);
  return config ? "accepted" : config.error().message;
}

TEST(ConfigTest, KeysStayInTheHsmWhereItSaysSo) {
  EXPECT_FALSE(Parse(kLeast)->hsm.resident_keys);
  std::string text(kLeast);
  text.insert(text.find("[hsm]") + 5, "\nresident_keys = true\nmost_resident_keys = 7\n");
  const auto config = Parse(text);
  ASSERT_TRUE(config.has_value()) << config.error().message;
  EXPECT_TRUE(config->hsm.resident_keys);
  EXPECT_EQ(config->hsm.most_resident_keys, 7u);
  text.replace(text.find("= 7"), 3, "= 0");
  EXPECT_FALSE(Parse(text).has_value());
}

TEST(ConfigTest, ReadsWhereTheListsOfAuthoritiesAre) {
  std::string text(kLeast);
  text.insert(text.find("[tls]") + 5,
              "\ncrl_files = [\"corp.crl\", \"/srv/mesh.crl\"]\ncrl_issuers = \"issuing.pem\"\n"
              "crl_stale = \"allow\"\n");
  const auto config = Parse(text);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tls.crl_files,
            (std::vector<std::string>{"/etc/dare/corp.crl", "/srv/mesh.crl"}));
  EXPECT_EQ(config->tls.crl_issuers_file, "/etc/dare/issuing.pem");
  EXPECT_EQ(config->tls.crl_stale, "allow");
  text.replace(text.find("\"allow\""), 7, "\"ignore\"");
  EXPECT_THAT(Parse(text).error().message, HasSubstr("tls.crl_stale must be one of"));
}

TEST(ConfigTest, ReadsTheRulesOfPrincipalsInTheirOrder) {
  const auto config = Parse(
      "[[principals]]\nfrom = \"san-uri\"\nmatch = \"spiffe://a/*\"\nname = \"a/*\"\n"
      "groups = [\"mesh\"]\nissuer = \"spire.pem\"\n"
      "[[principals]]\nfrom = \"subject-cn\"\nname = \"*\"\n" +
      std::string(kLeast));
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->principals.size(), 2u);
  EXPECT_EQ(config->principals[0].issuer_file, "/etc/dare/spire.pem");
  EXPECT_EQ(config->principals[0].groups, std::vector<std::string>{"mesh"});
  EXPECT_EQ(config->principals[1].match, "*");
  EXPECT_THAT(MistakeWith("[[principals]]\nfrom = \"ou\"\nname = \"*\"\n"),
              StartsWith("/etc/dare/kms.toml:1: principals.from must be one of"));
  EXPECT_THAT(MistakeWith("[[principals]]\nfrom = \"san-dns\"\nname = \"*\"\nrole = \"x\"\n"),
              HasSubstr("unknown key 'principals.role'"));
}

TEST(ConfigTest, FillsInDefaults) {
  const auto config = Parse(kLeast);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->kmip.port, 5696);
  EXPECT_EQ(config->https.port, 5697);
  EXPECT_TRUE(config->https_kmip);
  EXPECT_EQ(config->store.backend, "sqlite");
  EXPECT_FALSE(config->tls.rsa_cbc_suites);
  EXPECT_TRUE(config->tls.crl_files.empty());
  EXPECT_EQ(config->tls.crl_stale, "refuse");
  EXPECT_FALSE(config->allow_legacy_algorithms);
}

TEST(ConfigTest, ReadsPathsFromTheFoldersOfTheFile) {
  const auto config = Parse(kLeast);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->tls.certificate_file, "/etc/dare/server.pem");
  EXPECT_EQ(config->tls.client_ca_file, "/etc/ssl/ca.pem");
  EXPECT_EQ(config->hsm.pin, "/etc/dare/hsm-pin");
  EXPECT_EQ(config->enrolment_path, "/etc/dare/enrolment.db");
}

TEST(ConfigTest, ReadsTheExampleThatIsShipped) {
  const auto config = LoadConfig(DARE_SOURCE_DIR "/packaging/kms.toml.example");
  EXPECT_TRUE(config) << config.error().message;
}

TEST(ConfigTest, ReadsTheGroupsByTheirNames) {
  const auto config = Parse(std::string("[kmip]\napplication_namespaces = [\"ssl\"]\n") + kLeast +
                            "[groups.default]\n[groups.\"my group\"]\n"
                            "algorithm = \"ChaCha20\"\nbits = 256\n");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_EQ(config->groups.size(), 2u);
  EXPECT_EQ(config->groups[0].name, "default");
  EXPECT_EQ(config->groups[0].algorithm, "AES");
  EXPECT_EQ(config->groups[1].name, "my group");
  EXPECT_EQ(config->application_namespaces, std::vector<std::string>{"ssl"});
  EXPECT_THAT(MistakeWith("[groups.a]\nalgorithm = \"RC4\"\n"),
              HasSubstr("groups.a.algorithm must be one of"));
}

constexpr char kTwoTokens[] = R"(
[[hsm.tokens]]
name = "second"
module = "/usr/lib/libsecond.so"
init_args = "configdir='sql:/x'"
token_label = "other"
token_serial = "12"
pin = "second-pin"
mek_label = "second-mek"
[[hsm.tokens]]
name = "board"
tpm = true
tcti = "swtpm:port=1"
)";

TEST(ConfigTest, ReadsFurtherTokensAndFindsThemByName) {
  std::string text = std::string(kLeast) + kTwoTokens;
  text.insert(text.find("[hsm]") + 5, "\nsealing = \"root\"\ninit_args = \"a=b\"\n");
  const auto config = Parse(text);
  ASSERT_TRUE(config) << config.error().message;
  const HsmConfig& hsm = config->hsm;
  EXPECT_EQ(hsm.sealing, "root");
  EXPECT_EQ(hsm.init_args, "a=b");
  EXPECT_EQ(hsm.Find("primary"), &hsm);
  EXPECT_EQ(hsm.Find("third"), nullptr);
  const TokenConfig* second = hsm.Find("second");
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->module, "/usr/lib/libsecond.so");
  EXPECT_EQ(second->init_args, "configdir='sql:/x'");
  EXPECT_EQ(second->token_label, "other");
  EXPECT_EQ(second->token_serial, "12");
  EXPECT_EQ(second->pin, "/etc/dare/second-pin");
  EXPECT_EQ(second->mek_label, "second-mek");
  EXPECT_FALSE(second->tpm);
  const TokenConfig* board = hsm.Find("board");
  ASSERT_NE(board, nullptr);
  EXPECT_TRUE(board->tpm);
  EXPECT_EQ(board->tcti, "swtpm:port=1");
}

// The message for the least configuration with `text` at its end.
std::string MistakeWithToken(const std::string& text) {
  const auto config = Parse(std::string(kLeast) + "[[hsm.tokens]]\n" + text);
  return config ? "accepted" : config.error().message;
}

TEST(ConfigTest, RefusesTokensThatCannotBeToldApartOrOpened) {
  EXPECT_EQ(MistakeWithToken("name = \"a\"\npin = \"p\"\n"), "accepted");
  EXPECT_THAT(MistakeWithToken("pin = \"p\"\n"), HasSubstr("the name of a token"));
  EXPECT_THAT(MistakeWithToken("name = \"a b\"\npin = \"p\"\n"), HasSubstr("the name of a token"));
  EXPECT_THAT(MistakeWithToken("name = \"primary\"\npin = \"p\"\n"),
              HasSubstr("two tokens are named 'primary'"));
  EXPECT_THAT(MistakeWithToken("name = \"a\"\npin = \"p\"\n[[hsm.tokens]]\nname = \"a\"\n"),
              HasSubstr("two tokens are named 'a'"));
  EXPECT_THAT(MistakeWithToken("name = \"a\"\n"), HasSubstr("hsm.tokens.pin is missing"));
  EXPECT_THAT(MistakeWithToken("name = \"a\"\npin = \"p\"\ntcti = \"device\"\n"),
              HasSubstr("unknown key 'hsm.tokens.tcti'"));
  std::string text = kLeast;
  text.insert(text.find("[hsm]") + 5, "\ntokens = 3\n");
  EXPECT_THAT(Parse(text).error().message, HasSubstr("hsm.tokens must be a list of tables"));
}

TEST(ConfigTest, ATpmHasNoPinAndServesTheRootModeAlone) {
  EXPECT_THAT(MistakeWithToken("name = \"a\"\ntpm = true\n"), HasSubstr("hsm.sealing = \"root\""));
  EXPECT_THAT(MistakeWithToken("name = \"a\"\ntpm = true\npin = \"p\"\n"),
              HasSubstr("a TPM has no hsm.tokens.pin"));
}

TEST(ConfigTest, RefusesAWayOfSealingThatIsNone) {
  const auto config = Parse(std::string(kLeast) + "[hsm.x]\n");
  EXPECT_THAT(config.error().message, HasSubstr("unknown key 'hsm.x'"));
  std::string text = kLeast;
  text.insert(text.find("[hsm]") + 5, "\nsealing = \"software\"\n");
  EXPECT_THAT(Parse(text).error().message, HasSubstr("hsm.sealing must be one of"));
}

TEST(ConfigTest, TakesAUrlOfARevocationListThatAddsNothingElseToCertificates) {
  const auto config = Parse(std::string(kLeast) +
                            "[ca]\ncrl_hours = 6\ncrl_url = \"http://kms.example.org/crl?a=1\"\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->ca.crl_hours, 6);
  EXPECT_EQ(config->ca.crl_url, "http://kms.example.org/crl?a=1");
  for (const char* url : {"kms.example.org/crl", "http://a/crl,URI:http://b/", "http://a/ b",
                          "http://a;b", "http://\u00e4/", "file:///crl"}) {
    EXPECT_THAT(MistakeWith("[ca]\ncrl_url = \"" + std::string(url) + "\"\n"),
                HasSubstr("is no http or https URL"));
  }
  EXPECT_THAT(MistakeWith("[ca]\ncrl_hours = 0\n"), HasSubstr("from 1 to 8760"));
}

TEST(ConfigTest, ANodeIsCalledAsItsHostUnlessToldOtherwise) {
  EXPECT_FALSE(Parse(kLeast)->node.empty());
  EXPECT_EQ(Parse(std::string("node = \"kms-1.example\"\n") + kLeast)->node, "kms-1.example");
  for (const char* name : {"", "a/b", "a b", "\u00e4"}) {
    EXPECT_THAT(MistakeWith("node = \"" + std::string(name) + "\"\n"),
                HasSubstr(":1: node must be 1 to 64 letters"));
  }
}

TEST(ConfigTest, ADatabaseServerIsNamedByItsConnection) {
  std::string text = kLeast;
  text.replace(text.find("path = \"kms.db\""), 15,
               "backend = \"postgresql\"\nconnection = \"host=db\"\npassword = \"db-password\"");
  const auto config = Parse(text);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->store.connection, "host=db");
  EXPECT_EQ(config->store.password, "/etc/dare/db-password");
  EXPECT_EQ(config->cache.fresh_ms, 500u);
  EXPECT_THAT(MistakeWith("[cache]\nfresh_ms = 1000\n"), HasSubstr("from 0 to 900"));
  text.replace(text.find("connection = \"host=db\"\n"), 23, "");
  EXPECT_THAT(Parse(text).error().message, HasSubstr("store.connection is missing"));
  text = kLeast;
  text.insert(text.find("path = "), "connection = \"host=db\"\n");
  EXPECT_THAT(Parse(text).error().message, HasSubstr("unknown key 'store.connection'"))
      << "a file next to a server would be a misunderstanding";
}

TEST(ConfigTest, NamesAnUnknownKeyAndItsLine) {
  EXPECT_EQ(MistakeWith("\nthread = 4\n"), "/etc/dare/kms.toml:2: unknown key 'thread'");
  EXPECT_EQ(MistakeWith("[kmip]\nport = 1\nadress = \"::\"\n"),
            "/etc/dare/kms.toml:3: unknown key 'kmip.adress'");
  EXPECT_THAT(MistakeWith("[mystery]\nx = 1\n"), HasSubstr("unknown key 'mystery'"));
}

TEST(ConfigTest, NamesAWrongTypeAndItsLine) {
  EXPECT_EQ(MistakeWith("threads = \"four\"\n"),
            "/etc/dare/kms.toml:1: threads must be a whole number");
  EXPECT_EQ(MistakeWith("[kmip]\naddress = 5\n"),
            "/etc/dare/kms.toml:2: kmip.address must be a text in quotes");
  EXPECT_THAT(MistakeWith("kmip = 5\n"), HasSubstr("kmip must be a table"));
  EXPECT_THAT(MistakeWith("allow_legacy_algorithms = 1\n"), HasSubstr("must be true or false"));
  EXPECT_THAT(MistakeWith("administrators = [1]\n"), HasSubstr("must be a list of texts"));
  EXPECT_THAT(MistakeWith("administrators = \"bob\"\n"), HasSubstr("must be a list of texts"));
}

TEST(ConfigTest, AWithdrawnRandomGeneratorNeedsTheLegacySwitch) {
  const std::string choice = "[crypto]\nrandom_generator = \"ansi-x9.31\"\n";
  EXPECT_THAT(MistakeWith(choice), HasSubstr("needs allow_legacy_algorithms"));
  EXPECT_EQ(MistakeWith("allow_legacy_algorithms = true\n" + choice), "accepted");
  EXPECT_THAT(MistakeWith("[crypto]\nrandom_generator = \"dice\"\n"), HasSubstr("must be one of"));
}

TEST(ConfigTest, ReadsTheCryptoPolicyAndRefusesWhatItLeavesNoRoomFor) {
  const std::string fips = "[crypto]\npolicy = \"fips\"\n";
  EXPECT_EQ(MistakeWith(fips), "accepted");
  EXPECT_EQ(MistakeWith(fips + "require_provider = true\n"), "accepted");
  EXPECT_THAT(MistakeWith("[crypto]\npolicy = \"strict\"\n"), HasSubstr("must be one of"));
  EXPECT_THAT(MistakeWith("[crypto]\nrequire_provider = true\n"), HasSubstr("needs crypto.policy"));
  EXPECT_THAT(MistakeWith("allow_legacy_algorithms = true\n" + fips),
              HasSubstr("does not go with allow_legacy_algorithms"));
  EXPECT_THAT(MistakeWith(fips + "[groups.g]\nalgorithm = \"ChaCha20\"\n"),
              HasSubstr("a group of ChaCha20 keys"));
  EXPECT_THAT(MistakeWith(fips + "[credentials]\ngateways = [\"g\"]\n"),
              HasSubstr("credentials.gateways"));
}

TEST(ConfigTest, RefusesValuesOutOfRange) {
  EXPECT_THAT(MistakeWith("[kmip]\nport = 65536\n"), HasSubstr("must be from 0 to 65535"));
  EXPECT_THAT(MistakeWith("[limits]\nmessage_bytes = 10\n"), HasSubstr("must be from 1024"));
  EXPECT_THAT(MistakeWith("secure_heap_bytes = 1000000\n"), HasSubstr("power of two"));
  EXPECT_THAT(MistakeWith("log_level = \"loud\"\n"), HasSubstr("log_level must be one of"));
}

TEST(ConfigTest, NamesWhatIsMissing) {
  const auto config = Parse("[store]\npath = \"x\"\n");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, "/etc/dare/kms.toml: tls.certificate is missing");
}

TEST(ConfigTest, SaysWhereItIsNoToml) {
  EXPECT_THAT(MistakeWith("threads = \n"), StartsWith("/etc/dare/kms.toml:1: "));
}

class PinTest : public testing::Test {
 protected:
  PinTest() {
    (void)StartSecureHeap(1u << 20);
    std::string pattern = std::filesystem::temp_directory_path() / "dare-pin-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    hsm_.pin = folder_ + "/pin";
  }
  ~PinTest() override {
    ::unsetenv("CREDENTIALS_DIRECTORY");
    std::filesystem::remove_all(folder_);
  }
  std::string folder_;
  HsmConfig hsm_;
};

TEST_F(PinTest, ReadsAPrivateFileWithoutItsNewline) {
  ASSERT_TRUE(WriteFileDurably(hsm_.pin, AsBytes("1234\n"), 0600));
  const auto pin = LoadPin(hsm_);
  ASSERT_TRUE(pin);
  EXPECT_EQ(AsText(pin->Reveal()), "1234");
}

TEST_F(PinTest, RefusesAFileThatOthersMayRead) {
  ASSERT_TRUE(WriteFileDurably(hsm_.pin, AsBytes("1234"), 0640));
  const auto pin = LoadPin(hsm_);
  ASSERT_FALSE(pin);
  EXPECT_EQ(pin.error().code, Code::kDenied);
  EXPECT_THAT(pin.error().message, HasSubstr("chmod 600"));
}

TEST_F(PinTest, RefusesAnEmptyOrMissingFile) {
  EXPECT_FALSE(LoadPin(hsm_));
  ASSERT_TRUE(WriteFileDurably(hsm_.pin, AsBytes("\n"), 0600));
  EXPECT_THAT(LoadPin(hsm_).error().message, HasSubstr("is empty"));
}

TEST_F(PinTest, ReadsACredentialOfSystemd) {
  ASSERT_TRUE(WriteFileDurably(hsm_.pin, AsBytes("4321"), 0440));
  hsm_.pin = "credential:pin";
  EXPECT_EQ(LoadPin(hsm_).error().code, Code::kNotFound) << "no $CREDENTIALS_DIRECTORY";
  ::setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1);
  const auto pin = LoadPin(hsm_);
  ASSERT_TRUE(pin) << pin.error().message;
  EXPECT_EQ(AsText(pin->Reveal()), "4321");
  hsm_.pin = "credential:../pin";
  EXPECT_EQ(LoadPin(hsm_).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::server
