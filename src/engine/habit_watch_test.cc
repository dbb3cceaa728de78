#include "engine/habit_watch.h"

#include <gmock/gmock.h>

#include <cstdio>

namespace dare::engine {
namespace {

class HabitWatchTest : public testing::Test {
 protected:
  // Uses so many different keys, beginning with number `first`; how many alarms that gave.
  int Use(int count, int first = 0, const std::string& operation = "Get") {
    int alarms = 0;
    for (int i = first; i < first + count; ++i) {
      audit::Entry entry;
      entry.time = now_;
      entry.principal = principal_;
      entry.operation = operation;
      entry.object_id = "key-" + std::to_string(i);
      entry.outcome = outcome_;
      if (auto alarm = watch_.Look(entry)) {
        ++alarms;
        last_ = *alarm;
      }
    }
    return alarms;
  }
  void NextWindow() { now_ += kWindow; }

  static constexpr std::int64_t kWindow = 600, kDay = 86400;
  HabitWatch watch_{{.window_seconds = kWindow, .keys = 100, .factor = 5}};
  std::int64_t now_ = 1'700'000'000;
  std::string principal_ = "alice";
  audit::Outcome outcome_ = audit::Outcome::kAllowed;
  audit::Entry last_;
};

TEST_F(HabitWatchTest, FewKeysNeverAlarm) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(Use(90, 90 * i), 0) << "others each time";
    NextWindow();
  }
}

TEST_F(HabitWatchTest, ManyMoreThanEverBeforeAlarmOnceInAWindow) {
  EXPECT_EQ(Use(40), 0);
  NextWindow();
  EXPECT_EQ(Use(1000), 1);
  EXPECT_EQ(last_.principal, "alice");
  EXPECT_EQ(last_.operation, "alarm");
  EXPECT_EQ(last_.rule, "habit");
  int keys = 0, habit = 0;
  ASSERT_EQ(std::sscanf(last_.detail.c_str(),
                        "used %d different keys within 600 s, and never more than %d before", &keys,
                        &habit),
            2);
  EXPECT_NEAR(keys, 201, 16) << "five times 40";
  EXPECT_NEAR(habit, 40, 3);
  NextWindow();
  EXPECT_EQ(Use(1000), 0) << "a habit, by now";
}

TEST_F(HabitWatchTest, TheSameKeyAgainAndAgainIsOneKey) {
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Use(50), 0);
}

TEST_F(HabitWatchTest, TheFirstWindowHasNoHabitToGoBy) {
  EXPECT_EQ(Use(90), 0);
  EXPECT_EQ(Use(30, 90), 1);
  EXPECT_THAT(last_.detail, testing::HasSubstr("never more than 0 before"));
}

TEST_F(HabitWatchTest, AHabitFadesByHalfInAWeek) {
  EXPECT_EQ(Use(1000), 1);
  now_ += 7 * kDay;
  EXPECT_EQ(Use(2000), 0) << "five times half of it is more";
  now_ += 70 * kDay;
  EXPECT_EQ(Use(300), 1);
}

TEST_F(HabitWatchTest, EveryPrincipalHasItsOwnHabit) {
  EXPECT_EQ(Use(1000), 1);
  NextWindow();
  principal_ = "bob";
  EXPECT_EQ(Use(1000), 1);
}

TEST_F(HabitWatchTest, LooksAtUsesThatWereAllowedOnly) {
  EXPECT_EQ(Use(1000, 0, "Get Attributes"), 0);
  EXPECT_EQ(Use(1000, 0, "Locate"), 0);
  EXPECT_EQ(Use(1000, 0, "Create"), 0);
  outcome_ = audit::Outcome::kDenied;
  EXPECT_EQ(Use(1000), 0);
  outcome_ = audit::Outcome::kAllowed;
  EXPECT_EQ(Use(60, 0, "Decrypt") + Use(60, 60, "Encrypt"), 1) << "counted together";
}

TEST_F(HabitWatchTest, NothingIsWatchedWhereThatIsSwitchedOff) {
  HabitWatch off({.watch = false, .keys = 1});
  audit::Entry entry{.time = now_, .principal = "alice", .operation = "Get", .object_id = "a"};
  entry.outcome = audit::Outcome::kAllowed;
  EXPECT_FALSE(off.Look(entry));
  entry.object_id = "b";
  EXPECT_FALSE(off.Look(entry));
}

TEST_F(HabitWatchTest, TheCountIsWithinSevenPercentUpToAMillion) {
  for (const int count : {10, 100, 1000, 3000, 10'000, 100'000, 1'000'000}) {
    HabitWatch watch({.window_seconds = kWindow, .keys = static_cast<std::uint32_t>(count)});
    audit::Entry entry{.time = now_, .principal = "alice", .operation = "Get"};
    entry.outcome = audit::Outcome::kAllowed;
    int alarm_at = 0;
    for (int i = 0; i < 2 * count && alarm_at == 0; ++i) {
      entry.object_id = "5f0c1d86-" + std::to_string(i);
      if (watch.Look(entry)) alarm_at = i;
    }
    EXPECT_NEAR(alarm_at, count, std::max(2.0, 0.07 * count)) << count;
  }
}

}  // namespace
}  // namespace dare::engine
