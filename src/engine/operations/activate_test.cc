#include "engine/operations/activate.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::ResultReason;
using kmip::Tag;

const Bytes kKey(32, 7);

std::vector<kmip::Attribute> Dormant(std::int64_t activation) {
  return {kmip::Attribute::OfEnumeration(Tag::kState,
                                         static_cast<std::uint32_t>(kmip::State::kPreActive)),
          kmip::Attribute::OfDate(Tag::kActivationDate, activation)};
}

kmip::EncryptRequest EncryptGcm(const std::string& id, ByteView data) {
  kmip::EncryptRequest request;
  request.id = kmip::Identifier(id);
  request.parameters.emplace();
  request.parameters->block_cipher_mode = kmip::BlockCipherMode::kGCM;
  request.parameters->random_iv = true;
  request.data = data;
  return request;
}

TEST(Activate, MakesAPreActiveKeyUsable) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey, Dormant(9'000'000'000));
  const Bytes data(16, 1);
  EXPECT_EQ(engine.Do(EncryptGcm(id, data)).reason, ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(
      engine.Must<kmip::ActivateResponse>(kmip::ActivateRequest{.id = kmip::Identifier(id)}).id,
      id);
  EXPECT_TRUE(engine.Do(EncryptGcm(id, data)).success);
}

TEST(Activate, RefusesAnythingButPreActiveInTheWordsOfTheVersion) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  const kmip::ActivateRequest request{.id = kmip::Identifier(id)};
  EXPECT_EQ(engine.Do(request, kmip::kVersion2_1).reason, ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(engine.Do(request, kmip::kVersion1_4).reason, ResultReason::kPermissionDenied);
}

TEST(Activate, AnActivationDateTakesEffectByItself) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey, Dormant(engine.clock().Now() + 60));
  const Bytes data(16, 1);
  EXPECT_FALSE(engine.Do(EncryptGcm(id, data)).success);
  engine.clock().Advance(60);
  EXPECT_TRUE(engine.Do(EncryptGcm(id, data)).success);
  EXPECT_EQ(engine.Do(kmip::ActivateRequest{.id = kmip::Identifier(id)}).reason,
            ResultReason::kWrongKeyLifecycleState);
}

TEST(Activate, RefusesOthersObjects) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey, Dormant(9'000'000'000));
  const kmip::ActivateRequest request{.id = kmip::Identifier(id)};
  EXPECT_EQ(engine.Do(request, kmip::kVersion2_1, "mallory").reason,
            ResultReason::kPermissionDenied);
}

}  // namespace
}  // namespace dare::engine
