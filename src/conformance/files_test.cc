// Names of files, lists of slips, and published conversations as files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "conformance/case_file.h"
#include "conformance/connections.h"
#include "conformance/families.h"
#include "conformance/message_parts.h"
#include "conformance/quirks.h"

namespace dare::conformance {
namespace {

TEST(Families, AreFoundInFileNames) {
  EXPECT_EQ(FamilyOf("CS-BC-M-GCM-2-14.xml"), "CS-BC-M-GCM");
  EXPECT_EQ(FamilyOf("TC-111-12.xml"), "TC");
  EXPECT_EQ(FamilyOf("TC-OTP-SETUP-1-13.xml"), "TC-OTP-SETUP");
  EXPECT_EQ(FamilyOf("strange.xml"), "strange");
}

TEST(Families, ThatBuildOnEachOtherAreChains) {
  EXPECT_EQ(ChainOf("TL-M-1-14.xml"), "TL-M");
  EXPECT_EQ(ChainOf("SASED-M-2-12.xml"), "SASED-M");
  EXPECT_EQ(ChainOf("TC-OTP-SETUP-1-13.xml"), "TC-OTP");
  EXPECT_EQ(ChainOf("TC-RNG-ATTR-1-20.xml"), "TC-RNG-ATTR");
  EXPECT_EQ(ChainOf("TC-111-12.xml"), "");
  EXPECT_EQ(ChainOf("TL-MORE-1-14.xml"), "");
}

TEST(Families, ArePlayedInTheOrderOfTheirNumbers) {
  EXPECT_TRUE(PlayedBefore("TC-OTP-2-13.xml", "TC-OTP-10-13.xml"));
  EXPECT_FALSE(PlayedBefore("TC-OTP-10-13.xml", "TC-OTP-2-13.xml"));
  EXPECT_TRUE(PlayedBefore("TC-OTP-SETUP-2-13.xml", "TC-OTP-1-13.xml"));
  EXPECT_TRUE(PlayedBefore("TC-OTP-5-13.xml", "TC-OTP-CLEANUP-1-13.xml"));
  EXPECT_FALSE(PlayedBefore("a", "a"));
}

TEST(Families, OfMessageEncodingsPrescribeTheirTransport) {
  EXPECT_EQ(PrescribedEncoding("MSGENC-JSON-M-1-14.xml"), Encoding::kJson);
  EXPECT_EQ(PrescribedEncoding("MSGENC-XML-M-1-14.xml"), Encoding::kXml);
  EXPECT_EQ(PrescribedEncoding("MSGENC-HTTPS-M-1-14.xml"), Encoding::kTtlvOverHttps);
  EXPECT_EQ(PrescribedEncoding("SKLC-M-1-14.xml"), std::nullopt);
}

TEST(Quirks, AreRowsOfTheKindsThatAreUnderstood) {
  const Result<Quirks> quirks = Quirks::Parse(
      "file,message_index,operation,oddity,advice\r\n"
      "1.1/testcases/A-1.xml,,,messages carry protocol versions 1.1 1.2,send as printed\n"
      "B-1.xml,3,Encrypt,\"literal answer although the server generates the key\",\"the length, "
      "not \"\"the value\"\"\"\n"
      "C-1.xml,,,the moon was full,wait\n");
  ASSERT_TRUE(quirks);
  const auto rows = quirks->Of("1.1/testcases/A-1.xml");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]->slip, Slip::kOtherVersionPrinted);
  EXPECT_EQ(quirks->Of("A-1.xml").size(), 1u);
  EXPECT_EQ(quirks->Of("1.2/testcases/A-1.xml").size(), 0u);
  EXPECT_EQ(quirks->Of("AB-1.xml").size(), 0u);
  ASSERT_EQ(quirks->Of("2.0/B-1.xml").size(), 1u);
  EXPECT_EQ(quirks->Of("2.0/B-1.xml")[0]->advice, "the length, not \"the value\"");
  ASSERT_EQ(quirks->unknown().size(), 1u);
  EXPECT_TRUE(quirks->Of("C-1.xml").empty());
}

TEST(Quirks, NeedTheirColumns) {
  EXPECT_FALSE(Quirks::Parse("case,what\nA,B\n"));
  EXPECT_FALSE(Quirks::Parse(""));
}

