#include "engine/operations/rng_retrieve.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/rng_seed.h"
#include "kmip/tags.h"

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

TEST(RngSeed, UsesAllOfASeedAndRefusesALongOne) {
  EngineForTest engine;
  const Bytes seed(32, 0x33), long_seed(65537);
  kmip::RngSeedRequest request;
  request.data = seed;
  EXPECT_EQ(engine.Must<kmip::RngSeedResponse>(request).length, 32);
  const kmip::RngRetrieveRequest more{.length = 32};
  const auto after = engine.Must<kmip::RngRetrieveResponse>(more);
  engine.Must<kmip::RngSeedResponse>(request);
  EXPECT_NE(engine.Must<kmip::RngRetrieveResponse>(more).data, after.data)
      << "the same seed twice does not give the same bytes twice";
  request.data = long_seed;
  EXPECT_EQ(engine.Do(request).reason, kmip::ResultReason::kInvalidField);
}

TEST(RandomNumberGenerator, IsToldAsItIs) {
  using crypto::RandomGenerator;
  for (const auto& [generator, told] :
       {std::pair{RandomGenerator::kDrbg, kmip::RNGAlgorithm::kDRBG},
        std::pair{RandomGenerator::kAnsiX931, kmip::RNGAlgorithm::kANSIX9_31}}) {
    EngineForTest engine(true, {}, generator);
    const std::string id = NewKeyForTest(engine);
    const kmip::AttributeSet attributes = ReadForTest(engine, id);
    const kmip::Attribute* attribute = attributes.Find(kmip::Tag::kRandomNumberGenerator);
    ASSERT_NE(attribute, nullptr);
    ttlv::Reader in = ttlv::Reader::Members(attribute->item);
    EXPECT_EQ(kmip::ReadRngParameters(in, kmip::Tag::kRandomNumberGenerator)->algorithm, told);
    const auto query = engine.Must<kmip::QueryResponse>(
        kmip::QueryRequest{.functions = {kmip::QueryFunction::kQueryRNGs}});
    ASSERT_EQ(query.rngs.size(), 1u);
    EXPECT_EQ(query.rngs[0].algorithm, told);
    EXPECT_EQ(query.rngs[0].cryptographic_length, 256);
  }
}

}  // namespace
}  // namespace dare::engine
