#include "engine/pkcs12_keys.h"

#include <gtest/gtest.h>

#include "engine/operations/key_pairs_for_test.h"
#include "kmip/managed_object.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::KeyFormatType;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::ResultReason;
using kmip::Tag;

Attribute LinkTo(LinkType type, const std::string& id) {
  return Attribute::OfLink(static_cast<std::uint32_t>(type), id);
}

std::string Password(EngineForTest& engine, bool active, std::string_view text = "password") {
  std::vector<Attribute> attributes;
  if (active) {
    attributes.push_back(Attribute::OfDate(Tag::kActivationDate, engine.clock().Now() - 1));
  }
  const SecretBytes object = *kmip::MakeSecretData(AsBytes(text), kmip::SecretDataType::kPassword);
  return RegisteredForTest(
      RegisterForTest(engine, ObjectType::kSecretData, object.Reveal(), attributes));
}

std::string LinkedPrivateKey(EngineForTest& engine, const std::string& password) {
  auto request = PairRequestForTest(kmip::CryptographicAlgorithm::kEC, 256);
  request.attributes.private_key =
      AttributesForTest({LinkTo(LinkType::kPKCS_12PasswordLink, password)});
  return engine.Must<kmip::CreateKeyPairResponse>(request).private_id;
}

ItemForTest AskForPkcs12(EngineForTest& engine, const std::string& id,
                         kmip::ProtocolVersion version = kmip::kVersion2_1) {
  kmip::GetRequest request;
  request.id = kmip::Identifier(id);
  request.format = KeyFormatType::kPKCS_12;
  return engine.Do(request, version);
}

TEST(Pkcs12Keys, GoOutAndComeBackAsTheSameKey) {
  EngineForTest engine;
  const std::string password = Password(engine, true);
  const std::string id = LinkedPrivateKey(engine, password);
  const GivenKeyForTest container = GetForTest(engine, id, KeyFormatType::kPKCS_12);
  ASSERT_EQ(container.format, KeyFormatType::kPKCS_12);
  const ItemForTest item = RegisterForTest(engine, ObjectType::kPrivateKey, container.object,
                                           {LinkTo(LinkType::kPKCS_12PasswordLink, password)});
  ASSERT_TRUE(item.success) << item.message;
  const std::string again = RegisteredForTest(item);
  EXPECT_EQ(GetForTest(engine, again).format, KeyFormatType::kPKCS_8);
  EXPECT_EQ(GetForTest(engine, again, KeyFormatType::kRaw).material,
            GetForTest(engine, id, KeyFormatType::kRaw).material);
}

TEST(Pkcs12Keys, NeedOneActivePasswordThatFits) {
  EngineForTest engine;
  const std::string asleep = Password(engine, false);
  EXPECT_EQ(AskForPkcs12(engine, LinkedPrivateKey(engine, asleep)).reason,
            ResultReason::kBadPassword);
  EXPECT_EQ(AskForPkcs12(engine, LinkedPrivateKey(engine, asleep), kmip::kVersion1_4).reason,
            ResultReason::kPermissionDenied);
  EXPECT_EQ(AskForPkcs12(engine, EcPairForTest(engine).private_id).reason,
            ResultReason::kBadPassword)
      << "no link";
  const std::string right = Password(engine, true);
  const GivenKeyForTest container =
      GetForTest(engine, LinkedPrivateKey(engine, right), KeyFormatType::kPKCS_12);
  const auto registered = [&](const std::string& password) {
    return RegisterForTest(engine, ObjectType::kPrivateKey, container.object,
                           {LinkTo(LinkType::kPKCS_12PasswordLink, password)});
  };
  EXPECT_EQ(registered(Password(engine, true, "other")).reason,
            ResultReason::kCryptographicFailure);
  EXPECT_EQ(registered(asleep).reason, ResultReason::kBadPassword);
  EXPECT_TRUE(registered(right).success);
}

TEST(Pkcs12Keys, AreForPrivateKeysAndSince14) {
  EngineForTest engine;
  const auto pair = EcPairForTest(engine);
  EXPECT_EQ(AskForPkcs12(engine, pair.public_id).reason, ResultReason::kKeyFormatTypeNotSupported);
  const std::string password = Password(engine, true);
  const GivenKeyForTest container =
      GetForTest(engine, LinkedPrivateKey(engine, password), KeyFormatType::kPKCS_12);
  EXPECT_EQ(
      RegisterForTest(engine, ObjectType::kPrivateKey, container.object, {}, kmip::kVersion1_3)
          .reason,
      ResultReason::kKeyFormatTypeNotSupported);
}

}  // namespace
}  // namespace dare::engine