TEST(HttpsUrl, StandsForTheUsualPath) {
  EXPECT_EQ(HttpsUrl("kms.example:8443"), "https://kms.example:8443/kmip");
  EXPECT_EQ(HttpsUrl("https://kms.example/other"), "https://kms.example/other");
  EXPECT_EQ(HttpsUrl(""), "");
}

// A folder with one case in it.
class CaseFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "dare-case-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  CaseFile Read(const std::string& name, const std::string& text) {
    const std::filesystem::path path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return ReadCase(path, root_);
  }
  static std::string Message(const std::string& kind, const std::string& operation) {
    return "<" + kind + "Message><" + kind +
           "Header><ProtocolVersion><ProtocolVersionMajor type=\"Integer\" value=\"1\"/>"
           "<ProtocolVersionMinor type=\"Integer\" value=\"2\"/></ProtocolVersion></" +
           kind + "Header><BatchItem><Operation type=\"Enumeration\" value=\"" + operation +
           "\"/></BatchItem></" + kind + "Message>";
  }
  std::filesystem::path root_;
};

TEST_F(CaseFolder, PairsRequestsWithTheirAnswers) {
  const CaseFile file = Read("1.4/profiles/optional/AX-O-1-14.xml",
                             "<KMIP><!-- TIME 0\n [REPEAT] -->" + Message("Request", "Query") +
                                 Message("Request", "Poll") + Message("Response", "Query") +
                                 Message("Response", "Poll") + "</KMIP>");
  EXPECT_EQ(file.problem, "");
  ASSERT_EQ(file.exchanges.size(), 2u);
  EXPECT_TRUE(file.exchanges[0].repeated());
  EXPECT_FALSE(file.exchanges[1].repeated());
  EXPECT_TRUE(file.polls());
  EXPECT_EQ(file.kind, CaseKind::kOptional);
  EXPECT_EQ(file.version, kmip::kVersion1_4);
  EXPECT_EQ(file.Operations(), (std::set<std::string>{"Poll", "Query"}));
}

TEST_F(CaseFolder, SendsTwoRequestsInTheOrderOfTheirAnswers) {
  const CaseFile file =
      Read("a.xml", "<KMIP>" + Message("Request", "Destroy") + Message("Request", "Revoke") +
                        Message("Response", "Revoke") + Message("Response", "Destroy") + "</KMIP>");
  ASSERT_EQ(file.exchanges.size(), 2u);
  for (const Exchange& exchange : file.exchanges) {
    EXPECT_EQ(OperationNames(exchange.request), OperationNames(exchange.response));
  }
  EXPECT_EQ(OperationNames(file.exchanges[0].request), std::vector<std::string>{"Revoke"});
}

TEST_F(CaseFolder, KnowsTheServersOwnRequests) {
  const CaseFile file = Read(
      "NP-1.xml", "<KMIP>" + Message("Request", "Query") + Message("Response", "Query") +
                      Message("Request", "Notify") + Message("Response", "Notify") + "</KMIP>");
  ASSERT_EQ(file.exchanges.size(), 2u);
  EXPECT_FALSE(file.exchanges[0].from_server);
  EXPECT_TRUE(file.exchanges[1].from_server);
  EXPECT_EQ(file.version, kmip::kVersion1_2);
  EXPECT_EQ(file.kind, CaseKind::kGeneral);
}

TEST_F(CaseFolder, SaysWhatIsWrongWithAFile) {
  EXPECT_EQ(Read("a.xml", "<KMIP>" + Message("Response", "Query") + "</KMIP>").problem,
            "a response before its request");
  EXPECT_EQ(Read("a.xml", "<KMIP>" + Message("Request", "Query") + "</KMIP>").problem,
            "a request without its response");
  EXPECT_EQ(Read("a.xml", "<KMIP/>").problem, "no request");
  EXPECT_NE(Read("a.xml", "<KMIP><RequestMessage>").problem, "");
  EXPECT_NE(Read("a.xml", "<KMIP><Nonsense/></KMIP>").problem.find("Nonsense"), std::string::npos);
}

}  // namespace
}  // namespace dare::conformance
