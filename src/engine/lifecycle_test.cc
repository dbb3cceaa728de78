// The life of an object: every trigger in every state against the transitions of the standards
// (../shared/kmip/spec/lifecycle.json; the rules below are its list), and what a key may do in
// each.
#include "engine/lifecycle.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/decrypt.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/modify_attribute.h"
#include "kmip/payloads/revoke.h"
#include "kmip/payloads/set_attribute.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::ResultReason;
using kmip::State;
using kmip::Tag;

constexpr State kStates[] = {State::kPreActive,   State::kActive,    State::kDeactivated,
                             State::kCompromised, State::kDestroyed, State::kDestroyedCompromised};

// What can be done to an object, or happens to it.
enum class Trigger {
  kActivate,
  kRevokeCeased,       // Cessation Of Operation
  kRevokeCompromised,  // Key Compromise
  kDestroy,
  kActivationPasses,    // a date that was set ahead
  kDeactivationPasses,  //
};
constexpr Trigger kTriggers[] = {Trigger::kActivate,          Trigger::kRevokeCeased,
                                 Trigger::kRevokeCompromised, Trigger::kDestroy,
                                 Trigger::kActivationPasses,  Trigger::kDeactivationPasses};

// kmip-2.1 4.57: the transitions, and no others. A trigger that is not here leaves the state alone;
// an operation is refused then.
const std::map<std::pair<State, Trigger>, State> kTransitions = {
    {{State::kPreActive, Trigger::kDestroy}, State::kDestroyed},                      // 2
    {{State::kPreActive, Trigger::kRevokeCompromised}, State::kCompromised},          // 3
    {{State::kPreActive, Trigger::kActivate}, State::kActive},                        // 4
    {{State::kPreActive, Trigger::kActivationPasses}, State::kActive},                // 4
    {{State::kActive, Trigger::kRevokeCompromised}, State::kCompromised},             // 5
    {{State::kActive, Trigger::kRevokeCeased}, State::kDeactivated},                  // 6
    {{State::kActive, Trigger::kDeactivationPasses}, State::kDeactivated},            // 6
    {{State::kDeactivated, Trigger::kDestroy}, State::kDestroyed},                    // 7
    {{State::kDeactivated, Trigger::kRevokeCompromised}, State::kCompromised},        // 8
    {{State::kCompromised, Trigger::kDestroy}, State::kDestroyedCompromised},         // 9
    {{State::kDestroyed, Trigger::kRevokeCompromised}, State::kDestroyedCompromised}  // 10
};

class Lifecycle : public testing::Test {
 protected:
  ItemForTest Revoke(const std::string& id, kmip::RevocationReasonCode code) {
    kmip::RevokeRequest request;
    request.id = Identifier(id);
    request.reason = code;
    return engine_.Do(request, version_);
  }
  ItemForTest Destroy(const std::string& id) {
    return engine_.Do(kmip::DestroyRequest{.id = Identifier(id)}, version_);
  }
  ItemForTest Activate(const std::string& id) {
    return engine_.Do(kmip::ActivateRequest{.id = Identifier(id)}, version_);
  }

  // A new object that was brought into this state by operations alone.
  std::string In(State state, const std::vector<Attribute>& attributes = {}) {
    const std::string id = NewKeyForTest(engine_, attributes);
    using Code = kmip::RevocationReasonCode;
    if (state == State::kActive || state == State::kDeactivated) {
      EXPECT_TRUE(Activate(id).success);
    }
    if (state == State::kDeactivated) {
      EXPECT_TRUE(Revoke(id, Code::kCessationOfOperation).success);
    }
    if (state == State::kCompromised || state == State::kDestroyedCompromised) {
      EXPECT_TRUE(Revoke(id, Code::kKeyCompromise).success);
    }
    if (IsDestroyed(state)) {
      EXPECT_TRUE(Destroy(id).success);
    }
    EXPECT_EQ(StateForTest(engine_, id), state);
    return id;
  }

  // Whether the object took it; a date that passes asks nobody.
  bool Pull(Trigger trigger, const std::string& id) {
    using Code = kmip::RevocationReasonCode;
    switch (trigger) {
      case Trigger::kActivate:
        return Activate(id).success;
      case Trigger::kRevokeCeased:
        return Revoke(id, Code::kCessationOfOperation).success;
      case Trigger::kRevokeCompromised:
        return Revoke(id, Code::kKeyCompromise).success;
      case Trigger::kDestroy:
        return Destroy(id).success;
      case Trigger::kActivationPasses:
      case Trigger::kDeactivationPasses:
        engine_.clock().Advance(1000);
        return true;
    }
    return false;
  }

  EngineForTest engine_;
  kmip::ProtocolVersion version_ = kmip::kVersion2_1;
};

