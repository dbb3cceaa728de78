#include "server/accounts.h"

#include <gtest/gtest.h>

namespace dare::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr AccountLimits kLimits{.requests = {.per_second = 10, .burst = 2},
                                .bytes = {.per_second = 1000, .burst = 1000},
                                .bad = {.per_second = 1, .burst = 1}};
const TimePoint kNow = TimePoint{} + seconds(1000);

TEST(AccountsTest, AllConnectionsOfAClientShareOneAccount) {
  Accounts accounts(kLimits);
  const auto first = accounts.OfPrincipal("alice", kNow);
  EXPECT_EQ(accounts.OfPrincipal("alice", kNow), first);
  EXPECT_NE(accounts.OfPrincipal("bob", kNow), first);
  EXPECT_NE(accounts.OfStranger("alice", kNow), first) << "a name proves nothing there";
  EXPECT_EQ(accounts.OfStranger("2001:db8::1", kNow), accounts.OfStranger("2001:db8::2", kNow));
}

TEST(AccountsTest, WhoComesBackFindsWhatHeOwes) {
  Accounts accounts(kLimits);
  for (int i = 0; i < 30; ++i) accounts.OfPrincipal("alice", kNow)->SpendRequest(kNow);
  for (int i = 0; i < 5000; ++i) accounts.OfPrincipal("other-" + std::to_string(i), kNow);
  EXPECT_GT(accounts.OfPrincipal("alice", kNow)->Wait(kNow), seconds(2));
  EXPECT_LE(accounts.size(), 1100u) << "those who owe nothing are forgotten";
}

TEST(AccountsTest, RequestsBytesAndBadOnesCountEachForItself) {
  Account account(kLimits);
  EXPECT_EQ(account.Wait(kNow), Duration::zero());
  account.SpendRequest(kNow);
  EXPECT_EQ(account.Wait(kNow), Duration::zero());
  account.SpendRequest(kNow);
  EXPECT_EQ(account.Wait(kNow), milliseconds(100));
  account.SpendBytes(1499, kNow);
  EXPECT_EQ(account.Wait(kNow), milliseconds(500));
  account.SpendBad(kNow);
  EXPECT_EQ(account.Wait(kNow), seconds(1));
  EXPECT_FALSE(account.IsFresh(kNow));
  EXPECT_TRUE(account.IsFresh(kNow + seconds(2)));
}

TEST(AccountsTest, TellsOfASlowClientOnceAMinute) {
  Account account(kLimits);
  EXPECT_TRUE(account.MayTell(kNow));
  EXPECT_FALSE(account.MayTell(kNow + seconds(59)));
  EXPECT_TRUE(account.MayTell(kNow + minutes(1)));
  EXPECT_FALSE(account.MayTell(kNow + minutes(1)));
}

}  // namespace
}  // namespace dare::server
