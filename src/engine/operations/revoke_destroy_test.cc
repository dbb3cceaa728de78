// The ends of a life: Revoke and Destroy, from every state.
#include <gtest/gtest.h>

#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/revoke.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

using kmip::Identifier;
using kmip::ResultReason;
using kmip::RevocationReasonCode;
using kmip::State;
using kmip::Tag;

constexpr ResultReason kDone{};

ResultReason Revoke(EngineForTest& engine, const std::string& id, RevocationReasonCode reason,
                    kmip::ProtocolVersion version = kmip::kVersion2_1) {
  return engine.Do(kmip::RevokeRequest{.id = Identifier(id), .reason = reason}, version).reason;
}
ResultReason Destroy(EngineForTest& engine, const std::string& id,
                     kmip::ProtocolVersion version = kmip::kVersion2_1) {
  return engine.Do(kmip::DestroyRequest{.id = Identifier(id)}, version).reason;
}

// A new key, taken to `state` by lawful steps.
std::string KeyIn(EngineForTest& engine, State state) {
  const std::string id = NewKeyForTest(engine);
  const bool ended = state == State::kDestroyed;
  if (state == State::kActive || state == State::kDeactivated) {
    engine.Must<kmip::ActivateResponse>(kmip::ActivateRequest{.id = Identifier(id)});
  }
  if (state == State::kDeactivated) Revoke(engine, id, RevocationReasonCode::kSuperseded);
  if (state == State::kCompromised || state == State::kDestroyedCompromised) {
    Revoke(engine, id, RevocationReasonCode::kKeyCompromise);
  }
  if (ended || state == State::kDestroyedCompromised) Destroy(engine, id);
  EXPECT_EQ(StateForTest(engine, id), state);
  return id;
}

TEST(Revoke, DeactivatesAnActiveKeyAndNoOther) {
  EngineForTest engine;
  const std::string id = KeyIn(engine, State::kDeactivated);
  const kmip::AttributeSet all = ReadForTest(engine, id);
  EXPECT_EQ(all.Date(Tag::kDeactivationDate), engine.clock().Now());
  EXPECT_TRUE(all.Has(Tag::kRevocationReason));
  EXPECT_FALSE(all.Has(Tag::kCompromiseDate));
  for (const State state :
       {State::kPreActive, State::kDeactivated, State::kCompromised, State::kDestroyed}) {
    const std::string other = KeyIn(engine, state);
    EXPECT_EQ(Revoke(engine, other, RevocationReasonCode::kUnspecified),
              ResultReason::kWrongKeyLifecycleState);
    EXPECT_EQ(Revoke(engine, other, RevocationReasonCode::kUnspecified, kmip::kVersion1_4),
              ResultReason::kPermissionDenied);
    EXPECT_EQ(StateForTest(engine, other), state);
  }
}

TEST(Revoke, CompromisesWhateverWasNotCompromised) {
  EngineForTest engine;
  for (const State state : {State::kPreActive, State::kActive, State::kDeactivated}) {
    const std::string id = KeyIn(engine, state);
    EXPECT_EQ(Revoke(engine, id, RevocationReasonCode::kCACompromise), kDone);
    EXPECT_EQ(StateForTest(engine, id), State::kCompromised);
  }
  const std::string destroyed = KeyIn(engine, State::kDestroyed);
  EXPECT_EQ(Revoke(engine, destroyed, RevocationReasonCode::kKeyCompromise), kDone);
  EXPECT_EQ(StateForTest(engine, destroyed), State::kDestroyedCompromised);
  for (const State state : {State::kCompromised, State::kDestroyedCompromised}) {
    EXPECT_EQ(Revoke(engine, KeyIn(engine, state), RevocationReasonCode::kKeyCompromise),
              ResultReason::kWrongKeyLifecycleState);
  }
}

TEST(Revoke, ACompromiseOccurredWhenTheClientSaysOrFromTheBeginning) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  const std::int64_t made = engine.clock().Now();
  engine.clock().Advance(100);
  EXPECT_EQ(Revoke(engine, id, RevocationReasonCode::kKeyCompromise), kDone);
  EXPECT_EQ(ReadForTest(engine, id).Date(Tag::kCompromiseOccurrenceDate), made);
  EXPECT_EQ(ReadForTest(engine, id).Date(Tag::kCompromiseDate), made + 100);
  const std::string other = NewKeyForTest(engine);
  engine.Must<kmip::RevokeResponse>(
      kmip::RevokeRequest{.id = Identifier(other),
                          .reason = RevocationReasonCode::kKeyCompromise,
                          .compromise_occurrence_date = 6});
  EXPECT_EQ(ReadForTest(engine, other).Date(Tag::kCompromiseOccurrenceDate), 6);
}

