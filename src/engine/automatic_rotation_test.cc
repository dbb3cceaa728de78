#include "engine/automatic_rotation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/caller.h"
#include "engine/doorkeeper.h"
#include "engine/group_commit.h"
#include "engine/kms.h"
#include "engine/operations/key_pairs_for_test.h"
#include "engine/operations/objects_for_test.h"
#include "engine/rotation_rule.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/revoke.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::LinkType;
using kmip::State;
using kmip::Tag;

constexpr std::uint32_t kInterval = 7200;

std::vector<Attribute> Rotating(std::uint32_t interval, std::vector<Attribute> more = {}) {
  more.push_back(Attribute::OfBoolean(Tag::kRotateAutomatic, true));
  more.push_back(Attribute::OfInterval(Tag::kRotateInterval, interval));
  return more;
}

std::size_t Links(const kmip::AttributeSet& attributes, LinkType type) {
  std::size_t count = 0;
  for (const Attribute& attribute : attributes.all()) {
    if (attribute.tag != Tag::kLink) continue;
    auto members = attribute.View().Members();
    count += *members->Enum<LinkType>(Tag::kLinkType) == type ? 1 : 0;
  }
  return count;
}

class SealForTest : public Doorkeeper {
 public:
  std::optional<Refusal> Refuses(const policy::Principal& /*principal*/) override {
    if (!sealed) return std::nullopt;
    return Refusal{Error(Code::kDenied, "sealed"), "sealed"};
  }
  bool sealed = false;
};

class AutomaticRotationTest : public testing::Test {
 protected:
  std::size_t Look(std::uint32_t shortest = 1) {
    if (rotation_ == nullptr) {
      rotation_ = std::make_unique<AutomaticRotation>(
          engine_.kms().store(), engine_.kms().vault(), engine_.clock(),
          RotationOptions{.shortest_seconds = shortest},
          [this](WipingBytes request, std::shared_ptr<const Caller> caller,
                 std::unique_ptr<Completion> completion) {
            if (before_) std::exchange(before_, nullptr)();
            ++submitted_;
            engine_.kms().Submit(std::move(request), std::move(caller), std::move(completion));
          },
          &seal_);
    }
    const Result<std::size_t> rotated = rotation_->Look([] { return false; });
    EXPECT_TRUE(rotated.has_value());
    return rotated.value_or(0);
  }
  std::vector<std::string> Named(const std::string& name) {
    kmip::LocateRequest request;
    request.attributes.Add(Attribute::OfName(name));
    return engine_.Must<kmip::LocateResponse>(request).ids;
  }
  void Revoke(const std::string& id) {
    kmip::RevokeRequest request;
    request.id = Identifier(id);
    request.reason = kmip::RevocationReasonCode::kKeyCompromise;
    engine_.Must<kmip::RevokeResponse>(request);
  }

  EngineForTest engine_;
  SealForTest seal_;
  std::function<void()> before_;  // called once, before the next message is submitted
  int submitted_ = 0;
  std::unique_ptr<AutomaticRotation> rotation_;
};

TEST_F(AutomaticRotationTest, ReplacesAKeyWhenItsIntervalHasPassed) {
  const std::int64_t now = engine_.clock().Now();
  const std::string first = NewKeyForTest(
      engine_,
      Rotating(kInterval, {Attribute::OfName("n"), Attribute::OfDate(Tag::kActivationDate, now)}));
  engine_.clock().Advance(kInterval - 1);
  EXPECT_EQ(Look(), 0u);
  engine_.clock().Advance(1);
  EXPECT_EQ(Look(), 1u);
  const std::vector<std::string> named = Named("n");
  ASSERT_EQ(named.size(), 1u);
  EXPECT_NE(named.front(), first);
  const kmip::AttributeSet next = ReadForTest(engine_, named.front());
  EXPECT_EQ(next.Enum<State>(Tag::kState), State::kActive);
  EXPECT_EQ(next.Integer(Tag::kRotateGeneration), 1);
  EXPECT_EQ(next.Date(Tag::kRotateDate), now + kInterval);
  EXPECT_EQ(next.Boolean(Tag::kRotateLatest), true);
  EXPECT_EQ(ReadForTest(engine_, first).Boolean(Tag::kRotateLatest), false);
  const auto tells = [&](const std::string& line) {
    const auto has = [&](std::string_view part) { return line.find(part) != std::string::npos; };
    return has("\"principal\":\"dare-kms\"") && has("\"rule\":\"automatic rotation\"") &&
           has("\"operation\":\"ReKey\"") && has(first) && has("\"outcome\":\"allowed\"");
  };
  const std::vector<std::string> lines = engine_.AuditLines();
  EXPECT_EQ(std::ranges::count_if(lines, tells), 1);
}

