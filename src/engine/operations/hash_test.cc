#include "engine/operations/hash.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"

namespace dare::engine {
namespace {

using kmip::ResultReason;

kmip::HashRequest Request(kmip::HashingAlgorithm hash, std::optional<ByteView> data) {
  kmip::HashRequest request;
  request.parameters.hashing_algorithm = hash;
  request.data = data;
  return request;
}

constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Hash, GivesTheAnswerOfTheStandard) {
  EngineForTest engine;  // FIPS 180-4
  const auto response =
      engine.Must<kmip::HashResponse>(Request(kmip::HashingAlgorithm::kSHA_256, AsBytes("abc")));
  EXPECT_EQ(ToHex(*response.data), kAbc);
  kmip::HashRequest both = Request(kmip::HashingAlgorithm::kSHA_256, AsBytes("abc"));
  both.init = true;
  both.final = true;
  EXPECT_EQ(ToHex(*engine.Must<kmip::HashResponse>(both).data), kAbc) << "in one part";
}

TEST(Hash, RefusesWhatItCannotOrMayNot) {
  EngineForTest engine;
  EXPECT_EQ(engine.Do(Request(kmip::HashingAlgorithm::kSHA_256, std::nullopt)).reason,
            ResultReason::kInvalidMessage);
  EXPECT_EQ(engine.Do(Request(kmip::HashingAlgorithm::kMD5, AsBytes("abc"))).reason,
            ResultReason::kPermissionDenied);
  EXPECT_EQ(engine.Do(Request(kmip::HashingAlgorithm::kTiger, AsBytes("abc"))).reason,
            ResultReason::kUnsupportedCryptographicParameters);
  kmip::HashRequest none;
  none.data = AsBytes("abc");
  EXPECT_EQ(engine.Do(none).reason, ResultReason::kInvalidField);
}

TEST(Hash, AStreamIsItsClientsAndEndsOnce) {
  EngineForTest engine;
  kmip::HashRequest part = Request(kmip::HashingAlgorithm::kSHA_256, AsBytes("a"));
  part.init = true;
  const auto first = engine.Must<kmip::HashResponse>(part);
  EXPECT_FALSE(first.data);
  part.init.reset();
  part.correlation = *first.correlation;
  part.data = AsBytes("bc");
  EXPECT_EQ(engine.Do(part, kmip::kVersion2_1, "mallory").reason,
            ResultReason::kInvalidCorrelationValue);
  engine.Must<kmip::HashResponse>(part);
  part.data = ByteView();
  part.final = true;
  EXPECT_EQ(ToHex(*engine.Must<kmip::HashResponse>(part).data), kAbc);
  EXPECT_EQ(engine.Do(part).reason, ResultReason::kInvalidCorrelationValue);
}

}  // namespace
}  // namespace dare::engine
