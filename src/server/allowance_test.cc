#include "server/allowance.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace dare::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kStart = TimePoint{} + seconds(1000);

TEST(AllowanceTest, ABurstIsFreeAndThenTheRateHolds) {
  const Rate rate{.per_second = 10, .burst = 3};
  Allowance allowance;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(allowance.Wait(rate, kStart), Duration::zero()) << i;
    allowance.Spend(rate, 1, kStart);
  }
  EXPECT_EQ(allowance.Wait(rate, kStart), milliseconds(100));
  EXPECT_EQ(allowance.Wait(rate, kStart + milliseconds(60)), milliseconds(40));
  EXPECT_EQ(allowance.Wait(rate, kStart + milliseconds(100)), Duration::zero());
  allowance.Spend(rate, 1, kStart + milliseconds(100));
  EXPECT_EQ(allowance.Wait(rate, kStart + milliseconds(100)), milliseconds(100));
}

TEST(AllowanceTest, APauseGivesTheBurstBackAndNoMore) {
  const Rate rate{.per_second = 10, .burst = 2};
  Allowance allowance;
  allowance.Spend(rate, 5, kStart);
  EXPECT_FALSE(allowance.IsFresh(kStart));
  EXPECT_TRUE(allowance.IsFresh(kStart + milliseconds(500)));
  const TimePoint later = kStart + seconds(3600);
  allowance.Spend(rate, 2, later);
  EXPECT_EQ(allowance.Wait(rate, later), milliseconds(100));
}

TEST(AllowanceTest, WhatIsTooMuchAtOnceIsOwed) {
  const Rate rate{.per_second = 1000, .burst = 1000};
  Allowance allowance;
  allowance.Spend(rate, 5000, kStart);
  EXPECT_EQ(allowance.Wait(rate, kStart), milliseconds(4001));
}

TEST(AllowanceTest, WithoutARateNothingWaits) {
  Allowance allowance;
  allowance.Spend(Rate{}, 1'000'000'000, kStart);
  EXPECT_EQ(allowance.Wait(Rate{}, kStart), Duration::zero());
  EXPECT_TRUE(allowance.IsFresh(kStart));
}

TEST(AllowanceTest, NobodyOwesForEver) {
  const Rate slow{.per_second = 1, .burst = 1};
  Allowance allowance;
  allowance.Spend(slow, ~std::uint64_t{0}, kStart);
  EXPECT_EQ(allowance.Wait(slow, kStart), seconds(3600));
}

TEST(AllowanceTest, SeveralThreadsSpendOneAllowance) {
  const Rate rate{.per_second = 1'000'000, .burst = 1};
  Allowance allowance;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 10'000; ++i) allowance.Spend(rate, 1, kStart);
      });
    }
  }
  EXPECT_EQ(allowance.Wait(rate, kStart), milliseconds(40));
}

}  // namespace
}  // namespace dare::server
