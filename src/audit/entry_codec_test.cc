#include "audit/entry_codec.h"

#include <gtest/gtest.h>

#include <string>

namespace dare::audit {
namespace {

NumberedEntry Some(std::uint64_t sequence) {
  return {.sequence = sequence,
          .entry = {.time = 1'700'000'000,
                    .principal = "alice",
                    .address = "127.0.0.1:1",
                    .operation = "Create",
                    .object_id = "o",
                    .outcome = Outcome::kDenied,
                    .rule = "r",
                    .request_id = "q",
                    .result_reason = 12,
                    .detail = "not \"allowed\"\n",
                    .version = 3,
                    .group = 812}};
}

TEST(EntryCodec, GivesBackWhatItWasGiven) {
  const auto back = DecodeEntries(EncodeEntries(std::vector{Some(7), NumberedEntry{}, Some(9)}));
  ASSERT_TRUE(back.has_value());
  ASSERT_EQ(back->size(), 3u);
  const NumberedEntry& last = (*back)[2];
  EXPECT_EQ(last.sequence, 9u);
  EXPECT_EQ(last.entry.time, 1'700'000'000);
  EXPECT_EQ(last.entry.principal, "alice");
  EXPECT_EQ(last.entry.address, "127.0.0.1:1");
  EXPECT_EQ(last.entry.operation, "Create");
  EXPECT_EQ(last.entry.object_id, "o");
  EXPECT_EQ(last.entry.outcome, Outcome::kDenied);
  EXPECT_EQ(last.entry.rule, "r");
  EXPECT_EQ(last.entry.request_id, "q");
  EXPECT_EQ(last.entry.result_reason, 12u);
  EXPECT_EQ(last.entry.detail, "not \"allowed\"\n");
  EXPECT_EQ(last.entry.version, 3u);
  EXPECT_EQ(last.entry.group, 812u);
}

TEST(EntryCodec, ReadsEntriesFromBeforeTheyToldVersions) {
  Bytes old = EncodeEntries(std::vector{Some(7)});
  old.erase(old.begin() + 21, old.begin() + 37);
  const auto back = DecodeEntries(old, EntryForm::kWithoutVersions);
  ASSERT_TRUE(back.has_value());
  ASSERT_EQ(back->size(), 1u);
  EXPECT_EQ(back->at(0).entry.principal, "alice");
  EXPECT_EQ(back->at(0).entry.detail, "not \"allowed\"\n");
  EXPECT_EQ(back->at(0).entry.group, 0u);
}

TEST(EntryCodec, KeepsNoMoreOfATextThanTheLogAndThatItWasCut) {
  NumberedEntry one = Some(1);
  one.entry.request_id = std::string(100'000, 'x');
  const auto back = DecodeEntries(EncodeEntries(std::vector{one}));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->at(0).entry.request_id, std::string(kMostFieldBytes + 1, 'x'));
}

TEST(EntryCodec, RefusesEveryCutAndAnUnknownOutcome) {
  const Bytes whole = EncodeEntries(std::vector{Some(1)});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(DecodeEntries(ByteView(whole).first(size)).error().code, Code::kMalformed) << size;
  }
  Bytes changed = whole;
  changed[16] = 3;
  EXPECT_FALSE(DecodeEntries(changed).has_value());
  changed = whole;
  changed[37] = 0xFF;  // the length of the first text
  EXPECT_FALSE(DecodeEntries(changed).has_value());
}

}  // namespace
}  // namespace dare::audit