TEST_F(AutomaticRotationTest, GoesOnWithTheSuccessorAlone) {
  NewKeyForTest(engine_, Rotating(kInterval, {Attribute::OfName("n")}));
  for (int generation = 1; generation <= 3; ++generation) {
    engine_.clock().Advance(kInterval);
    EXPECT_EQ(Look(), 1u);
    EXPECT_EQ(Look(), 0u);
    EXPECT_EQ(ReadForTest(engine_, Named("n").front()).Integer(Tag::kRotateGeneration), generation);
  }
  EXPECT_EQ(engine_.store().Count({}).value(), 4u);
}

TEST_F(AutomaticRotationTest, TheNewKeyBelongsToTheOwnerOfTheOld) {
  const std::string id = engine_.AddAesKey(Bytes(32, 7), Rotating(kInterval), "bob");
  engine_.clock().Advance(kInterval);
  EXPECT_EQ(Look(), 1u);
  EXPECT_EQ(engine_.store().Count({.owner = "bob"}).value(), 2u);
}

//= kmip-2.1 4.54 Rotate Offset
//# specifies the Offset value to use in the equivalent of the ReKey
TEST_F(AutomaticRotationTest, UsesTheRotateOffset) {
  const std::int64_t now = engine_.clock().Now();
  NewKeyForTest(engine_, Rotating(kInterval, {Attribute::OfName("n"),
                                              Attribute::OfDate(Tag::kActivationDate, now),
                                              Attribute::OfDate(Tag::kDeactivationDate, now + 9000),
                                              Attribute::OfInterval(Tag::kRotateOffset, 60)}));
  engine_.clock().Advance(kInterval);
  EXPECT_EQ(Look(), 1u);
  const kmip::AttributeSet next = ReadForTest(engine_, Named("n").front());
  EXPECT_EQ(next.Date(Tag::kActivationDate), now + kInterval + 60);
  EXPECT_EQ(next.Date(Tag::kDeactivationDate), now + kInterval + 60 + 9000);
}

TEST_F(AutomaticRotationTest, LeavesOthersAlone) {
  NewKeyForTest(engine_);
  NewKeyForTest(engine_, {Attribute::OfInterval(Tag::kRotateInterval, 1)});
  NewKeyForTest(engine_, {Attribute::OfBoolean(Tag::kRotateAutomatic, true)});
  NewKeyForTest(engine_, Rotating(0));
  const std::string revoked = NewKeyForTest(engine_, Rotating(kInterval));
  Revoke(revoked);
  const std::int64_t now = engine_.clock().Now();
  NewKeyForTest(engine_, Rotating(kInterval, {Attribute::OfDate(Tag::kActivationDate, now),
                                              Attribute::OfDate(Tag::kDeactivationDate, now + 1)}));
  const std::string replaced = NewKeyForTest(engine_, Rotating(2 * kInterval));
  engine_.clock().Advance(kInterval);
  engine_.Must<kmip::ReKeyResponse>(kmip::ReKeyRequest{.id = Identifier(replaced)});
  engine_.clock().Advance(kInterval);
  EXPECT_EQ(Look(), 0u) << "the successor is not old enough";
  EXPECT_EQ(submitted_, 0);
}

