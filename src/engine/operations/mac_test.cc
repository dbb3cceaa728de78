#include "engine/operations/mac.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "kmip/payloads/mac_verify.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::ResultReason;
using kmip::Tag;

kmip::MacRequest Request(const std::string& id, kmip::HashingAlgorithm hash, ByteView data) {
  kmip::MacRequest request;
  request.id = kmip::Identifier(id);
  request.parameters.emplace();
  request.parameters->hashing_algorithm = hash;
  request.data = data;
  return request;
}

Attribute MayMac() { return Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x80); }

TEST(Mac, HmacSha256GivesTheAnswerOfTheRfc) {
  // RFC 4231, section 4.2
  EngineForTest engine;
  const std::string id = engine.AddAesKey(Bytes(20, 0x0b), {MayMac()});
  const auto response = engine.Must<kmip::MacResponse>(
      Request(id, kmip::HashingAlgorithm::kSHA_256, AsBytes("Hi There")));
  EXPECT_EQ(ToHex(*response.mac),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST(Mac, NeedsTheUsageMaskAndAnAlgorithm) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(Bytes(32, 1));
  EXPECT_EQ(engine.Do(Request(id, kmip::HashingAlgorithm::kSHA_256, AsBytes("x"))).reason,
            ResultReason::kIncompatibleCryptographicUsageMask);
  const std::string bare = engine.AddAesKey(Bytes(32, 1), {MayMac()});
  kmip::MacRequest request = Request(bare, kmip::HashingAlgorithm::kSHA_256, AsBytes("x"));
  request.parameters.reset();
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kUnsupportedCryptographicParameters);
}

TEST(Mac, UsageLimitsAreTakenBeforeTheKeyIsUsed) {
  EngineForTest engine;
  ttlv::Writer out;
  out.Structure(Tag::kUsageLimits, [&] {
    out.LongInteger(Tag::kUsageLimitsTotal, 10);
    out.LongInteger(Tag::kUsageLimitsCount, 10);
    out.Enum(Tag::kUsageLimitsUnit, kmip::UsageLimitsUnit::kByte);
  });
  Attribute limits;
  limits.tag = Tag::kUsageLimits;
  limits.item = ToBytes(out.bytes());
  const std::string id = engine.AddAesKey(Bytes(32, 1), {MayMac(), limits});
  const Bytes data(6, 1);
  const auto request = Request(id, kmip::HashingAlgorithm::kSHA_256, data);
  EXPECT_TRUE(engine.Do(request).success);
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kPermissionDenied);
}

Attribute MayMacAndVerify() { return Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x180); }

kmip::ValidityIndicator Verdict(EngineForTest& engine, const std::string& id, ByteView data,
                                ByteView mac) {
  kmip::MacVerifyRequest request;
  request.id = kmip::Identifier(id);
  request.parameters.emplace().hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
  request.data = data;
  request.mac = mac;
  return *engine.Must<kmip::MacVerifyResponse>(request).validity;
}

TEST(MacVerify, TellsRightFromWrong) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(Bytes(20, 0x0b), {MayMacAndVerify()});
  const Bytes mac = *FromHex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Verdict(engine, id, AsBytes("Hi There"), mac), kmip::ValidityIndicator::kValid);
  EXPECT_EQ(Verdict(engine, id, AsBytes("Hi there"), mac), kmip::ValidityIndicator::kInvalid);
  EXPECT_EQ(Verdict(engine, id, AsBytes("Hi There"), ByteView(mac).first(16)),
            kmip::ValidityIndicator::kInvalid)
      << "a truncated code is not the code";
  EXPECT_EQ(Verdict(engine, id, AsBytes("Hi There"), {}), kmip::ValidityIndicator::kInvalid);
}

TEST(MacVerify, NeedsItsOwnBitOfTheUsageMask) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(Bytes(20, 0x0b), {MayMac()});
  kmip::MacVerifyRequest request;
  request.id = kmip::Identifier(id);
  request.data = AsBytes("x");
  request.mac = AsBytes("x");
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kIncompatibleCryptographicUsageMask);
}

