#include "hsm/token_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace dare::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

TokenGuardOptions Options(BoundCalls bound = BoundCalls::kAuto) {
  TokenGuardOptions options;
  options.name = "a";
  options.bound = bound;
  options.call_timeout = seconds(60);
  options.lanes = 2;
  options.breaker.first_wait = seconds(1);
  return options;
}

const auto kWorks = []() -> Result<int> { return 7; };
const auto kGone = []() -> Result<int> { return Error(Code::kUnavailable, "cable pulled"); };
const auto kDamagedRecord = []() -> Result<int> { return Error(Code::kDamaged, "altered"); };

// Without threads of its own the clock may stand still.
class TokenGuardTest : public testing::Test {
 protected:
  ManualClockForTest clock_;
  TokenGuard guard_{Options(), clock_};
};

TEST_F(TokenGuardTest, GivesWhatTheTokenAnswers) {
  EXPECT_EQ(*guard_.Run(kWorks), 7);
  EXPECT_EQ(guard_.Run(kDamagedRecord).error().code, Code::kDamaged);
  const TokenHealth health = guard_.Health();
  EXPECT_EQ(health.calls, 2u);
  EXPECT_EQ(health.failures, 0u) << "an unwelcome answer is an answer";
}

TEST_F(TokenGuardTest, RefusesAtOnceAndTellsWhyOnceTheTokenFails) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(guard_.Run(kGone).error().message, "cable pulled");
  int asked = 0;
  for (int i = 0; i < 10; ++i) {
    const auto refused = guard_.Run([&asked]() -> Result<int> { return ++asked; });
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("HSM 'a'"));
    EXPECT_THAT(refused.error().message, HasSubstr("cable pulled"));
  }
  EXPECT_EQ(asked, 0);
  const TokenHealth health = guard_.Health();
  EXPECT_EQ(health.state, BreakerState::kOpen);
  EXPECT_EQ(health.refused, 10u);
  EXPECT_EQ(health.failures, 3u);
  EXPECT_EQ(health.last_error, "cable pulled");
}

TEST_F(TokenGuardTest, WithoutAProbeOneRequestSeesWhetherItIsBack) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(guard_.Run(kGone).has_value());
  clock_.Advance(1);
  EXPECT_EQ(guard_.Run(kGone).error().message, "cable pulled");
  EXPECT_THAT(guard_.Run(kWorks).error().message, HasSubstr("not asked"));
  clock_.Advance(2);
  EXPECT_TRUE(guard_.Run(kWorks).has_value());
  EXPECT_EQ(guard_.Health().state, BreakerState::kClosed);
}

TEST_F(TokenGuardTest, MakesCallsDirectlyOnceTheTokenProvedPrompt) {
  const auto thread = []() -> Result<std::thread::id> { return std::this_thread::get_id(); };
  EXPECT_NE(*guard_.Run(thread), std::this_thread::get_id());
  EXPECT_TRUE(guard_.Health().bounded);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(guard_.Run(kWorks).has_value());
  EXPECT_EQ(*guard_.Run(thread), std::this_thread::get_id());
  EXPECT_FALSE(guard_.Health().bounded);
  // And not any more once it took its time.
  const auto slow = [this]() -> Result<int> {
    clock_.Advance(1);
    return 0;
  };
  EXPECT_TRUE(guard_.Run(slow).has_value());
  EXPECT_NE(*guard_.Run(thread), std::this_thread::get_id());
}

TEST(TokenGuardBoundTest, NeverMakesThemDirectlyWhereThatIsForbidden) {
  TokenGuard guard(Options(BoundCalls::kAlways), SystemClock::Get());
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(guard.Run(kWorks).has_value());
  EXPECT_TRUE(guard.Health().bounded);
}

// A call that hangs, and everything that must go on meanwhile.
class HangingTokenTest : public testing::Test {
 protected:
  HangingTokenTest() : gate_(opened_.get_future().share()) {}
  auto Hangs() {
    return [gate = gate_]() -> Result<int> {
      gate.wait();
      return 1;
    };
  }
  std::promise<void> opened_;
  std::shared_future<void> gate_;
};

TEST_F(HangingTokenTest, IsGivenUpInTimeAndNotAskedAgain) {
  ManualClockForTest clock;
  TokenGuardOptions options = Options();
  options.call_timeout = milliseconds(500);
  TokenGuard guard(options, clock);
  const auto hung = guard.Run(Hangs());
  ASSERT_FALSE(hung.has_value());
  EXPECT_EQ(hung.error().code, Code::kTimeout);
  EXPECT_THAT(hung.error().message, HasSubstr("HSM 'a'"));
  EXPECT_EQ(guard.Run(kWorks).error().code, Code::kUnavailable);
  EXPECT_EQ(guard.Health().hanging, 1u);
  EXPECT_EQ(guard.Health().overdue, 1u);
  clock.Advance(1);
  EXPECT_TRUE(guard.Run(kWorks).has_value()) << "the other thread is free";
  opened_.set_value();
  while (guard.Health().hanging != 0) std::this_thread::yield();
}

