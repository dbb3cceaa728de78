#include "engine/operations/rng_retrieve.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"

namespace dare::engine {
namespace {

TEST(RngRetrieve, GivesAsManyBytesAsAskedAndNeverTheSame) {
  EngineForTest engine;
  const kmip::RngRetrieveRequest request{.length = 32};
  const auto first = engine.Must<kmip::RngRetrieveResponse>(request);
  const auto second = engine.Must<kmip::RngRetrieveResponse>(request);
  EXPECT_EQ(first.data.size(), 32u);
  EXPECT_NE(first.data, second.data);
}

TEST(RngRetrieve, RefusesLengthsOutOfRange) {
  EngineForTest engine;
  for (const std::int32_t length : {-1, 0, 65537}) {
    EXPECT_EQ(engine.Do(kmip::RngRetrieveRequest{.length = length}).reason,
              kmip::ResultReason::kInvalidField);
  }
}

}  // namespace
}  // namespace dare::engine
