#include "server/visitors.h"

#include <gtest/gtest.h>

#include "server/network.h"

namespace dare::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class VisitorsTest : public testing::Test {
 protected:
  VisitorsTest() {
    limits_.handshakes_per_address = {.per_second = 10, .burst = 5};
    limits_.bad_per_address = {.per_second = 1, .burst = 3};
  }
  bool Enters(Visitors& visitors, const std::string& address) {
    return !visitors.Enter(address, now_);
  }
  // One more than what is forgiven.
  static constexpr int kTooOften = 3;
  bool Misbehave(Visitors& visitors, const std::string& address) {
    bool banned = false;
    for (int i = 0; i < kTooOften; ++i) banned |= visitors.Blame(address, now_);
    return banned;
  }

  VisitorLimits limits_;
  TimePoint now_ = TimePoint{} + seconds(1000);
};

TEST_F(VisitorsTest, CountsAllAndThoseOfAnAddress) {
  limits_.connections = 3;
  limits_.connections_per_address = 2;
  Visitors visitors(limits_);
  EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
  EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
  EXPECT_EQ(visitors.Enter("192.0.2.1", now_), "too many connections of this address");
  EXPECT_TRUE(Enters(visitors, "192.0.2.2"));
  EXPECT_EQ(visitors.Enter("192.0.2.3", now_), "too many connections");
  EXPECT_EQ(visitors.total(), 3u);
  visitors.Leave("192.0.2.1");
  EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
}

TEST_F(VisitorsTest, AnAddressThatComesBackTooFastWaits) {
  Visitors visitors(limits_);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(Enters(visitors, "192.0.2.1")) << i;
    visitors.Leave("192.0.2.1");
  }
  EXPECT_EQ(visitors.Enter("192.0.2.1", now_), "too many new connections of this address");
  EXPECT_TRUE(Enters(visitors, "192.0.2.2")) << "another pays nothing for it";
  now_ += milliseconds(100);
  EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
}

TEST_F(VisitorsTest, TheAddressesOfAnIpv6NetworkAreOne) {
  limits_.connections_per_address = 1;
  Visitors visitors(limits_);
  EXPECT_TRUE(Enters(visitors, "2001:db8::1"));
  EXPECT_FALSE(Enters(visitors, "2001:db8::ffff:1"));
  EXPECT_TRUE(Enters(visitors, "2001:db8:0:1::1"));
  EXPECT_EQ(NetworkOf("2001:db8:0:1:2::9"), "2001:db8:0:1::/64");
  EXPECT_EQ(NetworkOf("192.0.2.1"), "192.0.2.1");
}

TEST_F(VisitorsTest, WhoKeepsFailingIsTurnedAwayForTwiceAsLongEachTime) {
  Visitors visitors(limits_);
  EXPECT_FALSE(visitors.Blame("192.0.2.1", now_));
  EXPECT_TRUE(Enters(visitors, "192.0.2.1")) << "once is forgiven";
  for (const seconds ban : {seconds(1), seconds(2), seconds(4)}) {
    EXPECT_TRUE(Misbehave(visitors, "192.0.2.1"));
    EXPECT_EQ(visitors.Enter("192.0.2.1", now_), "turned away for its failed connections");
    EXPECT_FALSE(visitors.Blame("192.0.2.1", now_)) << "it is, already";
    EXPECT_TRUE(Enters(visitors, "192.0.2.2"));
    now_ += ban - milliseconds(1);
    EXPECT_FALSE(Enters(visitors, "192.0.2.1"));
    now_ += milliseconds(1);
    EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
  }
}

TEST_F(VisitorsTest, ABanHasAnEndAndIsForgotten) {
  Visitors visitors(limits_);
  for (int i = 0; i < 20; ++i) {
    Misbehave(visitors, "192.0.2.1");
    now_ += minutes(5);
    EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
    visitors.Leave("192.0.2.1");
  }
  now_ += minutes(60);
  EXPECT_TRUE(Misbehave(visitors, "192.0.2.1"));
  now_ += seconds(1);
  EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
}

TEST_F(VisitorsTest, WithoutRatesNobodyIsTurnedAway) {
  Visitors visitors({.connections = 1'000'000, .connections_per_address = 1'000'000});
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(Enters(visitors, "192.0.2.1"));
    ASSERT_FALSE(visitors.Blame("192.0.2.1", now_));
  }
}

TEST_F(VisitorsTest, ManyAddressesTakeBoundedMemory) {
  Visitors visitors(limits_);
  std::size_t most = 0;
  for (int i = 0; i < 150'000; ++i) {
    const std::string address = "10." + std::to_string(i >> 16) + "." +
                                std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
    visitors.Blame(address, now_);
    most = std::max(most, visitors.networks());
  }
  EXPECT_LE(most, 70'000u);
  now_ += minutes(60);
  for (int i = 0; i < 70'000; ++i) visitors.Blame("11." + std::to_string(i), now_);
  EXPECT_LE(visitors.networks(), 70'000u);
}

TEST_F(VisitorsTest, WhoIsConnectedIsNeverForgotten) {
  limits_.connections_per_address = 1;
  Visitors visitors(limits_);
  ASSERT_TRUE(Enters(visitors, "192.0.2.1"));
  for (int i = 0; i < 80'000; ++i) visitors.Blame("10." + std::to_string(i), now_);
  now_ += minutes(60);
  EXPECT_FALSE(Enters(visitors, "192.0.2.1"));
  visitors.Leave("192.0.2.1");
  EXPECT_TRUE(Enters(visitors, "192.0.2.1"));
}

}  // namespace
}  // namespace dare::server