TEST_F(Lifecycle, EveryTriggerInEveryStateDoesWhatTheTableSaysAndNothingElse) {
  for (const kmip::ProtocolVersion version :
       {kmip::kVersion1_0, kmip::kVersion1_4, kmip::kVersion2_0, kmip::kVersion2_1}) {
    version_ = version;
    for (const State state : kStates) {
      for (const Trigger trigger : kTriggers) {
        SCOPED_TRACE(testing::Message()
                     << "KMIP " << version.major << "." << version.minor << " state "
                     << static_cast<int>(state) << " trigger " << static_cast<int>(trigger));
        std::vector<Attribute> dates;
        if (trigger == Trigger::kActivationPasses) {
          dates = {Attribute::OfDate(Tag::kActivationDate, engine_.clock().Now() + 500)};
        } else if (trigger == Trigger::kDeactivationPasses) {
          dates = {Attribute::OfDate(Tag::kDeactivationDate, engine_.clock().Now() + 500)};
        }
        const std::string id = In(state, dates);
        const bool taken = Pull(trigger, id);
        const auto transition = kTransitions.find({state, trigger});
        const State expected = transition == kTransitions.end() ? state : transition->second;
        EXPECT_EQ(StateForTest(engine_, id), expected);
        const bool asks =
            trigger != Trigger::kActivationPasses && trigger != Trigger::kDeactivationPasses;
        // What is compromised already may be said to be so once more.
        const bool again = trigger == Trigger::kRevokeCompromised &&
                           (state == State::kCompromised || state == State::kDestroyedCompromised);
        if (asks && !again) {
          EXPECT_EQ(taken, transition != kTransitions.end());
        }
      }
    }
  }
}

// The file the table was taken from has as many transitions as there are numbers above, and names
// the same states; a change there shows here.
TEST_F(Lifecycle, TheTableIsThatOfTheExtract) {
  std::ifstream file(DARE_SHARED_DIR "/kmip/spec/lifecycle.json");
  if (!file) GTEST_SKIP() << "no ../shared here: the transitions are not compared";
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::set<std::pair<std::string, std::string>> pairs;
  const auto value = [&](std::size_t from, const std::string& key) {
    const std::size_t at = text.find("\"" + key + "\":", from);
    const std::size_t begin = text.find_first_not_of(" ", at + key.size() + 3);
    return text.substr(begin, text.find_first_of(",\n", begin) - begin);
  };
  for (std::size_t at = text.find("\"n\":"); at != std::string::npos;
       at = text.find("\"n\":", at + 1)) {
    pairs.emplace(value(at, "from"), value(at, "to"));
  }
  std::set<std::pair<std::string, std::string>> ours = {{"null", "\"PreActive\""}};
  const std::map<State, std::string> names = {
      {State::kPreActive, "\"PreActive\""},
      {State::kActive, "\"Active\""},
      {State::kDeactivated, "\"Deactivated\""},
      {State::kCompromised, "\"Compromised\""},
      {State::kDestroyed, "\"Destroyed\""},
      {State::kDestroyedCompromised, "\"DestroyedCompromised\""}};
  for (const auto& [from, to] : kTransitions) ours.emplace(names.at(from.first), names.at(to));
  EXPECT_EQ(pairs, ours);
}

TEST_F(Lifecycle, ARefusalNamesTheStateInTheWordsOfTheVersion) {
  const std::string active = In(State::kActive);
  EXPECT_EQ(Activate(active).reason, ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(Destroy(active).reason, ResultReason::kWrongKeyLifecycleState);
  const std::string destroyed = In(State::kDestroyed);
  EXPECT_EQ(Destroy(destroyed).reason, ResultReason::kObjectDestroyed);
  version_ = kmip::kVersion1_2;
  EXPECT_EQ(Activate(active).reason, ResultReason::kPermissionDenied);
  EXPECT_EQ(Destroy(active).reason, ResultReason::kPermissionDenied);
  EXPECT_EQ(Destroy(destroyed).reason, ResultReason::kPermissionDenied);
}

TEST_F(Lifecycle, OnlyAnActiveKeyProtectsAndWhatIsGoneProcessesNothing) {
  for (const State state : kStates) {
    SCOPED_TRACE(static_cast<int>(state));
    const std::string id = In(state);
    kmip::EncryptRequest encrypt;
    encrypt.id = Identifier(id);
    encrypt.parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kGCM;
    encrypt.parameters->random_iv = true;
    encrypt.parameters->tag_length = 16;
    const Bytes data(16, 7);
    encrypt.data = ByteView(data);
    EXPECT_EQ(engine_.Do(encrypt).success, state == State::kActive);
    kmip::AttributeSet attributes = ReadForTest(engine_, id);
    EXPECT_EQ(CheckMayProtect(attributes, engine_.clock().Now()).has_value(),
              state == State::kActive);
    // A key that a person revoked is out of use at once (docs/decisions/revoked-keys.md).
    EXPECT_EQ(CheckMayProcess(attributes, engine_.clock().Now()).has_value(),
              state == State::kActive);
  }
}

TEST_F(Lifecycle, AKeyWhoseDatePassedStillProcesses) {
  const std::string id =
      In(State::kActive, {Attribute::OfDate(Tag::kDeactivationDate, engine_.clock().Now() + 500)});
  engine_.clock().Advance(1000);
  const kmip::AttributeSet attributes = ReadForTest(engine_, id);
  EXPECT_EQ(attributes.Enum<State>(Tag::kState), State::kDeactivated);
  EXPECT_FALSE(CheckMayProtect(attributes, engine_.clock().Now()));
  EXPECT_TRUE(CheckMayProcess(attributes, engine_.clock().Now()));
}

TEST_F(Lifecycle, NobodyWritesTheStateItself) {
  const std::string id = In(State::kPreActive);
  const Attribute active = EnumForTest(Tag::kState, State::kActive);
  EXPECT_FALSE(
      engine_.Do(kmip::SetAttributeRequest{.id = Identifier(id), .attribute = {active}}).success);
  kmip::ModifyAttributeRequest modify;
  modify.id = Identifier(id);
  modify.attribute.attribute = active;
  EXPECT_FALSE(engine_.Do(modify).success);
  EXPECT_EQ(StateForTest(engine_, id), State::kPreActive);
}

}  // namespace
}  // namespace dare::engine
