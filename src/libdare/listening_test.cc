// Caches that listen for the end of keys, through the installed headers and against key servers in
// this process. No time limit but deaf_seconds is short enough to matter here.
#include <dare/client.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "base/eventually_for_test.h"
#include "libdare/wrapping_server_for_test.h"

namespace dare::lib {
namespace {

constexpr std::uint32_t kForever = 1'000'000;

Limits Listening(std::uint32_t deaf_seconds = kForever) {
  Limits limits;
  limits.seconds = kForever;
  limits.refresh_seconds = 0;
  limits.listen = 1;
  limits.deaf_seconds = deaf_seconds;
  return limits;
}

// A client with a cache that listens, and a value that was sealed and opened through it.
class ListeningTest : public testing::Test {
 protected:
  void Start(const Limits& limits = Listening()) {
    const Status opened = client_.Open(ConfigFileForTest("listening.toml", {server_.endpoint()}));
    ASSERT_TRUE(opened) << opened.message;
    auto made = client_.WithCache(limits);
    ASSERT_TRUE(made) << made.status().message;
    caching_ = std::move(*made);
    auto sealed = client_.SealValue("", {}, AsBytes("value"));
    ASSERT_TRUE(sealed) << sealed.status().message;
    sealed_ = std::move(*sealed);
  }
  dare_status Open() { return caching_.OpenValue({}, sealed_.bytes()).status().code; }
  dare_cache_counts counts() { return *caching_.CacheCounts(); }
  bool Listens() {
    return EventuallyForTest([&] { return counts().listens == 1 && server_.listeners() == 1; });
  }
  // What is kept now was asked for while somebody heard.
  void KeepHeard() {
    ASSERT_EQ(Open(), DARE_OK);  // the first use, from which on it listens
    ASSERT_TRUE(Listens());
    ASSERT_EQ(Open(), DARE_OK);
    ASSERT_EQ(counts().entries, 1u);
  }

  WrappingServerForTest server_;
  Client client_, caching_;
  Buffer sealed_;
};

TEST_F(ListeningTest, AKeyThatEndedIsNotUsedOnceMore) {
  Start();
  KeepHeard();
  server_.denies = true;
  const int requests = server_.requests();
  EXPECT_EQ(Open(), DARE_OK) << "from the cache";
  EXPECT_EQ(server_.requests(), requests);
  server_.Tell(kmip::State::kDeactivated);
  ASSERT_TRUE(EventuallyForTest([&] { return counts().recalls == 1; }));
  EXPECT_EQ(counts().entries, 0u);
  EXPECT_EQ(Open(), DARE_DENIED);
}

TEST_F(ListeningTest, AKeyThatIsSaidToBeActiveStays) {
  Start();
  KeepHeard();
  server_.Tell(kmip::State::kActive);
  server_.Tell(kmip::State::kDestroyed);
  ASSERT_TRUE(EventuallyForTest([&] { return counts().recalls > 0; }));
  EXPECT_EQ(counts().recalls, 1u) << "the first said nothing";
}

TEST_F(ListeningTest, NobodyListensBeforeTheFirstUseOrUnlessAsked) {
  Start();
  EXPECT_EQ(counts().listens, 0u);
  EXPECT_EQ(server_.listeners(), 0);
  auto quiet = client_.WithCache();
  ASSERT_TRUE(quiet);
  ASSERT_TRUE(quiet->OpenValue({}, sealed_.bytes()));
  EXPECT_EQ(server_.listeners(), 0);
}

TEST_F(ListeningTest, DeafItKeepsNothingWhereNoTimeIsGiven) {
  server_.knows_no_listeners = true;
  Start(Listening(0));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Open(), DARE_OK);
  EXPECT_EQ(counts().hits, 0u);
  server_.denies = true;
  EXPECT_EQ(Open(), DARE_DENIED);
}

TEST_F(ListeningTest, DeafItGoesOnForTheTimeThatIsGiven) {
  server_.knows_no_listeners = true;
  Start();
  ASSERT_EQ(Open(), DARE_OK);
  server_.denies = true;
  EXPECT_EQ(Open(), DARE_OK);
}

TEST_F(ListeningTest, WhoIsRefusedUsesNothingFromBefore) {
  Start();
  KeepHeard();
  server_.refuses_listeners = true;
  server_.denies = true;
  server_.Drop();  // what a lockout does
  EXPECT_TRUE(EventuallyForTest([&] { return counts().entries == 0; }));
  EXPECT_EQ(Open(), DARE_DENIED);
}

TEST_F(ListeningTest, WhatChangedWhileTheConnectionWasLostIsAskedForWhenItIsBack) {
  Start();
  KeepHeard();
  server_.denies = true;
  server_.Drop();
  ASSERT_TRUE(EventuallyForTest([&] { return counts().entries == 0; }));
  EXPECT_EQ(Open(), DARE_DENIED);
  EXPECT_TRUE(Listens());
}

TEST_F(ListeningTest, ListeningNeedsAVersionThatHasIt) {
  Client old;
  ASSERT_TRUE(
      old.Open(ConfigFileForTest("old.toml", {server_.endpoint()}, "kmip_version = \"1.4\"\n")));
  EXPECT_EQ(old.WithCache(Listening()).status().code, DARE_USAGE);
  EXPECT_TRUE(old.WithCache());
}

// Programs that were built when the structures were smaller.
TEST_F(ListeningTest, SmallerStructuresAreThoseOfBefore) {
  Start();
  dare_client* plain = nullptr;
  ASSERT_EQ(dare_client_new(ConfigFileForTest("small.toml", {server_.endpoint()}).c_str(), &plain),
            DARE_OK);
  dare_cache_limits given = DARE_CACHE_LIMITS;
  given.struct_size = offsetof(dare_cache_limits, listen);
  given.listen = 0xffffffff;  // not its own
  dare_client* caching = nullptr;
  ASSERT_EQ(dare_client_with_cache(plain, &given, &caching), DARE_OK);
  dare_buffer opened{};
  ASSERT_EQ(dare_open_value(caching, nullptr, 0, sealed_.bytes().data(), sealed_.size(), &opened),
            DARE_OK);
  dare_buffer_free(&opened);
  EXPECT_EQ(server_.listeners(), 0);
  dare_cache_counts counts{};
  counts.struct_size = offsetof(dare_cache_counts, recalls);
  counts.recalls = counts.listens = 77;
  EXPECT_EQ(dare_cache_count(caching, &counts), DARE_OK);
  EXPECT_EQ(counts.entries, 1u);
  EXPECT_EQ(counts.recalls, 77u);
  EXPECT_EQ(counts.listens, 77u);
  for (const std::size_t size : {std::size_t{0}, counts.struct_size - 1, sizeof counts + 1}) {
    counts.struct_size = size;
    EXPECT_EQ(dare_cache_count(caching, &counts), DARE_USAGE);
    given.struct_size = size;
    dare_client* none = nullptr;
    EXPECT_EQ(dare_client_with_cache(plain, &given, &none), DARE_USAGE);
  }
  dare_client_free(caching);
  dare_client_free(plain);
}

}  // namespace
}  // namespace dare::lib
