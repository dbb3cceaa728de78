#include "hsm/circuit_breaker.h"

#include <gtest/gtest.h>

namespace dare::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The clock of tests counts whole seconds.
CircuitBreakerOptions Options() {
  CircuitBreakerOptions options;
  options.failures_to_open = 3;
  options.slow_to_open = 2;
  options.slow = seconds(1);
  options.first_wait = seconds(1);
  options.most_wait = seconds(4);
  return options;
}

class CircuitBreakerTest : public testing::Test {
 protected:
  void FailOnce() { breaker_.Failed(*breaker_.Admit(false)); }
  void OpenIt() { breaker_.Hung(*breaker_.Admit(false)); }

  ManualClockForTest clock_;
  CircuitBreaker breaker_{Options(), clock_};
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARowOnly) {
  FailOnce();
  FailOnce();
  breaker_.Answered(*breaker_.Admit(false), milliseconds(1));
  FailOnce();
  FailOnce();
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  FailOnce();
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  EXPECT_FALSE(breaker_.Admit(false).has_value());
  EXPECT_FALSE(breaker_.Admit(true).has_value()) << "a probe waits for its time, too";
}

TEST_F(CircuitBreakerTest, OpensAtOnceWhenACallHangs) {
  OpenIt();
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker_.wait(), seconds(1));
}

TEST_F(CircuitBreakerTest, OpensAfterSlowAnswersInARow) {
  breaker_.Answered(*breaker_.Admit(false), seconds(2));
  breaker_.Answered(*breaker_.Admit(false), milliseconds(2));
  breaker_.Answered(*breaker_.Admit(false), seconds(2));
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  breaker_.Answered(*breaker_.Admit(false), seconds(2));
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, LetsOneProbeAtATimeAsk) {
  OpenIt();
  clock_.Advance(1);
  EXPECT_FALSE(breaker_.Admit(false).has_value()) << "a request is no probe";
  const auto probe = breaker_.Admit(true);
  ASSERT_TRUE(probe.has_value());
  EXPECT_TRUE(probe->probe);
  EXPECT_EQ(breaker_.state(), BreakerState::kHalfOpen);
  EXPECT_FALSE(breaker_.Admit(true).has_value());
  breaker_.Answered(*probe, milliseconds(1));
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
  EXPECT_TRUE(breaker_.Admit(false).has_value());
}

TEST_F(CircuitBreakerTest, WaitsTwiceAsLongAfterEachFailedProbeUpToItsBound) {
  OpenIt();
  for (const int wait : {1, 2, 4, 4}) {
    EXPECT_EQ(breaker_.wait(), seconds(wait));
    clock_.Advance(wait - 1);
    EXPECT_FALSE(breaker_.Admit(true).has_value());
    clock_.Advance(1);
    const auto probe = breaker_.Admit(true);
    ASSERT_TRUE(probe.has_value());
    breaker_.Failed(*probe);
    EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  }
  clock_.Advance(4);
  breaker_.Answered(*breaker_.Admit(true), milliseconds(1));
  OpenIt();
  EXPECT_EQ(breaker_.wait(), seconds(1)) << "it begins anew once it worked";
}

TEST_F(CircuitBreakerTest, DoesNotHeedCallsFromBeforeItOpened) {
  const auto before = breaker_.Admit(false);
  OpenIt();
  breaker_.Answered(*before, milliseconds(1));
  EXPECT_EQ(breaker_.state(), BreakerState::kOpen);
  clock_.Advance(1);
  const auto probe = breaker_.Admit(true);
  breaker_.Failed(*before);
  EXPECT_EQ(breaker_.state(), BreakerState::kHalfOpen) << "only the probe decides";
  breaker_.Answered(*probe, milliseconds(1));
  EXPECT_EQ(breaker_.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, TellsSinceWhenTheTokenIsAway) {
  clock_.Advance(100);
  const std::int64_t went = clock_.Now();
  OpenIt();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(10);
    breaker_.Failed(*breaker_.Admit(true));
    EXPECT_EQ(breaker_.since(), went);
  }
  clock_.Advance(10);
  breaker_.Answered(*breaker_.Admit(true), milliseconds(1));
  EXPECT_EQ(breaker_.since(), clock_.Now());
}

}  // namespace
}  // namespace dare::hsm
