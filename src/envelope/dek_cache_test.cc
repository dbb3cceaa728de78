#include "envelope/dek_cache.h"

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/eventually_for_test.h"
#include "envelope/envelope_for_test.h"

namespace dare::envelope {
namespace {

using std::chrono::seconds;

// A key server: makes DEKs that can be told apart, counts, and refuses as told.
class DekServer {
 public:
  Result<WrappedDek> Make() {
    ++asked;
    if (const std::optional<Code> told = failure) return Error(*told, "as told");
    std::uint8_t number[4];
    PutU32(number, made++);
    return WrappedDek{.dek = Dek(SecretForTest(Bytes(32, 7))),
                      .edks = {EncryptedDataKey{"kms", {}, ToBytes(number)}}};
  }
  DekCache::Fetch Maker() {
    return [this] { return Make(); };
  }
  DekCache::Unwrap Unwrapper() {
    return [this]() -> Result<std::optional<Dek>> {
      return std::optional<Dek>(TRY(Make()).dek.Clone().value());
    };
  }

  std::atomic<int> asked{0};
  std::atomic<std::uint32_t> made{0};
  std::atomic<std::optional<Code>> failure;
};

DekCacheLimits Generous() {
  return {.time = seconds(100), .uses = 1000, .bytes = 1'000'000, .entries = 100};
}

class DekCacheTest : public testing::Test {
 protected:
  // Which DEK was handed out.
  Bytes Seal(DekCache& cache, std::uint64_t bytes = 1, std::string_view name = "key",
             std::string_view context = "") {
    const auto dek =
        cache.ForSealing(name, AsBytes(context), bytes, server_.Maker(), server_.Maker());
    return dek ? (*dek)->edks[0].ciphertext : Bytes();
  }
  Result<std::optional<Dek>> Open(DekCache& cache, const EncryptedDataKey& edk) {
    return cache.ForOpening(edk, {}, server_.Unwrapper(), server_.Unwrapper());
  }

