#include "engine/object_cache.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "base/clock.h"

namespace dare::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::shared_ptr<const StoredObject> Version(std::uint64_t row_version) {
  auto stored = std::make_shared<StoredObject>();
  stored->object.id = "a";
  stored->row_version = row_version;
  return stored;
}

TEST(ObjectCacheTest, OfAStoreOfItsOwnNothingIsLookedAtAgain) {
  ManualClockForTest clock;
  ObjectCache cache(16, seconds(300), clock);
  cache.Put(cache.TakeTicket("a"), Version(1));
  clock.Advance(299);
  EXPECT_NE(cache.Find("a").stored, nullptr);
  EXPECT_FALSE(cache.Find("a").look_again);
  clock.Advance(1);
  EXPECT_EQ(cache.Find("a").stored, nullptr);
}

TEST(ObjectCacheTest, OfASharedStoreAnObjectIsLookedAtAgainAfterItsTime) {
  ManualClockForTest clock;
  ObjectCache cache(16, seconds(300), clock, milliseconds(900));
  cache.Put(cache.TakeTicket("a"), Version(1));
  EXPECT_FALSE(cache.Find("a").look_again);
  clock.Advance(1);
  EXPECT_TRUE(cache.Find("a").look_again);
  const ObjectCache::Ticket asked = cache.TakeTicket("a");
  clock.Advance(1);
  cache.Confirm(asked, *Version(1));
  EXPECT_TRUE(cache.Find("a").look_again) << "the answer is as old as the question";
  cache.Confirm(cache.TakeTicket("a"), *Version(1));
  EXPECT_FALSE(cache.Find("a").look_again);
}

TEST(ObjectCacheTest, StrictlyEveryUseIsLookedAt) {
  ManualClockForTest clock;
  ObjectCache cache(16, seconds(300), clock, milliseconds(0));
  cache.Put(cache.TakeTicket("a"), Version(1));
  EXPECT_TRUE(cache.Find("a").look_again);
}

TEST(ObjectCacheTest, WhatWasForgottenMeanwhileIsNeitherPutNorConfirmed) {
  ManualClockForTest clock;
  ObjectCache cache(16, seconds(300), clock, milliseconds(900));
  ObjectCache::Ticket ticket = cache.TakeTicket("a");
  cache.Forget("a");
  cache.Put(ticket, Version(1));
  EXPECT_EQ(cache.Find("a").stored, nullptr);
  cache.Put(cache.TakeTicket("a"), Version(1));
  clock.Advance(1);
  cache.Confirm(cache.TakeTicket("a"), *Version(2));
  EXPECT_TRUE(cache.Find("a").look_again) << "another version";
}

}  // namespace
}  // namespace dare::engine