TEST(Revoke, RefusesUnknownReasonsAndADateWithoutCompromise) {
  EngineForTest engine;
  const std::string id = KeyIn(engine, State::kActive);
  EXPECT_EQ(Revoke(engine, id, static_cast<RevocationReasonCode>(99)), ResultReason::kInvalidField);
  EXPECT_EQ(engine
                .Do(kmip::RevokeRequest{.id = Identifier(id),
                                        .reason = RevocationReasonCode::kSuperseded,
                                        .compromise_occurrence_date = 6})
                .reason,
            ResultReason::kInvalidField);
  EXPECT_EQ(StateForTest(engine, id), State::kActive);
}

TEST(Revoke, AKeyDeactivatedByItsDateCanOnlyBeCompromised) {
  EngineForTest engine;
  const std::int64_t now = engine.clock().Now();
  const std::string id =
      NewKeyForTest(engine, {kmip::Attribute::OfDate(Tag::kActivationDate, now),
                             kmip::Attribute::OfDate(Tag::kDeactivationDate, now + 5)});
  engine.clock().Advance(5);
  EXPECT_EQ(Revoke(engine, id, RevocationReasonCode::kSuperseded),
            ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(Revoke(engine, id, RevocationReasonCode::kKeyCompromise), kDone);
}

TEST(Revoke, OthersMayNot) {
  EngineForTest engine;
  const std::string id = KeyIn(engine, State::kActive);
  EXPECT_EQ(
      engine.Do(kmip::RevokeRequest{.id = Identifier(id)}, kmip::kVersion2_1, "mallory").reason,
      ResultReason::kPermissionDenied);
}

TEST(Destroy, TakesTheMaterialAndLeavesTheAttributes) {
  EngineForTest engine;
  for (const State state : {State::kPreActive, State::kDeactivated, State::kCompromised}) {
    const std::string id = KeyIn(engine, state);
    EXPECT_EQ(Destroy(engine, id), kDone);
    const kmip::AttributeSet all = ReadForTest(engine, id);
    EXPECT_EQ(all.Enum<State>(Tag::kState),
              state == State::kCompromised ? State::kDestroyedCompromised : State::kDestroyed);
    EXPECT_EQ(all.Date(Tag::kDestroyDate), engine.clock().Now());
    EXPECT_TRUE(engine.store().Get(id)->material.empty());
    EXPECT_EQ(engine.Do(kmip::GetRequest{.id = Identifier(id)}, kmip::kVersion2_1).reason,
              ResultReason::kObjectDestroyed);
    EXPECT_EQ(engine.Do(kmip::GetRequest{.id = Identifier(id)}, kmip::kVersion1_4).reason,
              ResultReason::kItemNotFound);
  }
}

TEST(Destroy, RefusesAnActiveKeyAndASecondTime) {
  EngineForTest engine;
  const std::string active = KeyIn(engine, State::kActive);
  EXPECT_EQ(Destroy(engine, active, kmip::kVersion2_1), ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(Destroy(engine, active, kmip::kVersion1_0), ResultReason::kPermissionDenied);
  const std::string gone = KeyIn(engine, State::kDestroyed);
  EXPECT_EQ(Destroy(engine, gone, kmip::kVersion2_1), ResultReason::kObjectDestroyed);
  EXPECT_EQ(Destroy(engine, gone, kmip::kVersion1_4), ResultReason::kPermissionDenied);
  EXPECT_EQ(Destroy(engine, "nobody"), ResultReason::kObjectNotFound);
}

TEST(Destroy, OthersMayNot) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  EXPECT_EQ(
      engine.Do(kmip::DestroyRequest{.id = Identifier(id)}, kmip::kVersion2_1, "mallory").reason,
      ResultReason::kPermissionDenied);
  EXPECT_EQ(StateForTest(engine, id), State::kPreActive);
}

TEST(Destroy, LastsOverARestart) {
  EngineForTest engine;
  const std::string id = KeyIn(engine, State::kDestroyed);
  engine.Restart();
  EXPECT_EQ(StateForTest(engine, id), State::kDestroyed);
}

}  // namespace
}  // namespace dare::engine
