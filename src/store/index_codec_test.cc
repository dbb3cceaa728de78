#include "store/index_codec.h"

#include <gtest/gtest.h>

namespace dare::store {
namespace {

std::vector<IndexEntry> SomeEntries() {
  return {{.tag = 0x420053, .key = "backup", .scope = "alice", .unique = true},
          {.tag = 0x420056, .key = std::string("a\0b", 3), .scope = ""},
          {.tag = 0xFFFFFFFF, .key = std::string(kMaxIndexKey, 'x'), .scope = "s"}};
}

TEST(IndexCodec, GivesBackWhatItWrote) {
  const auto entries = DecodeIndex(EncodeIndex(SomeEntries()));
  ASSERT_TRUE(entries.has_value());
  EXPECT_EQ(*entries, SomeEntries());
  EXPECT_TRUE(EncodeIndex({}).empty());
  EXPECT_TRUE(DecodeIndex({})->empty());
}

// docs/formats/record.md, "Index entries": a change here changes every stored database.
TEST(IndexCodec, KeepsItsLayout) {
  EXPECT_EQ(ToHex(EncodeIndex({{.tag = 0x420053, .key = "db", .scope = "eve", .unique = true}})),
            "0042005301"
            "00020003"
            "6462"
            "657665");
}

TEST(IndexCodec, RefusesEveryTruncation) {
  const Bytes whole = EncodeIndex({SomeEntries().front()});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const auto entries = DecodeIndex(ByteView(whole).first(size));
    ASSERT_FALSE(entries.has_value()) << size;
    EXPECT_EQ(entries.error().code, Code::kDamaged);
  }
}

TEST(IndexCodec, RefusesUnknownFlagsAndOverlongKeys) {
  Bytes flags = EncodeIndex({SomeEntries().front()});
  flags[4] = 2;
  EXPECT_EQ(DecodeIndex(flags).error().code, Code::kDamaged);
  const Bytes overlong = EncodeIndex({{.tag = 1, .key = std::string(kMaxIndexKey + 1, 'x')}});
  EXPECT_EQ(DecodeIndex(overlong).error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::store
