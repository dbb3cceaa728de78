#include "audit/budget.h"

#include <gtest/gtest.h>

namespace dare::audit {
namespace {

TEST(Budget, RecordsABurstAndCountsWhatItLeavesOut) {
  ManualClockForTest clock;
  Budget budget(3, 10, clock);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(budget.Spend().record);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(budget.Spend().record);
  clock.Advance(10);
  const Budget::Ruling next = budget.Spend();
  EXPECT_TRUE(next.record);
  EXPECT_EQ(next.left_out, 5u);
  EXPECT_FALSE(budget.Spend().record);
}

TEST(Budget, NeverSavesMoreThanItsBurst) {
  ManualClockForTest clock;
  Budget budget(2, 1, clock);
  clock.Advance(1000);
  EXPECT_TRUE(budget.Spend().record);
  clock.Advance(1'000'000);
  EXPECT_TRUE(budget.Spend().record);
  EXPECT_TRUE(budget.Spend().record);
  EXPECT_FALSE(budget.Spend().record);
}

TEST(Budget, SurvivesAClockThatIsPutBack) {
  ManualClockForTest clock;
  Budget budget(1, 10, clock);
  EXPECT_TRUE(budget.Spend().record);
  clock.Advance(-100'000);
  EXPECT_FALSE(budget.Spend().record);
  clock.Advance(10);
  EXPECT_TRUE(budget.Spend().record);
}

}  // namespace
}  // namespace dare::audit