  ManualClockForTest clock_;
  DekServer server_;
};

TEST_F(DekCacheTest, AsksOnceForManyMessages) {
  DekCache cache(Generous(), clock_);
  const Bytes first = Seal(cache);
  for (int i = 0; i < 99; ++i) EXPECT_EQ(Seal(cache), first);
  EXPECT_EQ(server_.asked, 1);
  EXPECT_EQ(cache.counts().hits, 99u);
  EXPECT_EQ(cache.counts().misses, 1u);
}

TEST_F(DekCacheTest, KeysAndContextsAreKeptApart) {
  DekCache cache(Generous(), clock_);
  std::set<Bytes> deks;
  for (const char* name : {"a", "b", "ab"}) {
    for (const char* context : {"", "b", "c"}) deks.insert(Seal(cache, 1, name, context));
  }
  EXPECT_EQ(deks.size(), 9u);
}

TEST_F(DekCacheTest, ADekSealsNotOneMessageMore) {
  DekCacheLimits limits = Generous();
  limits.uses = 3;
  DekCache cache(limits, clock_);
  std::map<Bytes, int> uses;
  for (int i = 0; i < 10; ++i) ++uses[Seal(cache)];
  EXPECT_EQ(uses.size(), 4u);
  for (const auto& [dek, count] : uses) EXPECT_LE(count, 3);
}

TEST_F(DekCacheTest, ADekSealsNotOneByteMore) {
  DekCacheLimits limits = Generous();
  limits.bytes = 100;
  DekCache cache(limits, clock_);
  const Bytes first = Seal(cache, 60);
  EXPECT_EQ(Seal(cache, 40), first) << "exactly full";
  EXPECT_NE(Seal(cache, 1), first);
  // One that does not fit replaces the old one: what comes next shares its DEK.
  const Bytes second = Seal(cache, 100);
  EXPECT_NE(Seal(cache, 1), second);
  // A message that no DEK has room for has one to itself.
  const Bytes own = Seal(cache, 101);
  EXPECT_NE(Seal(cache, 1), own);
  EXPECT_NE(Seal(cache, 101), own);
}

TEST_F(DekCacheTest, ADekIsUsedNotOneSecondLonger) {
  DekCache cache(Generous(), clock_);
  const Bytes first = Seal(cache);
  clock_.Advance(99);
  EXPECT_EQ(Seal(cache), first);
  clock_.Advance(1);
  EXPECT_NE(Seal(cache), first);
}

TEST_F(DekCacheTest, TheTimeRunsFromBeforeTheKeyServerWasAsked) {
  DekCache cache(Generous(), clock_);
  const auto slow = [&] {
    clock_.Advance(60);
    return server_.Make();
  };
  ASSERT_TRUE(cache.ForSealing("key", {}, 1, slow, server_.Maker()));
  clock_.Advance(39);
  Seal(cache);
  EXPECT_EQ(server_.asked, 1);
  clock_.Advance(1);
  Seal(cache);
  EXPECT_EQ(server_.asked, 2);
}

TEST_F(DekCacheTest, AnyLimitOfZeroKeepsNothing) {
  for (int which = 0; which < 4; ++which) {
    DekCacheLimits limits = Generous();
    if (which == 0) limits.time = seconds(0);
    if (which == 1) limits.uses = 0;
    if (which == 2) limits.bytes = 0;
    if (which == 3) limits.entries = 0;
    DekCache cache(limits, clock_);
    EXPECT_NE(Seal(cache, 0), Seal(cache, 0));
    EXPECT_EQ(cache.counts().entries, 0u);
  }
}

TEST_F(DekCacheTest, TheLongestUnusedMakesRoom) {
  DekCacheLimits limits = Generous();
  limits.entries = 2;
  DekCache cache(limits, clock_);
  const Bytes a = Seal(cache, 1, "a");
  const Bytes b = Seal(cache, 1, "b");
  EXPECT_EQ(Seal(cache, 1, "a"), a);
  Seal(cache, 1, "c");
  EXPECT_EQ(Seal(cache, 1, "a"), a);
  EXPECT_NE(Seal(cache, 1, "b"), b);
  EXPECT_EQ(cache.counts().entries, 2u);
}

TEST_F(DekCacheTest, WhatIsTooOldLeavesMemoryUnused) {
  DekCache cache(Generous(), clock_);
  Seal(cache);
  EXPECT_EQ(cache.counts().entries, 1u);
  clock_.Advance(100);
  EXPECT_TRUE(EventuallyForTest([&] { return cache.counts().entries == 0; }));
}

TEST_F(DekCacheTest, FlushingForgetsAlsoWhatIsBeingAskedFor) {
  DekCache cache(Generous(), clock_);
  const Bytes first = Seal(cache);
  cache.Flush();
  EXPECT_NE(Seal(cache), first);
  cache.Flush();
  const auto flushed_meanwhile = [&] {
    cache.Flush();
    return server_.Make();
  };
  ASSERT_TRUE(cache.ForSealing("key", {}, 1, flushed_meanwhile, server_.Maker()));
  EXPECT_EQ(cache.counts().entries, 0u);
}

TEST_F(DekCacheTest, ADekInUseIsReplacedBeforeItsEnd) {
  DekCacheLimits limits = Generous();
  limits.refresh = seconds(20);
  DekCache cache(limits, clock_);
  const Bytes first = Seal(cache);
  clock_.Advance(79);
  EXPECT_EQ(Seal(cache), first);
  EXPECT_EQ(server_.asked, 1);
  clock_.Advance(1);
  EXPECT_EQ(Seal(cache), first) << "nobody waits";
  EXPECT_TRUE(EventuallyForTest([&] { return cache.counts().refreshes == 1; }));
  EXPECT_NE(Seal(cache), first);
  clock_.Advance(79);
  EXPECT_EQ(cache.counts().misses, 1u) << "only the first call waited";
}

TEST_F(DekCacheTest, ADekThatIsNearlyUsedUpIsReplaced) {
  DekCacheLimits limits = Generous();
  limits.uses = 80;
  limits.refresh = seconds(20);
  DekCache cache(limits, clock_);
  for (int i = 0; i < 69; ++i) Seal(cache);
  EXPECT_EQ(server_.asked, 1);
  Seal(cache);
  EXPECT_TRUE(EventuallyForTest([&] { return cache.counts().refreshes == 1; }));
}

TEST_F(DekCacheTest, ARefusalToReplaceItEndsADekAtOnce) {
  DekCacheLimits limits = Generous();
  limits.refresh = seconds(50);
  DekCache cache(limits, clock_);
  Seal(cache);
  server_.failure = Code::kDenied;
  clock_.Advance(60);
  EXPECT_FALSE(Seal(cache).empty());
  EXPECT_TRUE(EventuallyForTest([&] { return cache.counts().entries == 0; }));
  EXPECT_TRUE(Seal(cache).empty()) << "denied";
}

TEST_F(DekCacheTest, AKeyServerThatIsAwayLeavesItItsTime) {
  DekCacheLimits limits = Generous();
  limits.refresh = seconds(50);
  DekCache cache(limits, clock_);
  const Bytes first = Seal(cache);
  server_.failure = Code::kUnavailable;
  clock_.Advance(60);
  EXPECT_EQ(Seal(cache), first);
  EXPECT_TRUE(EventuallyForTest([&] { return server_.asked == 2; }));
  clock_.Advance(39);
  EXPECT_EQ(Seal(cache), first);
  clock_.Advance(1);
  EXPECT_TRUE(Seal(cache).empty());
}

TEST_F(DekCacheTest, AnOpenedDekIsKeptForItsTime) {
  DekCache cache(Generous(), clock_);
  const EncryptedDataKey a{"kms", {1}, {2}}, b{"kms", {1}, {3}};
  ASSERT_TRUE(Open(cache, a));
  ASSERT_TRUE(Open(cache, a));
  EXPECT_EQ(server_.asked, 1);
  ASSERT_TRUE(Open(cache, b));
  EXPECT_EQ(server_.asked, 2);
  clock_.Advance(100);
  ASSERT_TRUE(Open(cache, a));
  EXPECT_EQ(server_.asked, 3);
}

TEST_F(DekCacheTest, WhatDoesNotOpenIsNotKept) {
  DekCache cache(Generous(), clock_);
  const auto nobodys = []() -> Result<std::optional<Dek>> { return std::optional<Dek>(); };
  const EncryptedDataKey edk{"kms", {1}, {2}};
  EXPECT_FALSE(cache.ForOpening(edk, {}, nobodys, nobodys)->has_value());
  server_.failure = Code::kDamaged;
  EXPECT_EQ(Open(cache, edk).error().code, Code::kDamaged);
  EXPECT_EQ(cache.counts().entries, 0u);
}

EncryptedDataKey UnderKey(const std::string& key, std::uint8_t number) {
  return {"kms", EncodeAesProviderInfo({.name = key, .iv = Bytes(12, number)}), {number}};
}

// The same as DekServer, for sealing under a key that the wrapped copy names.
DekCache::Fetch MakerUnder(DekServer& server, const std::string& key) {
  return [&server, key]() -> Result<WrappedDek> {
    WrappedDek made = TRY(server.Make());
    made.edks[0].provider_info = EncodeAesProviderInfo({.name = key, .iv = Bytes(12, 1)});
    return made;
  };
}

DekCacheLimits Heard(int unheard) {
  DekCacheLimits limits = Generous();
  limits.unheard = seconds(unheard);
  return limits;
}

TEST_F(DekCacheTest, ARecallTakesTheDeksOfThatKeyAndNoOthers) {
  DekCache cache(Heard(10), clock_);
  cache.SetHearing(Hearing::kHears);
  const auto seal = [&](const std::string& key) {
    return cache.ForSealing(key, {}, 1, MakerUnder(server_, key), server_.Maker()).has_value();
  };
  ASSERT_TRUE(Open(cache, UnderKey("a", 1)) && Open(cache, UnderKey("b", 2)));
  ASSERT_TRUE(seal("a") && seal("b"));
  EXPECT_EQ(server_.asked, 4);
  cache.Recall("a");
  EXPECT_EQ(cache.counts().entries, 2u);
  EXPECT_EQ(cache.counts().recalls, 2u);
  ASSERT_TRUE(Open(cache, UnderKey("b", 2)) && seal("b"));
  EXPECT_EQ(server_.asked, 4);
  server_.failure = Code::kDenied;
  EXPECT_FALSE(Open(cache, UnderKey("a", 1)));
  EXPECT_FALSE(seal("a"));
  cache.RecallAll();
  EXPECT_EQ(cache.counts().entries, 0u);
  EXPECT_EQ(cache.counts().recalls, 4u);
}

TEST_F(DekCacheTest, ARecallAlsoMeetsWhatIsBeingAskedFor) {
  DekCache cache(Heard(10), clock_);
  cache.SetHearing(Hearing::kHears);
  const EncryptedDataKey edk = UnderKey("a", 1);
  const auto recalled_meanwhile = [&]() -> Result<std::optional<Dek>> {
    cache.Recall("a");
    return server_.Unwrapper()();
  };
  ASSERT_TRUE(cache.ForOpening(edk, {}, recalled_meanwhile, server_.Unwrapper()));
  EXPECT_EQ(cache.counts().entries, 0u);
}

TEST_F(DekCacheTest, ADekThatWasReplacedIsRecalledToo) {
  DekCacheLimits limits = Heard(10);
  limits.refresh = seconds(20);
  DekCache cache(limits, clock_);
  cache.SetHearing(Hearing::kHears);
  const EncryptedDataKey edk = UnderKey("a", 1);
  ASSERT_TRUE(Open(cache, edk));
  clock_.Advance(80);
  ASSERT_TRUE(Open(cache, edk));
  EXPECT_TRUE(EventuallyForTest([&] { return cache.counts().refreshes == 1; }));
  cache.Recall("a");
  EXPECT_EQ(cache.counts().entries, 0u);
}

TEST_F(DekCacheTest, WhatWasAskedForBeforeAnybodyHeardGoesWhenHeHears) {
  DekCache cache(Heard(10), clock_);
  const Bytes first = Seal(cache);
  clock_.Advance(9);
  EXPECT_EQ(Seal(cache), first) << "nobody hears, and it is young";
  cache.SetHearing(Hearing::kHears);
  const Bytes second = Seal(cache);
  EXPECT_NE(second, first);
  const auto heard_meanwhile = [&] {
    cache.SetHearing(Hearing::kHears);
    return server_.Make();
  };
  ASSERT_TRUE(cache.ForSealing("key", {}, 1'000'000, heard_meanwhile, server_.Maker()));
  EXPECT_EQ(cache.counts().entries, 0u);
}

TEST_F(DekCacheTest, NobodyHearingADekIsUsedForTheShorterTime) {
  DekCache cache(Heard(10), clock_);
  cache.SetHearing(Hearing::kHears);
  const Bytes first = Seal(cache);
  clock_.Advance(50);
  EXPECT_EQ(Seal(cache), first);
  cache.SetHearing(Hearing::kDeaf);
  clock_.Advance(9);
  cache.SetHearing(Hearing::kDeaf);  // said twice is not heard since
  EXPECT_EQ(Seal(cache), first) << "the end of its key would have been heard until 9 s ago";
  clock_.Advance(1);
  const Bytes second = Seal(cache);
  EXPECT_NE(second, first);
  clock_.Advance(9);
  EXPECT_EQ(Seal(cache), second);
  clock_.Advance(1);
  EXPECT_NE(Seal(cache), second);
}

TEST_F(DekCacheTest, NobodyHearingNothingIsKeptWhereNoTimeIsGiven) {
  DekCache cache(Heard(0), clock_);
  EXPECT_NE(Seal(cache), Seal(cache));
  cache.SetHearing(Hearing::kHears);
  const Bytes kept = Seal(cache);
  EXPECT_EQ(Seal(cache), kept);
  cache.SetHearing(Hearing::kDeaf);
  EXPECT_EQ(cache.counts().entries, 0u) << "at once";
}

TEST_F(DekCacheTest, WhoIsRefusedUsesNothing) {
  DekCache cache(Heard(10), clock_);
  cache.SetHearing(Hearing::kHears);
  EXPECT_TRUE(cache.counts().hears);
  Seal(cache);
  cache.SetHearing(Hearing::kRefused);
  EXPECT_FALSE(cache.counts().hears);
  EXPECT_EQ(cache.counts().entries, 0u);
  EXPECT_NE(Seal(cache), Seal(cache));
}

// Whatever is asked, and whenever the cache's thread gets to its work: no limit is passed by one.
TEST_F(DekCacheTest, KeepsItsLimitsWhateverHappens) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::uint32_t n) { return random() % n; };
  for (int round = 0; round < 40; ++round) {
    const DekCacheLimits limits{.time = seconds(1 + below(20)),
                                .uses = 1 + below(20),
                                .bytes = 1 + below(500),
                                .entries = 1 + below(5),
                                .refresh = seconds(below(10))};
    struct Used {
      std::uint64_t uses = 0, bytes = 0;
    };
    std::map<Bytes, Used> used;
    std::mutex made_mutex;
    std::map<Bytes, std::int64_t> asked_at;
    std::int64_t denied_since = 0;  // 0: allowed
    const auto make = [&]() -> Result<WrappedDek> {
      const std::int64_t asked = clock_.Now();
      WrappedDek dek = TRY(server_.Make());
      const std::lock_guard lock(made_mutex);
      asked_at[dek.edks[0].ciphertext] = asked;
      return dek;
    };
    DekCache cache(limits, clock_);
    for (int step = 0; step < 500; ++step) {
      if (below(8) == 0) clock_.Advance(below(8));
      if (below(200) == 0) cache.Flush();
      if (below(60) == 0) {
        denied_since = denied_since == 0 ? clock_.Now() : 0;
        server_.failure = denied_since == 0 ? std::nullopt : std::optional(Code::kDenied);
      }
      const std::uint64_t bytes = below(limits.bytes + 20);
      const std::string name(1, static_cast<char>('a' + below(6)));
      const auto dek = cache.ForSealing(name, {}, bytes, make, make);
      if (!dek) {
        ASSERT_NE(denied_since, 0);
        continue;
      }
      const Bytes& number = (*dek)->edks[0].ciphertext;
      Used& use = used[number];
      ++use.uses;
      use.bytes += bytes;
      ASSERT_LE(use.uses, limits.uses);
      ASSERT_TRUE(use.bytes <= limits.bytes || use.uses == 1) << use.bytes;
      {
        const std::lock_guard lock(made_mutex);
        ASSERT_LT(clock_.Now() - asked_at.at(number), limits.time.count());
      }
      if (denied_since != 0) {
        ASSERT_LT(clock_.Now() - denied_since, limits.time.count()) << "revoked too long ago";
      }
      ASSERT_LE(cache.counts().entries, limits.entries);
    }
    server_.failure = std::nullopt;
  }
}

TEST_F(DekCacheTest, ManyThreadsTogetherKeepTheLimits) {
  DekCacheLimits limits = Generous();
  limits.uses = 50;
  limits.bytes = 200;
  limits.refresh = seconds(10);
  DekCache cache(limits, clock_);
  std::mutex mutex;
  std::map<Bytes, std::pair<std::uint64_t, std::uint64_t>> used;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          const std::uint64_t bytes = static_cast<std::uint64_t>((i + t) % 9);
          const Bytes dek = Seal(cache, bytes);
          const std::lock_guard lock(mutex);
          ++used[dek].first;
          used[dek].second += bytes;
        }
      });
    }
  }
  for (const auto& [dek, sums] : used) {
    EXPECT_LE(sums.first, limits.uses);
    EXPECT_LE(sums.second, limits.bytes);
  }
  EXPECT_GE(used.size(), 80u);
}

}  // namespace
}  // namespace dare::envelope
