#include "hsm/failover_sealer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "hsm/memory_sealer_for_test.h"
#include "hsm/sealed_record.h"

namespace dare::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// A token whose troubles are scripted; what it seals, every token with the same key opens.
class TokenForTest : public Sealer {
 public:
  explicit TokenForTest(std::shared_ptr<MemorySealerForTest> key) : key_(std::move(key)) {}

  Result<Bytes> Seal(ByteView aad, ByteView secret) override {
    ++asked;
    if (trouble) return Error(*trouble, name + " says no");
    WaitWhileHanging();
    return key_->Seal(aad, secret);
  }
  Result<SecretBytes> Open(ByteView aad, ByteView sealed) override {
    ++asked;
    if (trouble) return Error(*trouble, name + " says no");
    WaitWhileHanging();
    return key_->Open(aad, sealed);
  }
  SealerInfo info() const override { return key_->info(); }
  std::uint64_t seals() const override { return key_->seals(); }

  void Break(Code code) { trouble = code; }
  void Mend() { trouble.reset(); }
  void Hang() { gate_ = opened_.get_future().share(); }
  void LetGo() { opened_.set_value(); }

  std::string name = "the token";
  std::atomic<int> asked = 0;
  std::optional<Code> trouble;  // changed only while nobody asks

 private:
  void WaitWhileHanging() const {
    if (gate_.valid()) gate_.wait();
  }
  const std::shared_ptr<MemorySealerForTest> key_;
  std::promise<void> opened_;
  std::shared_future<void> gate_;
};

class FailoverSealerTest : public testing::Test {
 protected:
  FailoverSealerTest() : key_(MemorySealerForTest::Make()) {
    for (auto& token : tokens_) token = std::make_shared<TokenForTest>(key_);
  }

  // Probes by themselves only where the test waits for them.
  TokenSeat Seat(int n) {
    TokenGuardOptions options;
    options.name = std::string(1, static_cast<char>('a' + n));
    options.call_timeout = call_timeout_;
    options.idle_check = idle_check_;
    options.breaker.failures_to_open = 1;
    options.breaker.first_wait = first_wait_;
    options.breaker.most_wait = seconds(3600);
    guards_[n] = std::make_shared<TokenGuard>(options, SystemClock::Get());
    return {guards_[n], [this, n]() -> Result<std::shared_ptr<Sealer>> {
              ++opened_[n];
              if (missing_[n]) return Error(*missing_[n], "no such token");
              return std::shared_ptr<Sealer>(tokens_[n]);
            }};
  }
  Result<std::unique_ptr<FailoverSealer>> TryMake(int seats = 2) {
    std::vector<TokenSeat> wanted;
    for (int n = 0; n < seats; ++n) wanted.push_back(Seat(n));
    return FailoverSealer::Make(std::move(wanted));
  }
  std::unique_ptr<FailoverSealer> Make(int seats = 2) {
    auto made = TryMake(seats);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    for (auto& token : tokens_) token->asked = 0;
    return *std::move(made);
  }

  const ByteView aad_ = AsBytes("object 1");
  const ByteView secret_ = AsBytes("a key");
  milliseconds first_wait_ = seconds(3600);
  milliseconds idle_check_ = seconds(3600);
  milliseconds call_timeout_ = seconds(60);
  std::shared_ptr<MemorySealerForTest> key_;
  std::array<std::shared_ptr<TokenForTest>, 3> tokens_;
  std::array<std::shared_ptr<TokenGuard>, 3> guards_;
  std::array<std::atomic<int>, 3> opened_{};
  std::array<std::optional<Code>, 3> missing_;
};

TEST_F(FailoverSealerTest, UsesHealthyTokensSideBySide) {
  const auto sealer = Make(3);
  for (int i = 0; i < 30; ++i) {
    const auto sealed = sealer->Seal(aad_, secret_);
    ASSERT_TRUE(sealed.has_value());
    EXPECT_TRUE(sealer->Open(aad_, *sealed).has_value());
  }
  for (const auto& token : tokens_) EXPECT_GT(token->asked, 0);
}

