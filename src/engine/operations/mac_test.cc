#include "engine/operations/mac.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
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

}  // namespace
}  // namespace dare::engine
