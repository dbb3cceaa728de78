#include "identity/base64url.h"

#include <gtest/gtest.h>

namespace dare::identity {
namespace {

std::string Read(std::string_view text) {
  const auto bytes = FromBase64Url(text);
  if (bytes) return std::string(AsText(*bytes));
  EXPECT_EQ(bytes.error().code, Code::kMalformed);
  return "refused";
}

TEST(Base64UrlTest, ReadsWhatJoseWrites) {
  EXPECT_EQ(Read(""), "");
  EXPECT_EQ(Read("Zg"), "f");
  EXPECT_EQ(Read("Zm8"), "fo");
  EXPECT_EQ(Read("Zm9v"), "foo");
  // RFC 7515, appendix C: 3 236 255 224 193
  EXPECT_EQ(*FromBase64Url("A-z_4ME"), (Bytes{3, 236, 255, 224, 193}));
}

TEST(Base64UrlTest, RefusesOtherWaysToWriteIt) {
  for (const char* bad : {"Zg==", "Zm8=", "A+z/4ME", "Zm 9v", "Zm9v\n", "Z", "Zm9vZ", "Zh", "Zm9",
                          "Zm9v.", "Zm\x80v", "="}) {
    EXPECT_EQ(Read(bad), "refused") << bad;
  }
  EXPECT_EQ(Read(std::string_view("Zm9\0", 4)), "refused");
}

}  // namespace
}  // namespace dare::identity