TEST_F(FailoverSealerTest, AsksTheNextOneWhenATokenIsInTroubleAndThenLeavesItOut) {
  for (const Code code : {Code::kUnavailable, Code::kTimeout, Code::kUnauthenticated,
                          Code::kNotFound, Code::kConflict, Code::kDenied}) {
    SCOPED_TRACE(CodeName(code));
    const auto sealer = Make();
    const Bytes sealed = *sealer->Seal(aad_, secret_);
    tokens_[0]->asked = 0;
    tokens_[0]->Break(code);
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(sealer->Seal(aad_, secret_).has_value());
      EXPECT_TRUE(sealer->Open(aad_, sealed).has_value());
    }
    EXPECT_EQ(tokens_[0]->asked, 1) << "left out after its first failure";
    const SealerHealth health = sealer->Health();
    EXPECT_TRUE(health.can_seal);
    // What is wrong with the key alone is no trouble of the token, which others use, too.
    const bool key = code == Code::kNotFound || code == Code::kConflict || code == Code::kDenied;
    EXPECT_EQ(health.tokens[0].state, key ? BreakerState::kClosed : BreakerState::kOpen);
    EXPECT_EQ(health.tokens[1].state, BreakerState::kClosed);
    EXPECT_THAT(health.tokens[0].last_error, HasSubstr("says no"));
    tokens_[0]->Mend();
  }
}

TEST_F(FailoverSealerTest, TakesAnAnswerForAnAnswer) {
  const auto sealer = Make();
  Bytes sealed = *sealer->Seal(aad_, secret_);
  sealed.back() ^= 1;
  for (auto& token : tokens_) token->asked = 0;
  EXPECT_EQ(sealer->Open(aad_, sealed).error().code, Code::kDamaged);
  EXPECT_EQ(tokens_[0]->asked + tokens_[1]->asked, 1) << "damaged is never asked of another";
  EXPECT_EQ(sealer->Seal(aad_, {}).error().code, Code::kInvalidArgument);
  for (const auto& token : sealer->Health().tokens) EXPECT_EQ(token.state, BreakerState::kClosed);
}

TEST_F(FailoverSealerTest, ARecordOfAnotherKeyIsNoTroubleOfAToken) {
  const auto sealer = Make();
  const Bytes foreign = *MemorySealerForTest::Make()->Seal(aad_, secret_);
  EXPECT_EQ(sealer->Open(aad_, foreign).error().code, Code::kNotFound);
  for (const auto& token : sealer->Health().tokens) EXPECT_EQ(token.failures, 0u);
}

TEST_F(FailoverSealerTest, FailsAtOnceWithEveryReasonWhenNoTokenIsLeft) {
  const auto sealer = Make();
  for (int n = 0; n < 2; ++n) {
    tokens_[n]->name = guards_[n]->called();
    tokens_[n]->Break(Code::kNotFound);
  }
  EXPECT_EQ(sealer->Seal(aad_, secret_).error().code, Code::kUnavailable);
  const auto refused = sealer->Seal(aad_, secret_);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("'a' says no"));
  EXPECT_THAT(refused.error().message, HasSubstr("'b' says no"));
  EXPECT_EQ(tokens_[0]->asked + tokens_[1]->asked, 2);
  EXPECT_FALSE(sealer->Health().can_seal);
}

TEST_F(FailoverSealerTest, ATokenComesBackByItself) {
  first_wait_ = milliseconds(1);
  const auto sealer = Make();
  missing_[0] = Code::kInternal;  // to see that it is not opened anew
  guards_[0]->TakeOut(Error(Code::kUnavailable, "cable pulled"));
  while (guards_[0]->open()) std::this_thread::yield();
  EXPECT_TRUE(sealer->Seal(aad_, secret_).has_value());
  EXPECT_EQ(opened_[0], 1);
}

TEST_F(FailoverSealerTest, AKeyComesBackByItself) {
  idle_check_ = milliseconds(1);
  const auto sealer = Make(1);
  tokens_[0]->Break(Code::kConflict);
  EXPECT_EQ(sealer->Seal(aad_, secret_).error().code, Code::kUnavailable);
  EXPECT_FALSE(sealer->Health().can_seal);
  EXPECT_FALSE(guards_[0]->open());
  tokens_[0]->Mend();
  while (!sealer->Health().can_seal) std::this_thread::yield();
  EXPECT_TRUE(sealer->Seal(aad_, secret_).has_value());
}

// Two generations of the key, as during a rotation.
TEST_F(FailoverSealerTest, WhatOneKeyLearnsOfATokenTheOtherKnows) {
  const auto sealer = Make(2);
  std::vector<TokenSeat> seats;
  for (int n = 0; n < 2; ++n) {
    seats.push_back({guards_[n], [this, n]() -> Result<std::shared_ptr<Sealer>> {
                       return std::shared_ptr<Sealer>(tokens_[n]);
                     }});
  }
  const auto other = *FailoverSealer::Make(std::move(seats));
  tokens_[0]->Break(Code::kUnavailable);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(sealer->Seal(aad_, secret_).has_value());
  tokens_[0]->asked = 0;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(other->Seal(aad_, secret_).has_value());
  EXPECT_EQ(tokens_[0]->asked, 0);
}

