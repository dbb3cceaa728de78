#include "base/bytes.h"

#include <gtest/gtest.h>

namespace dare {
namespace {

TEST(Bytes, HexGoesThereAndBack) {
  EXPECT_EQ(ToHex(*FromHex("00ffA5")), "00ffa5");
  EXPECT_EQ(FromHex("0").error().code, Code::kMalformed);
  EXPECT_EQ(FromHex("0g").error().code, Code::kMalformed);
}

TEST(Bytes, Base64GoesThereAndBack) {
  // RFC 4648, section 10
  EXPECT_EQ(ToBase64(AsBytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(ToBase64(AsBytes("foob")), "Zm9vYg==");
  EXPECT_EQ(AsText(*FromBase64("Zm9v\nYg==\n")), "foob");
  EXPECT_EQ(FromBase64("Zm9v!").error().code, Code::kMalformed);
}

TEST(Bytes, IntegersAreBigEndian) {
  std::uint8_t buffer[8];
  PutU64(buffer, 0x0102030405060708);
  EXPECT_EQ(buffer[0], 1);
  EXPECT_EQ(GetU64(buffer), 0x0102030405060708u);
  EXPECT_EQ(GetU32(buffer), 0x01020304u);
  EXPECT_EQ(GetU16(buffer), 0x0102u);
}

TEST(Bytes, Utf8RefusesOverlongSurrogatesAndBeyondUnicode) {
  EXPECT_TRUE(IsValidUtf8(AsBytes("gr\xc3\xbc\xc3\x9f \xf0\x9f\x94\x91")));
  EXPECT_TRUE(IsValidUtf8({}));
  for (const char* bad : {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
                          "\xc3", "\xe2\x82", "\x80"}) {
    EXPECT_FALSE(IsValidUtf8(AsBytes(bad))) << ToHex(AsBytes(bad));
  }
}

}  // namespace
}  // namespace dare
