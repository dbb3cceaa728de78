#include "identity/key_source.h"

#include <gtest/gtest.h>

#include <optional>

#include "identity/tokens_for_test.h"

namespace dare::identity {
namespace {

class KeySourceTest : public testing::Test {
 protected:
  // The ids of the keys there are, or "none".
  static std::string Ids(const Result<KeySource::Keys>& keys) {
    if (!keys) {
      EXPECT_EQ(keys.error().code, Code::kUnavailable);
      return "none";
    }
    std::string ids;
    for (const JsonWebKey& key : **keys) ids += key.id;
    return ids;
  }
  static std::string SetOf(const std::string& id) {
    std::string key(published::kEdKey);
    key.pop_back();
    return "{\"keys\":[" + key + R"(,"kid":")" + id + "\"}]}";
  }

  ManualClockForTest clock_;
  std::optional<std::string> text_ = SetOf("a");
  int fetched_ = 0;
  KeySource source_{[this]() -> Result<std::string> {
                      ++fetched_;
                      if (!text_) return Error(Code::kTimeout, "away");
                      return *text_;
                    },
                    {.refresh_seconds = 3600, .oldest_seconds = 86400, .between_seconds = 30},
                    clock_};
};

TEST_F(KeySourceTest, FetchesWhenSomebodyAsksAndAgainWhenTheyAreOld) {
  EXPECT_EQ(fetched_, 0);
  EXPECT_EQ(Ids(source_.Current()), "a");
  EXPECT_EQ(Ids(source_.Current()), "a");
  EXPECT_EQ(fetched_, 1);
  text_ = SetOf("b");
  clock_.Advance(3599);
  EXPECT_EQ(Ids(source_.Current()), "a");
  clock_.Advance(1);
  EXPECT_EQ(Ids(source_.Current()), "b");
  EXPECT_EQ(fetched_, 2);
}

TEST_F(KeySourceTest, AnUnknownKeyFetchesNoMoreOftenThanTheBound) {
  const KeySource::Keys first = *source_.Current();
  text_ = SetOf("b");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ids(source_.NewerThan(first)), "a");
  EXPECT_EQ(fetched_, 1);
  clock_.Advance(30);
  EXPECT_EQ(Ids(source_.NewerThan(first)), "b");
  EXPECT_EQ(fetched_, 2);
  // Who asked by the keys from before gets the new ones without a fetch.
  EXPECT_EQ(Ids(source_.NewerThan(first)), "b");
  EXPECT_EQ(fetched_, 2);
}

TEST_F(KeySourceTest, TheLastGoodKeysAreUsedUntilTheyAreTooOld) {
  EXPECT_EQ(Ids(source_.Current()), "a");
  for (const std::optional<std::string>& bad :
       {std::optional<std::string>(), std::optional<std::string>("{}"),
        std::optional<std::string>("{\"keys\":[]}")}) {
    text_ = bad;
    clock_.Advance(3600);
    EXPECT_EQ(Ids(source_.Current()), "a");
  }
  EXPECT_EQ(fetched_, 4);
  clock_.Advance(86400 - 3 * 3600);
  EXPECT_EQ(Ids(source_.Current()), "a");
  clock_.Advance(1);
  EXPECT_EQ(Ids(source_.Current()), "none");
  text_ = SetOf("c");
  clock_.Advance(30);
  EXPECT_EQ(Ids(source_.Current()), "c");
}

TEST_F(KeySourceTest, WhileTheIssuerIsAwayItIsNotAskedAgainAndAgain) {
  text_.reset();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ids(source_.Current()), "none");
  EXPECT_EQ(fetched_, 1);
}

}  // namespace
}  // namespace dare::identity
