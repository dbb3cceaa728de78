#include "ttlv/date_text.h"

#include <gtest/gtest.h>

namespace dare::ttlv {
namespace {

std::int64_t Seconds(std::string_view text) {
  const auto date = ParseDate(text);
  EXPECT_TRUE(date.has_value()) << text;
  return date ? date->seconds : -1;
}

std::string Written(std::int64_t seconds) {
  WipingBytes out;
  AppendDate(seconds, out);
  return std::string(AsText(out));
}

// The example of KMIP 1.0-1.4, section 9.1.2.
TEST(DateText, ReadsAndWritesTheStandardsExample) {
  EXPECT_EQ(Seconds("2008-03-14T11:56:40+00:00"), 0x47DA67F8);
  EXPECT_EQ(Written(0x47DA67F8), "2008-03-14T11:56:40+00:00");
}

TEST(DateText, ReadsZonesFractionsAndTheEndOfADay) {
  EXPECT_EQ(Seconds("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(Seconds("1970-01-01T00:00:00"), 0);
  EXPECT_EQ(Seconds("1970-01-01T10:00:00+10:00"), 0);
  EXPECT_EQ(Seconds("1970-01-01T10:00:00+1000"), 0);
  EXPECT_EQ(Seconds("1969-12-31T20:30:00-03:30"), 0);
  EXPECT_EQ(Seconds("1969-12-31T24:00:00Z"), 0);
  EXPECT_EQ(Seconds("1969-12-31T23:59:59.999999999Z"), -1);
  EXPECT_EQ(ParseDate("1970-01-01T00:00:00.5Z")->microseconds, 500000);
  EXPECT_EQ(ParseDate("1970-01-01T00:00:00.0000019Z")->microseconds, 1);
}

TEST(DateText, WritesEveryDateAsItIsRead) {
  for (const std::int64_t seconds :
       {-62135596800LL, -1LL, 0LL, 951782400LL, 4102444800LL, 253402300799LL}) {
    EXPECT_EQ(Seconds(Written(seconds)), seconds) << Written(seconds);
  }
  EXPECT_FALSE(IsWritableDate(-62135596801));
  EXPECT_FALSE(IsWritableDate(253402300800));
}

TEST(DateText, RefusesWhatIsNotADate) {
  for (const std::string_view text :
       {"", "2008", "2008-03-14", "2008-03-14T11:56", "2008-13-14T11:56:40Z",
        "2008-02-30T11:56:40Z", "2008-03-14T25:00:00Z", "2008-03-14T24:00:01Z",
        "2008-03-14T11:60:00Z", "2008-03-14T11:56:60Z", "2008-03-14T11:56:40.Z",
        "2008-03-14T11:56:40+15:00", "2008-03-14T11:56:40+1", "2008-03-14T11:56:40Z ",
        "2008-03-14 11:56:40Z", "0000-01-01T00:00:00Z", "-001-01-01T00:00:00Z",
        "12008-03-14T11:56:40Z", "2008-3-14T11:56:40Z"}) {
    EXPECT_FALSE(ParseDate(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace dare::ttlv
