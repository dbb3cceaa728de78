#include "registry/policy_book.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/eventually_for_test.h"
#include "policy/document.h"
#include "registry/back_ends_for_test.h"

namespace dare::registry {
namespace {

std::string TextWith(const std::string& comment) {
  return "# " + comment + "\nformat = 1\n[[domain]]\nname = \"default\"\n";
}

// A node's book, and what it enforces.
struct Desk {
  explicit Desk(std::shared_ptr<SharedDatabaseForTest::Node> of, const Clock& clock)
      : node(std::move(of)),
        book(node->store(), *node->vault,
             {.enforce = [this](auto policy) { Enforce(std::move(policy)); },
              .administrators = {"root"}},
             clock) {}

  void Enforce(std::shared_ptr<const policy::Policy> policy) {
    const MutexLock lock(mutex);
    enforced = std::move(policy);
    ++times;
  }
  bool Enforces() {
    const MutexLock lock(mutex);
    return enforced != nullptr && !enforced->closed();
  }
  bool Closed() {
    const MutexLock lock(mutex);
    return enforced != nullptr && enforced->closed();
  }
  Result<std::uint64_t> Apply(const std::string& text, std::uint64_t base) {
    return book.Apply({.who = "root", .comment = "why", .text = text}, base);
  }

  std::shared_ptr<SharedDatabaseForTest::Node> node;
  Mutex mutex;
  std::shared_ptr<const policy::Policy> enforced;
  int times = 0;
  PolicyBook book;
};

class PolicyBookTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    database_ = SharedDatabaseForTest::Of(GetParam());
    if (!database_->ready()) GTEST_SKIP() << database_->why_not();
    here_ = NewDesk();
    ASSERT_TRUE(here_->book.CatchUp());
  }
  std::unique_ptr<Desk> NewDesk() {
    return std::make_unique<Desk>(*database_->Open(clock_, false), clock_);
  }
  void Change(const std::function<Result<void>(store::Transaction&)>& change) {
    auto transaction = *here_->node->store().Begin();
    ASSERT_TRUE(change(*transaction));
    ASSERT_TRUE(transaction->Commit());
  }
  void Put(const std::string& key, const Bytes& value) {
    Change([&](store::Transaction& transaction) { return transaction.PutMeta(key, value); });
  }
  Bytes Read(const std::string& key) { return *here_->node->store().GetMeta(key); }
  static std::string Row(std::uint64_t number) {
    return "table/policy/" + PolicyVersionName(number);
  }

  ManualClockForTest clock_;
  std::shared_ptr<SharedDatabaseForTest> database_;
  std::unique_ptr<Desk> here_;
};

TEST_P(PolicyBookTest, HasNothingInForceAtFirst) {
  EXPECT_EQ(here_->enforced, nullptr);
  EXPECT_FALSE(here_->book.InForce()->has_value());
  EXPECT_TRUE(here_->book.History()->empty());
}

TEST_P(PolicyBookTest, AsksForPermissionUnderThePolicyThatIsReplaced) {
  std::vector<std::shared_ptr<const policy::Policy>> asked;
  std::optional<Error> answer;
  const auto permit = [&](store::Transaction& transaction,
                          std::shared_ptr<const policy::Policy> in_force) -> Result<void> {
    asked.push_back(std::move(in_force));
    TRY(transaction.PutMeta("test-mark", AsBytes("used up")));
    if (answer) return *answer;
    return {};
  };
  const auto apply = [&](const std::string& text, std::uint64_t base) {
    return here_->book.Apply({.who = "root", .text = text}, base, permit);
  };
  answer = Error(Code::kDenied, "ask somebody");
  EXPECT_EQ(apply(TextWith("one"), 0).error().code, Code::kDenied);
  EXPECT_EQ(here_->enforced, nullptr);
  EXPECT_FALSE(here_->node->store().GetMeta("test-mark")) << "undone with the rest";
  answer.reset();
  EXPECT_TRUE(apply(TextWith("one"), 0));
  EXPECT_TRUE(here_->node->store().GetMeta("test-mark"));
  EXPECT_TRUE(apply(TextWith("two"), 1));
  EXPECT_FALSE(apply(TextWith("three"), 1));
  ASSERT_EQ(asked.size(), 3u) << "nobody is asked about what cannot be done";
  EXPECT_EQ(asked[1], nullptr);
  ASSERT_NE(asked[2], nullptr);
  EXPECT_TRUE(*asked[2] == *policy::ParsePolicy(TextWith("one"), "p"));
}

