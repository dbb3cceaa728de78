// Known answers of others: AWS's own message sets and those of formats/esdk-v2.md
// (vectors/README.md).
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "envelope/envelope_for_test.h"
#include "envelope/key_block.h"
#include "envelope/message_opener.h"
#include "envelope/raw_rsa_keyring.h"

namespace dare::envelope {
namespace {

namespace json = boost::json;

const std::string kVectors = std::string(DARE_SHARED_DIR) + "/vectors/";

#define SKIP_WITHOUT_VECTORS() \
  if (!FileExists(kVectors)) GTEST_SKIP() << "no known answers at " << kVectors

std::string Text(const json::value& value) { return std::string(value.as_string()); }
Bytes Hex(const json::value& value) { return FromHex(value.as_string()).value(); }

json::value ReadJson(const std::string& path) {
  return json::parse(std::string(AsText(ReadFile(path, 64 << 20).value())));
}

// "zero-dek": no EDK is unwrapped, the DEK is all zero bytes of the suite's length.
class ZeroDekWrapper final : public KeyWrapper {
 public:
  Result<EncryptedDataKey> Wrap(const Dek&, ByteView) override {
    return Error(Code::kUnsupported, "reads only");
  }
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey&, ByteView) override {
    return std::optional<Dek>(Dek(SecretBytes::OfSize(length).value()));
  }
  std::size_t length = 0;
};

RsaPadding PaddingOf(const json::object& key) {
  if (Text(key.at("padding")) == "pkcs1") return RsaPadding::kInsecurePkcs1;
  const std::string hash = Text(key.at("hash"));
  if (hash == "sha1") return RsaPadding::kOaepSha1;
  if (hash == "sha256") return RsaPadding::kOaepSha256;
  return hash == "sha384" ? RsaPadding::kOaepSha384 : RsaPadding::kOaepSha512;
}

std::shared_ptr<KeyWrapper> MakeWrapper(const json::object& key, const MessageHeader* header) {
  const std::string type = Text(key.at("type"));
  if (type == "zero-dek") {
    auto wrapper = std::make_shared<ZeroDekWrapper>();
    wrapper->length = header != nullptr ? header->suite->key_length : 32;
    return wrapper;
  }
  if (type == "raw-aes") {
    return RawAesKeyWrapper::Create(Text(key.at("namespace")), Text(key.at("name")),
                                    SecretForTest(Hex(key.at("material_hex"))))
        .value();
  }
  return RawRsaKeyWrapper::Create(Text(key.at("namespace")), Text(key.at("name")),
                                  AsBytes(key.at("private_pem").as_string()), PaddingOf(key))
      .value();
}

void CheckHeaderFacts(const json::object& facts, const MessageHeader& header) {
  EXPECT_EQ(facts.at("version").to_number<int>(), header.suite->header_version);
  EXPECT_EQ(std::stoi(Text(facts.at("suite")), nullptr, 16), header.suite->id);
  EXPECT_EQ(facts.at("content_type").to_number<int>(), static_cast<int>(header.content_type));
  EXPECT_EQ(facts.at("frame_length").to_number<std::uint32_t>(), header.frame_length);
  EXPECT_EQ(Text(facts.at("message_id")), ToHex(header.message_id));
  EXPECT_EQ(facts.at("header_bytes").to_number<std::size_t>(), header.size());
  const json::object& context = facts.at("encryption_context").as_object();
  EXPECT_EQ(context.size(), header.context.size());
  for (const auto& [key, value] : context) {
    const std::string* found = header.context.Find(key);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(*found, Text(value));
  }
  const json::array& edks = facts.at("edks").as_array();
  ASSERT_EQ(edks.size(), header.edks.size());
  for (std::size_t i = 0; i < edks.size(); ++i) {
    const json::object& edk = edks[i].as_object();
    EXPECT_EQ(Text(edk.at("provider_id")), header.edks[i].provider_id);
    EXPECT_EQ(Text(edk.at("provider_info_hex")), ToHex(header.edks[i].provider_info));
    EXPECT_EQ(edk.at("ciphertext_length").to_number<std::size_t>(),
              header.edks[i].ciphertext.size());
  }
}

ReadOptions OptionsOf(const json::object& test) {
  ReadOptions options;
  options.commitment = CommitmentPolicy::kInsecureAllow;
  options.limits.edks = 64;
  if (const json::value* policy = test.if_contains("policy")) {
    if (Text(*policy) == "require-commit") options.commitment = CommitmentPolicy::kRequire;
    if (Text(*policy) == "max-edks-2") options.limits.edks = 2;
  }
  if (const json::value* pairs = test.if_contains("reproduced_encryption_context")) {
    for (const auto& [key, value] : pairs->as_object()) {
      EXPECT_TRUE(options.reproduced_context.Add(std::string(key), Text(value)));
    }
  }
  return options;
}

void RunCase(const std::string& folder, const json::object& keys, const json::object& test) {
  const Bytes message = ReadForTest(folder + Text(test.at("file")));
  const ReadOptions options = OptionsOf(test);
  const bool good = Text(test.at("expect")) == "ok";
  MemorySource in(message);
  const Result<MessageHeader> header = ReadHeader(in, options.limits);
  if (header && good) CheckHeaderFacts(test.at("header").as_object(), *header);

  Keyring keyring;
  for (const json::value& name : test.at("usable_keys").as_array()) {
    keyring.push_back(
        MakeWrapper(keys.at(name.as_string()).as_object(), header ? &*header : nullptr));
  }
  const Result<WipingBytes> opened = OpenMessage(message, keyring, options);
  ASSERT_EQ(opened.has_value(), good) << (opened ? "opened" : opened.error().message);
  if (!good) {
    EXPECT_EQ(opened.error().code, Code::kDamaged);
    return;
  }
  const Bytes expected = ReadForTest(folder + Text(test.at("plaintext")));
  EXPECT_TRUE(std::equal(opened->begin(), opened->end(), expected.begin(), expected.end()));
}

void RunCases(const std::string& folder, std::size_t expected_cases) {
  ASSERT_TRUE(StartSecureHeap(1 << 20));
  const json::value document = ReadJson(folder + "cases.json");
  const json::object& keys = document.at("keys").as_object();
  std::size_t count = 0;
  for (const json::value& test : document.at("cases").as_array()) {
    SCOPED_TRACE(Text(test.at("id")));
    RunCase(folder, keys, test.as_object());
    ++count;
  }
  EXPECT_GE(count, expected_cases);
}

TEST(EsdkVectors, AwsMessagesGetTheRightVerdicts) {
  SKIP_WITHOUT_VECTORS();
  RunCases(kVectors + "esdk-upstream/", 242);
}

TEST(EsdkVectors, GeneratedMessagesGetTheRightVerdicts) {
  SKIP_WITHOUT_VECTORS();
  RunCases(kVectors + "esdk-generated/", 108);
}

TEST(EsdkVectors, WorkedExampleHoldsInEveryIntermediateValue) {
  SKIP_WITHOUT_VECTORS();
  const json::value example = ReadJson(kVectors + "esdk-worked-example/worked-example.json");
  const Bytes message = ReadForTest(kVectors + "esdk-worked-example/message.bin");
  EXPECT_EQ(message, Hex(example.at("message")));
  const json::object& kek = example.at("kek").as_object();
  const Keyring keyring{RawAesKeyWrapper::Create(Text(kek.at("namespace")), Text(kek.at("name")),
                                                 SecretForTest(Hex(kek.at("key"))))
                            .value()};

  MemorySource in(message);
  const MessageHeader header = ReadHeader(in, {}).value();
  const json::object& edk = example.at("edk").as_object();
  EXPECT_EQ(header.context.Serialize(), Hex(edk.at("aad")));
  EXPECT_EQ(header.body, Hex(example.at("header").at("aad_is_header_body")));
  EXPECT_EQ(EncodeHeaderBody(header).value(), header.body);
  const std::optional<Dek> dek =
      keyring[0]->Unwrap(header.edks.at(0), header.context.Serialize()).value();
  ASSERT_TRUE(dek);
  EXPECT_EQ(ToBytes(dek->Reveal()), Hex(edk.at("plaintext_dek")));
  const MessageKeys derived = DeriveMessageKeys(*header.suite, header.message_id, *dek).value();
  EXPECT_EQ(ToBytes(derived.data_key.Reveal()), Hex(example.at("hkdf").at("data_key")));
  EXPECT_EQ(derived.commitment, Hex(example.at("hkdf").at("commitment")));
  const WipingBytes plain = OpenMessage(message, keyring, {}).value();
  EXPECT_EQ(ToHex(plain), Text(example.at("plaintext")));
}

TEST(EsdkVectors, CopyOfTheDekMadeByAKmipServerOpens) {
  SKIP_WITHOUT_VECTORS();
  const json::value example = ReadJson(kVectors + "esdk-worked-example/kmip-edk.json");
  const Keyring keyring{RawAesKeyWrapper::Create(Text(example.at("namespace")),
                                                 Text(example.at("name")),
                                                 SecretForTest(Hex(example.at("kek"))))
                            .value()};
  const WipingBytes plain = OpenMessage(Hex(example.at("message")), keyring, {}).value();
  EXPECT_EQ(ToHex(plain), Text(example.at("plaintext")));
  // What our client would build out of the server's answer is the same copy.
  const Bytes wrapped = Hex(example.at("edk").at("ciphertext"));
  const Bytes info = Hex(example.at("edk").at("provider_info"));
  const EncryptedDataKey edk =
      MakeAesEdk(Text(example.at("namespace")), Text(example.at("name")), ByteView(info).last(12),
                 ByteView(wrapped).first(32), ByteView(wrapped).last(16), 32)
          .value();
  EXPECT_EQ(edk.provider_info, info);
  EXPECT_EQ(edk.ciphertext, wrapped);
}

TEST(EsdkVectors, KeyBlocksBeforeAndAfterRotationOpenTheSameData) {
  SKIP_WITHOUT_VECTORS();
  const std::string folder = kVectors + "esdk-worked-example/keyblock/";
  const json::value facts = ReadJson(folder + "keyblock.json");
  const Bytes data = ReadForTest(folder + "data.bin");
  const Bytes expected = ReadForTest(folder + "plaintext.bin");
  for (const char* side : {"before", "after"}) {
    const Bytes message = ReadForTest(folder + "keyblock-" + side + ".bin");
    for (const json::value& kek : facts.at(side).as_array()) {
      const Keyring keks{RawAesKeyWrapper::Create(Text(kek.at("namespace")), Text(kek.at("name")),
                                                  SecretForTest(Hex(kek.at("kek"))))
                             .value()};
      const KeyBlock block = OpenKeyBlock(message, keks).value();
      EXPECT_EQ(block.id, Text(facts.at("block_id")));
      EXPECT_EQ(ToHex(block.key.Reveal()), Text(facts.at("block_key")));
      const WipingBytes plain = OpenMessage(data, block.DataKeyring().value(), {}).value();
      EXPECT_TRUE(std::equal(plain.begin(), plain.end(), expected.begin(), expected.end()));
    }
  }
}

}  // namespace
}  // namespace dare::envelope