TEST_F(AutomaticRotationTest, AnObjectBecomesSoOldAtLeast) {
  NewKeyForTest(engine_, Rotating(1));
  engine_.clock().Advance(3599);
  EXPECT_EQ(Look(3600), 0u);
  engine_.clock().Advance(1);
  EXPECT_EQ(Look(3600), 1u);
}

// Another node, or a client, is faster between the look and the change.
TEST_F(AutomaticRotationTest, NothingIsReplacedTwice) {
  const std::string id = NewKeyForTest(engine_, Rotating(kInterval));
  engine_.clock().Advance(kInterval);
  before_ = [&] { engine_.Must<kmip::ReKeyResponse>(kmip::ReKeyRequest{.id = Identifier(id)}); };
  EXPECT_EQ(Look(), 0u);
  EXPECT_EQ(submitted_, 1);
  EXPECT_EQ(Links(ReadForTest(engine_, id), LinkType::kReplacementObjectLink), 1u);
  EXPECT_EQ(engine_.store().Count({}).value(), 2u);
}

TEST_F(AutomaticRotationTest, ReplacesAPairByItsPrivateKey) {
  const auto pair = engine_.Must<kmip::CreateKeyPairResponse>(
      PairRequestForTest(kmip::CryptographicAlgorithm::kEC, 256, Rotating(kInterval)));
  engine_.clock().Advance(kInterval);
  EXPECT_EQ(Look(), 1u);
  EXPECT_EQ(engine_.store().Count({}).value(), 4u);
  for (const std::string& id : {pair.private_id, pair.public_id}) {
    EXPECT_EQ(Links(ReadForTest(engine_, id), LinkType::kReplacementObjectLink), 1u);
  }
}

TEST_F(AutomaticRotationTest, WaitsWhileTheStoreIsSealed) {
  NewKeyForTest(engine_, Rotating(kInterval));
  engine_.clock().Advance(kInterval);
  seal_.sealed = true;
  EXPECT_EQ(Look(), 0u);
  EXPECT_EQ(submitted_, 0) << "a refusal for each would fill the audit log";
  seal_.sealed = false;
  EXPECT_EQ(Look(), 1u);
}

TEST_F(AutomaticRotationTest, TriesAgainAfterAnHour) {
  // An Offset, and no Activation Date that it could be counted from.
  const std::int64_t now = engine_.clock().Now();
  NewKeyForTest(engine_,
                Rotating(kInterval, {Attribute::OfDate(Tag::kDeactivationDate, now + 1'000'000),
                                     Attribute::OfInterval(Tag::kRotateOffset, 60)}));
  engine_.clock().Advance(kInterval);
  EXPECT_EQ(Look(), 0u);
  EXPECT_EQ(submitted_, 1);
  engine_.clock().Advance(3599);
  EXPECT_EQ(Look(), 0u);
  EXPECT_EQ(submitted_, 1);
  engine_.clock().Advance(1);
  EXPECT_EQ(Look(), 0u);
  EXPECT_EQ(submitted_, 2);
}

TEST_F(AutomaticRotationTest, FindsManyOfManyOwners) {
  for (int i = 0; i < 40; ++i) {
    for (const char* owner : {"alice", "bob", "carol"}) {
      engine_.AddAesKey(Bytes(32, static_cast<std::uint8_t>(i)),
                        Rotating(kInterval + static_cast<std::uint32_t>(i % 3)), owner);
    }
  }
  engine_.clock().Advance(kInterval + 1);
  EXPECT_EQ(Look(), 3u * 27);
  engine_.clock().Advance(1);
  EXPECT_EQ(Look(), 3u * 13);
}

TEST(RotationRule, KeysOfIntervalsAreOrderedAsNumbers) {
  EXPECT_LT(RotationKey(9), RotationKey(10));
  EXPECT_LT(RotationKey(0xFFFF), RotationKey(0x10000));
  EXPECT_EQ(ParseRotationKey(RotationKey(0xFFFFFFFF)), 0xFFFFFFFFu);
  for (const char* wrong : {"", "1", "0000000g", "000000001", "-0000001", "0x000001"}) {
    EXPECT_FALSE(ParseRotationKey(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace dare::engine
