#include "server/timers.h"

#include <gtest/gtest.h>

namespace dare::server {
namespace {

using std::chrono::seconds;

class TimersTest : public testing::Test {
 protected:
  TimerLists lists_{{seconds(10), seconds(5), seconds(600), seconds(30), seconds(2), seconds(1)}};
  TimePoint start_;
};

TEST_F(TimersTest, GivesWhatRanOutAndNothingElse) {
  Timer a, b;
  lists_.Start(a, TimerKind::kMessage, start_);
  lists_.Start(b, TimerKind::kHandshake, start_);
  EXPECT_EQ(*lists_.NextDeadline(), start_ + seconds(5));
  EXPECT_EQ(lists_.Pop(start_ + seconds(4)), nullptr);
  EXPECT_EQ(lists_.Pop(start_ + seconds(5)), &a);
  EXPECT_EQ(lists_.Pop(start_ + seconds(5)), nullptr);
  EXPECT_EQ(lists_.Pop(start_ + seconds(10)), &b);
  EXPECT_FALSE(lists_.NextDeadline());
}

TEST_F(TimersTest, MovesATimerThatStartsAgain) {
  Timer a, b;
  lists_.Start(a, TimerKind::kIdle, start_);
  lists_.Start(b, TimerKind::kIdle, start_ + seconds(1));
  lists_.Start(a, TimerKind::kIdle, start_ + seconds(2));
  EXPECT_EQ(lists_.Pop(start_ + seconds(601)), &b);
  EXPECT_EQ(lists_.Pop(start_ + seconds(601)), nullptr);
  EXPECT_EQ(lists_.Pop(start_ + seconds(602)), &a);
}

TEST_F(TimersTest, ForgetsARemovedTimer) {
  Timer a;
  lists_.Start(a, TimerKind::kWrite, start_);
  lists_.Remove(a);
  lists_.Remove(a);
  EXPECT_EQ(lists_.Pop(start_ + seconds(1000)), nullptr);
  lists_.Start(a, TimerKind::kNone, start_);
  EXPECT_FALSE(lists_.NextDeadline());
}

TEST_F(TimersTest, CountsWhatRunsAndKnowsTheOldest) {
  Timer a, b;
  EXPECT_EQ(lists_.Oldest(TimerKind::kHandshake), nullptr);
  lists_.Start(a, TimerKind::kHandshake, start_);
  lists_.Start(b, TimerKind::kHandshake, start_);
  EXPECT_EQ(lists_.Count(TimerKind::kHandshake), 2u);
  EXPECT_EQ(lists_.Oldest(TimerKind::kHandshake), &a);
  lists_.Start(a, TimerKind::kMessage, start_);
  EXPECT_EQ(lists_.Oldest(TimerKind::kHandshake), &b);
  EXPECT_EQ(lists_.Count(TimerKind::kHandshake), 1u);
  EXPECT_EQ(lists_.Pop(start_ + seconds(10)), &b);
  lists_.Remove(b);
  EXPECT_EQ(lists_.Count(TimerKind::kHandshake), 0u);
}

}  // namespace
}  // namespace dare::server
