#include "hsm/call_lanes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <vector>

namespace dare::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kShort{20};
constexpr seconds kLong{60};

// Calls that hang until they are let go.
class Hang {
 public:
  std::function<void()> Call() {
    return [gate = gate_.get_future().share(), began = began_] {
      ++*began;
      gate.wait();
    };
  }
  void LetGo() { gate_.set_value(); }
  int began() const { return *began_; }

 private:
  std::promise<void> gate_;
  std::shared_ptr<std::atomic<int>> began_ = std::make_shared<std::atomic<int>>(0);
};

TEST(CallLanesTest, RunsACallOnAnotherThread) {
  CallLanes lanes(2);
  std::thread::id ran;
  ASSERT_TRUE(lanes.Run([&] { ran = std::this_thread::get_id(); }, kLong).has_value());
  EXPECT_NE(ran, std::this_thread::get_id());
  EXPECT_NE(ran, std::thread::id());
}

TEST(CallLanesTest, GivesUpOnACallThatHangsAndGoesOnWithOthers) {
  Hang hang;
  CallLanes lanes(2);
  const auto ran = lanes.Run(hang.Call(), kShort);
  ASSERT_FALSE(ran.has_value());
  EXPECT_EQ(ran.error().code, Code::kTimeout);
  EXPECT_EQ(lanes.hanging(), 1u);
  EXPECT_TRUE(lanes.Run([] {}, kLong).has_value());
  hang.LetGo();
  while (lanes.hanging() != 0) std::this_thread::yield();
}

TEST(CallLanesTest, RefusesAtOnceWhenEveryThreadHangsAndRecovers) {
  Hang hang;
  CallLanes lanes(2);
  auto call = hang.Call();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(lanes.Run(call, kShort).error().code, Code::kTimeout);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(lanes.Run(call, kLong).error().code, Code::kUnavailable);
  }
  EXPECT_EQ(hang.began(), 2) << "no thread piles up";
  hang.LetGo();
  while (lanes.hanging() != 0) std::this_thread::yield();
  EXPECT_TRUE(lanes.Run([] {}, kLong).has_value());
}

TEST(CallLanesTest, NeverBeginsACallWhoseTimeIsOver) {
  Hang hang;
  CallLanes lanes(1);
  std::jthread first([&] { EXPECT_TRUE(lanes.Run(hang.Call(), kLong).has_value()); });
  while (hang.began() == 0) std::this_thread::yield();
  std::atomic<bool> ran = false;
  EXPECT_EQ(lanes.Run([&] { ran = true; }, kShort).error().code, Code::kTimeout);
  EXPECT_EQ(lanes.hanging(), 0u) << "it waited for a thread and held none";
  hang.LetGo();
  first.join();
  EXPECT_TRUE(lanes.Run([] {}, kLong).has_value());
  EXPECT_FALSE(ran);
}

TEST(CallLanesTest, ServesMoreCallersThanItHasThreads) {
  CallLanes lanes(2);
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> callers;
    for (int t = 0; t < 8; ++t) {
      callers.emplace_back([&] {
        for (int i = 0; i < 200; ++i) {
          EXPECT_TRUE(lanes.Run([&] { ++done; }, kLong).has_value());
        }
      });
    }
  }
  EXPECT_EQ(done, 1600);
}

TEST(CallLanesTest, EndsWhileACallHangs) {
  Hang hang;
  {
    CallLanes lanes(1);
    EXPECT_EQ(lanes.Run(hang.Call(), kShort).error().code, Code::kTimeout);
  }
  EXPECT_TRUE(CallLanes::LeftCallsBehind()) << "the process must not end as if nobody were there";
  hang.LetGo();
}

// The call that came back late held the last reference: it ends the lanes on their own thread.
TEST(CallLanesTest, MayBeEndedByItsOwnLateCall) {
  std::promise<void> gate, ended;
  auto lanes = std::make_shared<CallLanes>(1);
  struct Tells {
    std::promise<void>& ended;
    ~Tells() { ended.set_value(); }
  };
  {
    auto tells = std::make_shared<Tells>(ended);
    auto call = [held = lanes, tells, opened = gate.get_future().share()] { opened.wait(); };
    EXPECT_EQ(lanes->Run(call, kShort).error().code, Code::kTimeout);
  }
  lanes.reset();
  EXPECT_TRUE(CallLanes::LeftCallsBehind()) << "it is inside still, though no lanes have ended";
  gate.set_value();
  ended.get_future().wait();
}

}  // namespace
}  // namespace dare::hsm
