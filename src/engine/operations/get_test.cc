#include "engine/operations/get.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/attribute_values.h"
#include "engine/engine_for_test.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::ResultReason;
using kmip::Tag;

const Bytes kKey = *FromHex("00112233445566778899aabbccddeeff");

kmip::GetRequest GetOf(const std::string& id) {
  kmip::GetRequest request;
  request.id = kmip::Identifier(id);
  return request;
}

kmip::KeyBlock BlockOf(const kmip::GetResponse& response) {
  ttlv::Reader members = *response.object.Members();
  return *kmip::ReadKeyBlock(members);
}

kmip::GetRequest WrappedBy(const std::string& id, const std::string& wrapping_key) {
  kmip::GetRequest request = GetOf(id);
  request.wrapping.emplace();
  request.wrapping->encryption.emplace();
  request.wrapping->encryption->id = wrapping_key;
  request.wrapping->encryption->parameters.emplace();
  request.wrapping->encryption->parameters->block_cipher_mode = kmip::BlockCipherMode::kNISTKeyWrap;
  request.wrapping->encoding = kmip::EncodingOption::kNoEncoding;
  return request;
}

TEST(Get, GivesTheKeyToItsOwner) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  for (const auto version : {kmip::kVersion1_0, kmip::kVersion1_4, kmip::kVersion2_1}) {
    const auto response = engine.Must<kmip::GetResponse>(GetOf(id), version);
    EXPECT_EQ(response.id, id);
    EXPECT_EQ(ToBytes(*BlockOf(response).KeyBytes()), kKey);
  }
}

TEST(Get, RefusesSensitiveKeysInClearAndUnextractableOnesAtAll) {
  EngineForTest engine;
  const std::string kek =
      engine.AddAesKey(Bytes(16, 1), {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x10)});
  const std::string sensitive =
      engine.AddAesKey(kKey, {Attribute::OfBoolean(Tag::kSensitive, true)});
  EXPECT_EQ(engine.Do(GetOf(sensitive)).reason, ResultReason::kSensitive);
  EXPECT_TRUE(engine.Do(WrappedBy(sensitive, kek)).success);
  const std::string kept = engine.AddAesKey(kKey, {Attribute::OfBoolean(Tag::kExtractable, false)});
  EXPECT_EQ(engine.Do(GetOf(kept)).reason, ResultReason::kNotExtractable);
  EXPECT_EQ(engine.Do(WrappedBy(kept, kek)).reason, ResultReason::kNotExtractable);
}

TEST(Get, WrapsAsThePublishedCaseDoes) {
  // OASIS TC-142: RFC 3394, section 4.1
  EngineForTest engine;
  const std::string kek =
      engine.AddAesKey(*FromHex("000102030405060708090a0b0c0d0e0f"),
                       {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x10)});
  const std::string id = engine.AddAesKey(kKey);
  const auto response = engine.Must<kmip::GetResponse>(WrappedBy(id, kek));
  const kmip::KeyBlock block = BlockOf(response);
  EXPECT_EQ(ToHex(*block.key_value->AsByteString()),
            "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
  ASSERT_TRUE(block.wrapping);
  EXPECT_EQ(block.wrapping->encryption->id, kek);
}

TEST(Get, WrapsWithAttributesOnlyInTtlvEncoding) {
  EngineForTest engine;
  const std::string kek =
      engine.AddAesKey(Bytes(32, 1), {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x10)});
  const std::string id = engine.AddAesKey(kKey);
  kmip::GetRequest request = WrappedBy(id, kek);
  request.wrapping->attribute_names = {"Cryptographic Usage Mask"};
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kEncodingOptionError);
  request.wrapping->encoding = kmip::EncodingOption::kTTLVEncoding;
  EXPECT_TRUE(engine.Do(request).success);
}

TEST(Get, TheWrappingKeyNeedsItsUsageItsStateAndItsOwner) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  const std::string wrong_mask = engine.AddAesKey(Bytes(32, 1));
  EXPECT_EQ(engine.Do(WrappedBy(id, wrong_mask)).reason,
            ResultReason::kIncompatibleCryptographicUsageMask);
  const std::string others = engine.AddAesKey(
      Bytes(32, 1), {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x10)}, "bob");
  EXPECT_EQ(engine.Do(WrappedBy(id, others)).reason, ResultReason::kPermissionDenied);
  EXPECT_EQ(engine.Do(WrappedBy(id, "nothing")).reason, ResultReason::kWrappingObjectNotFound);
}

TEST(Get, WrappingUsesUpTheWrappingKey) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  const Attribute twice =
      MakeUsageLimits({.total = 2, .count = 2, .unit = kmip::UsageLimitsUnit::kObject});
  const std::string kek = engine.AddAesKey(
      Bytes(32, 1), {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x10), twice});
  EXPECT_TRUE(engine.Do(WrappedBy(id, kek)).success);
  EXPECT_TRUE(engine.Do(WrappedBy(id, kek)).success);
  EXPECT_EQ(engine.Do(WrappedBy(id, kek)).reason, ResultReason::kPermissionDenied);
}

TEST(Get, ConvertsBetweenRawAndTransparent) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  kmip::GetRequest request = GetOf(id);
  request.format = kmip::KeyFormatType::kTransparentSymmetricKey;
  const auto response = engine.Must<kmip::GetResponse>(request);
  const kmip::KeyBlock block = BlockOf(response);
  EXPECT_EQ(block.format, kmip::KeyFormatType::kTransparentSymmetricKey);
  EXPECT_EQ(ToBytes(*block.KeyBytes()), kKey);
  request.format = kmip::KeyFormatType::kX_509;
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kKeyFormatTypeNotSupported);
}

TEST(Get, AnUnknownObjectIsNotFoundInTheWordsOfTheVersion) {
  EngineForTest engine;
  EXPECT_EQ(engine.Do(GetOf("nothing"), kmip::kVersion2_1).reason, ResultReason::kObjectNotFound);
  EXPECT_EQ(engine.Do(GetOf("nothing"), kmip::kVersion1_4).reason, ResultReason::kItemNotFound);
  EXPECT_EQ(engine.Do(kmip::GetRequest()).reason, ResultReason::kObjectNotFound);
}

TEST(Get, TheFirstGetEndsFreshness) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey, {Attribute::OfBoolean(Tag::kFresh, true)});
  EXPECT_TRUE(engine.Do(GetOf(id)).success);
  EXPECT_EQ(engine.store().Get(id)->row_version, 2u);
  EXPECT_TRUE(engine.Do(GetOf(id)).success);
  EXPECT_EQ(engine.store().Get(id)->row_version, 2u);
}

TEST(Get, SurvivesARestart) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  engine.Restart();
  EXPECT_EQ(ToBytes(*BlockOf(engine.Must<kmip::GetResponse>(GetOf(id))).KeyBytes()), kKey);
}

}  // namespace
}  // namespace dare::engine