TEST_F(FailoverSealerTest, MovesOnWhenATokenHangs) {
  call_timeout_ = milliseconds(500);
  const auto sealer = Make();
  tokens_[0]->Hang();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(sealer->Seal(aad_, secret_).has_value());
  EXPECT_EQ(tokens_[0]->asked, 1);
  EXPECT_EQ(sealer->Health().tokens[0].hanging, 1u);
  tokens_[0]->LetGo();
  while (sealer->Health().tokens[0].hanging != 0) std::this_thread::yield();
}

TEST_F(FailoverSealerTest, StartsWithoutATokenThatComesLater) {
  first_wait_ = milliseconds(1);
  missing_[1] = Code::kUnavailable;
  std::vector<TokenSeat> seats;
  seats.push_back(Seat(0));
  seats.push_back(Seat(1));
  std::atomic<bool> there = false;
  seats[1].open = [&]() -> Result<std::shared_ptr<Sealer>> {
    if (!there) return Error(Code::kUnavailable, "no such token");
    return std::shared_ptr<Sealer>(tokens_[1]);
  };
  const auto sealer = *FailoverSealer::Make(std::move(seats));
  EXPECT_TRUE(sealer->Seal(aad_, secret_).has_value());
  EXPECT_EQ(sealer->Health().tokens[1].state, BreakerState::kOpen);
  there = true;
  while (guards_[1]->open()) std::this_thread::yield();
  const int before = tokens_[1]->asked;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(sealer->Seal(aad_, secret_).has_value());
  EXPECT_GT(tokens_[1]->asked, before);
}

TEST_F(FailoverSealerTest, NeverTriesAgainWhereThePinWasRefused) {
  first_wait_ = milliseconds(1);
  std::vector<TokenSeat> seats;
  seats.push_back(Seat(0));
  seats.push_back(Seat(1));
  std::atomic<int> logins = 0;
  seats[1].open = [&]() -> Result<std::shared_ptr<Sealer>> {
    if (++logins == 1) return Error(Code::kUnavailable, "no such token");
    return Error(Code::kUnauthenticated, "CKR_PIN_INCORRECT");
  };
  const auto sealer = *FailoverSealer::Make(std::move(seats));
  const auto failed = [&] { return guards_[1]->Health().failures; };
  while (failed() < 6) std::this_thread::yield();
  EXPECT_EQ(logins, 2);
}

TEST_F(FailoverSealerTest, RefusesToStartWhenAPinOrKeyIsWrong) {
  for (const Code code : {Code::kUnauthenticated, Code::kDenied, Code::kNotFound}) {
    missing_[1] = code;
    EXPECT_EQ(TryMake().error().code, code);
  }
  missing_[1] = Code::kUnavailable;
  EXPECT_TRUE(TryMake().has_value());
  missing_[0] = Code::kUnavailable;
  EXPECT_EQ(TryMake().error().code, Code::kUnavailable);
  EXPECT_EQ(FailoverSealer::Make({}).error().code, Code::kInvalidArgument);
}

// Has the id and check value of one key, and is another.
class ImpostorForTest : public TokenForTest {
 public:
  ImpostorForTest(std::shared_ptr<MemorySealerForTest> key, SealerInfo shown)
      : TokenForTest(std::move(key)), shown_(std::move(shown)) {}
  SealerInfo info() const override { return shown_; }

 private:
  const SealerInfo shown_;
};

TEST_F(FailoverSealerTest, RefusesATokenWithAnotherKey) {
  const std::shared_ptr<MemorySealerForTest> other = MemorySealerForTest::Make();
  tokens_[1] = std::make_shared<TokenForTest>(other);
  EXPECT_THAT(TryMake().error().message, HasSubstr(ToHex(other->info().key_id)));

  SealerInfo wrong_check = key_->info();
  tokens_[0] = std::make_shared<ImpostorForTest>(key_, [&] {
    SealerInfo info = key_->info();
    info.check_value = {1, 2, 3};
    return info;
  }());
  wrong_check.check_value = {1, 2, 4};
  tokens_[1] = std::make_shared<ImpostorForTest>(key_, wrong_check);
  EXPECT_THAT(TryMake().error().message, HasSubstr("check value 010204"));

  // The id and the check value are only claims.
  tokens_[0] = std::make_shared<TokenForTest>(key_);
  tokens_[1] = std::make_shared<ImpostorForTest>(other, key_->info());
  const auto refused = TryMake();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().code, testing::AnyOf(Code::kConflict, Code::kNotFound));
}

}  // namespace
}  // namespace dare::hsm