TEST_P(PolicyBookTest, KeepsEveryVersionWithItsReason) {
  EXPECT_EQ(*here_->Apply(TextWith("one"), 0), 1u);
  EXPECT_TRUE(here_->Enforces());
  clock_.Advance(5);
  EXPECT_EQ(*here_->Apply(TextWith("two"), 1), 2u);
  const PolicyVersion second = **here_->book.InForce();
  EXPECT_EQ(second.number, 2u);
  EXPECT_EQ(second.text, TextWith("two"));
  EXPECT_EQ(second.who, "root");
  EXPECT_EQ(second.comment, "why");
  EXPECT_EQ(second.when, clock_.Now());
  EXPECT_EQ(here_->book.Version(1)->text, TextWith("one"));
  EXPECT_EQ(here_->book.Version(3).error().code, Code::kNotFound);
  EXPECT_EQ(here_->book.History()->size(), 2u);
  EXPECT_EQ(here_->book.History()->front().number, 2u);
}

TEST_P(PolicyBookTest, RefusesWhatWasMadeFromAnotherVersion) {
  ASSERT_TRUE(here_->Apply(TextWith("one"), 0));
  EXPECT_EQ(here_->Apply(TextWith("two"), 0).error().code, Code::kAlreadyExists);
  EXPECT_EQ(here_->book.InForce()->value().number, 1u);
}

TEST_P(PolicyBookTest, RefusesWhatDoesNotPassTheCheck) {
  const auto refused = here_->Apply("format = 1\nnonsense = 1\n", 0);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_EQ(refused.error().message.substr(0, 9), "policy:2:");
  EXPECT_FALSE(here_->Enforces());
}

TEST_P(PolicyBookTest, AnotherNodeEnforcesIt) {
  const auto there = NewDesk();
  ASSERT_TRUE(there->book.CatchUp());
  there->book.Watch(std::chrono::milliseconds(10));
  ASSERT_TRUE(here_->Apply(TextWith("one"), 0));
  EXPECT_TRUE(EventuallyForTest([&] { return there->Enforces(); }));
}

TEST_P(PolicyBookTest, LooksAtTheTableOnlyWhenItChanged) {
  ASSERT_TRUE(here_->Apply(TextWith("one"), 0));
  const int times = here_->times;
  ASSERT_TRUE(here_->book.CatchUp());
  EXPECT_EQ(here_->times, times);
}

TEST_P(PolicyBookTest, ClosesWhereARowWasEditedRemovedOrPutBack) {
  ASSERT_TRUE(here_->Apply(TextWith("one"), 0));
  const Bytes first = Read(Row(1)), in_force_1 = Read("table/policy/in-force");
  const Bytes sum_1 = Read("table-sum/policy");
  ASSERT_TRUE(here_->Apply(TextWith("two"), 1));
  const Bytes good = Read(Row(2)), in_force = Read("table/policy/in-force");
  const auto closes = [&](const char* what) {
    auto fresh = NewDesk();
    EXPECT_EQ(fresh->book.CatchUp().error().code, Code::kDamaged) << what;
    EXPECT_TRUE(fresh->Closed()) << what;
    return fresh;
  };
  Bytes edited = good;
  edited.back() ^= 1;
  Put(Row(2), edited);
  closes("edited");
  Put(Row(2), first);
  closes("copied from another row");
  Put(Row(2), good);
  Put("table/policy/in-force", in_force_1);
  const auto desk = closes("put back to an earlier version");
  Put("table/policy/in-force", in_force);
  ASSERT_TRUE(desk->book.CatchUp()) << "as it was again";
  EXPECT_TRUE(desk->Enforces());
  Change([](store::Transaction& transaction) { return transaction.RemoveMeta(Row(1)); });
  closes("a version removed");
  Put(Row(1), first);
  // The whole table put back: whoever knows more refuses it.
  Put("table/policy/in-force", in_force_1);
  Change([](store::Transaction& transaction) { return transaction.RemoveMeta(Row(2)); });
  Put("table-sum/policy", sum_1);
  EXPECT_EQ(here_->book.CatchUp().error().code, Code::kDamaged);
  EXPECT_TRUE(here_->Closed());
}

TEST_P(PolicyBookTest, ClosesWhereTheWholeTableIsGone) {
  ASSERT_TRUE(here_->Apply(TextWith("one"), 0));
  Change([](store::Transaction& transaction) -> Result<void> {
    for (const std::string key : {"table/policy/in-force", "table-sum/policy"}) {
      TRY(transaction.RemoveMeta(key));
    }
    return transaction.RemoveMeta(Row(1));
  });
  EXPECT_EQ(here_->book.CatchUp().error().code, Code::kDamaged);
  EXPECT_TRUE(here_->Closed());
}

INSTANTIATE_TEST_SUITE_P(Stores, PolicyBookTest, testing::Values("SharedMemory", "SharedPostgres"));

}  // namespace
}  // namespace dare::registry