// A direct call cannot be given up, but nobody follows it into the trap.
TEST_F(HangingTokenTest, KeepsOthersAwayFromADirectCallThatHangs) {
  ManualClockForTest clock;
  TokenGuardOptions options = Options();
  options.call_timeout = seconds(2);
  TokenGuard guard(options, clock);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(guard.Run(kWorks).has_value());
  std::promise<void> began;
  std::jthread first([&] {
    const auto hangs = [&began, gate = gate_]() -> Result<int> {
      began.set_value();
      gate.wait();
      return 1;
    };
    EXPECT_TRUE(guard.Run(hangs).has_value());
  });
  began.get_future().wait();
  clock.Advance(1);
  const auto thread = []() -> Result<std::thread::id> { return std::this_thread::get_id(); };
  EXPECT_NE(*guard.Run(thread), std::this_thread::get_id()) << "it stands still: bounded now";
  clock.Advance(3);
  EXPECT_EQ(guard.Run(kWorks).error().code, Code::kUnavailable);
  EXPECT_EQ(guard.Health().state, BreakerState::kOpen);
  opened_.set_value();
}

TEST(TokenGuardProbeTest, AProbeAsksByItselfAndRequestsDoNot) {
  TokenGuardOptions options = Options();
  options.breaker.first_wait = milliseconds(1);
  options.breaker.most_wait = milliseconds(5);
  TokenGuard guard(options, SystemClock::Get());
  std::atomic<bool> well = false;
  std::atomic<int> probes = 0;
  const auto duty = guard.ProbeWith([&]() -> Result<void> {
    ++probes;
    if (!well) return Error(Code::kUnavailable, "still away");
    return {};
  });
  for (int i = 0; i < 3; ++i) (void)guard.Run(kGone);
  while (probes < 3) {
    EXPECT_EQ(guard.Run(kWorks).error().code, Code::kUnavailable);
    std::this_thread::yield();
  }
  EXPECT_EQ(guard.Health().last_error, "still away");
  well = true;
  while (guard.open()) std::this_thread::yield();
  EXPECT_TRUE(guard.Run(kWorks).has_value());
}

TEST(TokenGuardProbeTest, ATokenThatIsTooSlowForRequestsIsNotBack) {
  ManualClockForTest clock;
  TokenGuard guard(Options(), clock);
  int takes = 61;  // seconds; call_timeout is 60
  const auto duty = guard.ProbeWith([&]() -> Result<void> {
    clock.Advance(takes);
    return {};
  });
  guard.TakeOut(Error(Code::kUnavailable, "cable pulled"));
  clock.Advance(1);
  while (guard.Health().failures == 0) guard.ProbeNow();
  EXPECT_TRUE(guard.open());
  EXPECT_THAT(guard.Health().last_error, HasSubstr("slower"));
}

TEST(TokenGuardProbeTest, NoticesThatAnIdleTokenWentAway) {
  TokenGuardOptions options = Options();
  options.idle_check = milliseconds(1);
  options.breaker.first_wait = milliseconds(1);
  TokenGuard guard(options, SystemClock::Get());
  const auto duty =
      guard.ProbeWith([]() -> Result<void> { return Error(Code::kUnavailable, "cable pulled"); });
  while (!guard.open()) std::this_thread::yield();
  EXPECT_THAT(guard.Run(kWorks).error().message, HasSubstr("cable pulled"));
}

// Two keys in one token, each with a probe of its own.
TEST(TokenGuardProbeTest, IsBackWhenEveryProbeIsAnswered) {
  ManualClockForTest clock;
  TokenGuard guard(Options(), clock);
  std::atomic<bool> away = true;
  const auto first = guard.ProbeWith([]() -> Result<void> { return {}; });
  auto second = guard.ProbeWith([&]() -> Result<void> {
    if (away) return Error(Code::kUnavailable, "cable pulled");
    return {};
  });
  guard.TakeOut(Error(Code::kUnavailable, "cable pulled"));
  clock.Advance(1);
  while (guard.Health().failures == 0) guard.ProbeNow();
  EXPECT_TRUE(guard.open());
  second.reset();
  clock.Advance(2);
  while (guard.open()) guard.ProbeNow();
  EXPECT_TRUE(guard.Run(kWorks).has_value());
}

// What is wrong with one key in it must not keep anybody from the others.
TEST(TokenGuardProbeTest, AKeyThatIsGoneIsNoTroubleOfTheToken) {
  TokenGuardOptions options = Options();
  options.idle_check = milliseconds(1);
  TokenGuard guard(options, SystemClock::Get());
  std::atomic<int> probes = 0;
  const auto duty = guard.ProbeWith([&]() -> Result<void> {
    ++probes;
    return Error(Code::kNotFound, "the key was removed");
  });
  duty->Wait(true);
  const auto gone = []() -> Result<int> { return Error(Code::kConflict, "another key"); };
  while (probes < 3) EXPECT_EQ(guard.Run(gone).error().code, Code::kConflict);
  EXPECT_FALSE(guard.open());
  EXPECT_EQ(guard.Health().failures, 0u);
}

TEST(TokenGuardProbeTest, ThatMakingAKeyTakesLongSaysNothing) {
  ManualClockForTest clock;
  TokenGuard guard(Options(), clock);
  for (int i = 0; i < 10; ++i) {
    const auto made = guard.MakeKey([&]() -> Result<int> {
      clock.Advance(50);
      return 1;
    });
    EXPECT_TRUE(made.has_value());
  }
  EXPECT_FALSE(guard.open());
  EXPECT_EQ(guard.Health().slow, 0u);
}

}  // namespace
}  // namespace dare::hsm