// The code of "Hi There" in three parts.
kmip::MacResponse InParts(EngineForTest& engine, const std::string& id) {
  kmip::MacRequest part = Request(id, kmip::HashingAlgorithm::kSHA_256, AsBytes("Hi"));
  part.init = true;
  const auto first = engine.Must<kmip::MacResponse>(part);
  EXPECT_FALSE(first.mac);
  part = {};
  part.id = kmip::Identifier(id);
  part.correlation = *first.correlation;
  part.data = AsBytes(" There");
  EXPECT_EQ(*engine.Must<kmip::MacResponse>(part).correlation, *first.correlation);
  part.data.reset();
  part.final = true;
  return engine.Must<kmip::MacResponse>(part);
}

TEST(Mac, ComesInPartsAndIsVerifiedInParts) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(Bytes(20, 0x0b), {MayMacAndVerify()});
  const auto made = InParts(engine, id);
  EXPECT_EQ(ToHex(*made.mac), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  for (const bool with_first : {true, false}) {
    kmip::MacVerifyRequest part;
    part.id = kmip::Identifier(id);
    part.parameters.emplace().hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
    part.data = AsBytes("Hi The");
    part.init = true;
    if (with_first) part.mac = *made.mac;
    const auto first = engine.Must<kmip::MacVerifyResponse>(part);
    EXPECT_FALSE(first.validity);
    part = {};
    part.id = kmip::Identifier(id);
    part.correlation = *first.correlation;
    part.data = AsBytes("re");
    part.final = true;
    if (!with_first) part.mac = *made.mac;
    EXPECT_EQ(*engine.Must<kmip::MacVerifyResponse>(part).validity,
              kmip::ValidityIndicator::kValid);
  }
}

TEST(Mac, AStreamBelongsToItsOperationKeyAndClient) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(Bytes(20, 0x0b), {MayMacAndVerify()});
  const std::string other = engine.AddAesKey(Bytes(20, 0x0c), {MayMacAndVerify()});
  kmip::MacRequest begin = Request(id, kmip::HashingAlgorithm::kSHA_256, AsBytes("Hi"));
  begin.init = true;
  const auto first = engine.Must<kmip::MacResponse>(begin);
  kmip::MacRequest next;
  next.id = kmip::Identifier(other);
  next.correlation = *first.correlation;
  EXPECT_EQ(engine.Do(next).reason, ResultReason::kInvalidCorrelationValue);
  kmip::MacVerifyRequest verify;
  verify.id = kmip::Identifier(id);
  verify.correlation = *first.correlation;
  EXPECT_EQ(engine.Do(verify).reason, ResultReason::kInvalidCorrelationValue);
  next.id = kmip::Identifier(id);
  EXPECT_TRUE(engine.Do(next).success);
}

TEST(MacVerify, AStreamWithoutMacDataIsRefusedAtItsEnd) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(Bytes(20, 0x0b), {MayMacAndVerify()});
  kmip::MacVerifyRequest part;
  part.id = kmip::Identifier(id);
  part.parameters.emplace().hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
  part.init = true;
  const auto first = engine.Must<kmip::MacVerifyResponse>(part);
  part.correlation = *first.correlation;
  part.final = true;
  EXPECT_EQ(engine.Do(part).reason, ResultReason::kInvalidMessage);
}

TEST(Mac, CmacAndLegacyCbcMacOfBlockCiphers) {
  EngineForTest engine;
  EngineForTest legacy(true);
  kmip::MacRequest request;
  request.data = AsBytes("");
  for (EngineForTest* each : {&engine, &legacy}) {
    // RFC 4493, section 4, example 1
    const std::string id =
        each->AddAesKey(*FromHex("2b7e151628aed2a6abf7158809cf4f3c"), {MayMac()});
    request.id = kmip::Identifier(id);
    request.parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kCMAC;
    EXPECT_EQ(ToHex(*each->Must<kmip::MacResponse>(request).mac),
              "bb1d6929e95937287fa37d129b756746");
    request.parameters->block_cipher_mode = kmip::BlockCipherMode::kCBC_MAC;
    EXPECT_EQ(each->Do(request).success, each == &legacy);
  }
}

}  // namespace
}  // namespace dare::engine
