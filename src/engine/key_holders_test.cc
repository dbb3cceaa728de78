#include "engine/key_holders.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace dare::engine {
namespace {

using testing::Test;

class SilentEndpoint : public Endpoint {
 public:
  void Push(WipingBytes /*message*/) override {}
};

class KeyHoldersTest : public Test {
 protected:
  void Listen(const std::string& principal) {
    endpoints_.push_back(std::make_shared<SilentEndpoint>());
    ASSERT_TRUE(outbox_.Open(endpoints_.back(), principal, kmip::kVersion2_1));
  }
  void Did(const std::string& principal, const std::string& operation, const std::string& id,
           audit::Outcome outcome = audit::Outcome::kAllowed) {
    audit::Entry entry;
    entry.principal = principal;
    entry.operation = operation;
    entry.object_id = id;
    entry.outcome = outcome;
    holders_.Note(entry);
  }
  using Names = std::vector<std::string>;

  std::vector<std::shared_ptr<Endpoint>> endpoints_;
  Outbox outbox_{SystemClock::Get(), {}};
  KeyHolders holders_{outbox_};
};

TEST_F(KeyHoldersTest, AreThoseWhoGotOrUsedTheKeyOrHaveALease) {
  for (const char* name : {"alice", "bob", "carol", "dave"}) Listen(name);
  Did("alice", "Get", "k1");
  Did("bob", "Decrypt", "k1");
  Did("carol", "ObtainLease", "k1");
  Did("dave", "Get", "k2");
  EXPECT_EQ(holders_.Of("k1", "owner"), (Names{"alice", "bob", "carol"}));
  EXPECT_EQ(holders_.Of("k1", "bob"), (Names{"alice", "carol"})) << "the owner is told as ever";
  EXPECT_EQ(holders_.Of("k3", "owner"), Names());
}

TEST_F(KeyHoldersTest, AreNotThoseWhoOnlyLookedOrWereRefused) {
  Listen("alice");
  Did("alice", "GetAttributes", "k1");
  Did("alice", "Get", "k1", audit::Outcome::kDenied);
  EXPECT_EQ(holders_.Of("k1", "owner"), Names());
}

TEST_F(KeyHoldersTest, AreNotKeptWhoHaveNoConnectionForIt) {
  Did("alice", "Get", "k1");
  Listen("alice");
  EXPECT_EQ(holders_.Of("k1", "owner"), Names());
  Did("alice", "Get", "k1");
  EXPECT_EQ(holders_.Of("k1", "owner"), Names{"alice"});
  endpoints_.clear();
  ASSERT_TRUE(outbox_.Open(std::make_shared<SilentEndpoint>(), "other", kmip::kVersion2_1));
  EXPECT_EQ(holders_.Of("k1", "owner"), Names()) << "the connection is gone";
}

TEST_F(KeyHoldersTest, AreBounded) {
  Listen("alice");
  for (std::size_t i = 0; i < KeyHolders::kMost; ++i) Did("alice", "Get", std::to_string(i));
  Did("alice", "Get", "one more");
  EXPECT_EQ(holders_.Of("one more", "owner"), Names());
  EXPECT_EQ(holders_.Of("0", "owner"), Names{"alice"});
  endpoints_.clear();
  Listen("bob");
  Did("bob", "Get", "one more");
  EXPECT_EQ(holders_.Of("one more", "owner"), Names{"bob"}) << "who is away made room";
}

}  // namespace
}  // namespace dare::engine
