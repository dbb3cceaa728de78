#include "engine/work_line.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace dare::engine {
namespace {

class WorkLineTest : public testing::Test {
 protected:
  using Line = WorkLine<std::unique_ptr<int>>;

  // The first job holds the line up until the test lets it go.
  void SetUp() override {
    line_.emplace([this](std::unique_ptr<int> job, bool ending) {
      if (*job == 0) {
        begun_.set_value();
        go_.get_future().wait();
      }
      done_.emplace_back(*job, ending);
    });
    line_->Add(std::make_unique<int>(0));
    begun_.get_future().wait();
  }
  void End() {
    std::thread end([this] { line_.reset(); });
    go_.set_value();
    end.join();
  }

  std::promise<void> begun_, go_;
  std::vector<std::pair<int, bool>> done_;  // of the line's thread
  std::optional<Line> line_;
};

TEST_F(WorkLineTest, WorksInOrderAndEndsWithWhatWaits) {
  for (int i = 1; i <= 3; ++i) line_->Add(std::make_unique<int>(i));
  End();
  ASSERT_EQ(done_.size(), 4u);
  for (int i = 0; i <= 3; ++i) EXPECT_EQ(done_[static_cast<std::size_t>(i)].first, i);
  EXPECT_FALSE(done_.front().second);
}

TEST_F(WorkLineTest, WhatMayNotWaitStaysWithTheCaller) {
  const auto only_two = [](const auto& waiting) { return waiting.size() < 2; };
  for (int i = 1; i <= 2; ++i) {
    auto job = std::make_unique<int>(i);
    EXPECT_TRUE(line_->AddIf(job, only_two));
    EXPECT_EQ(job, nullptr);
  }
  auto third = std::make_unique<int>(3);
  EXPECT_FALSE(line_->AddIf(third, only_two));
  ASSERT_NE(third, nullptr);
  EXPECT_EQ(*third, 3);
  End();
  EXPECT_EQ(done_.size(), 3u);
}

// A job that leaves another one behind for as long as the line goes on: it ends, for it is told.
TEST(WorkLine, TellsThatItIsEnding) {
  std::promise<WorkLine<int>*> itself;
  const std::shared_future<WorkLine<int>*> line_of = itself.get_future().share();
  int last = 0;
  {
    WorkLine<int> line([&](int job, bool ending) {
      last = job;
      if (!ending) line_of.get()->Add(job + 1);
    });
    itself.set_value(&line);
    line.Add(1);
  }
  EXPECT_GE(last, 1);
}

}  // namespace
}  // namespace dare::engine
