#include "server/issued_chain.h"

#include <gtest/gtest.h>

namespace dare::server {
namespace {

TEST(CertificateMark, IsTheSameAfterItWasWritten) {
  const CertificateMark whole{.serial = "1f3a",
                              .chain = {{{.issuer = 12, .serial = {0x1f, 0x3a}},
                                         {.issuer = std::nullopt, .serial = {0x00, 0xff}},
                                         {.issuer = 0, .serial = {0x07}}}}};
  EXPECT_EQ(whole.Text(), "1f3a 12:1f3a -:00ff 0:07");
  for (const CertificateMark& mark :
       {whole, CertificateMark{.serial = "7", .chain = {}}, CertificateMark{}}) {
    const Result<CertificateMark> read = CertificateMark::Parse(mark.Text());
    ASSERT_TRUE(read) << mark.Text();
    EXPECT_EQ(*read, mark);
  }
}

TEST(CertificateMark, RefusesWhatItDidNotWrite) {
  for (const char* text : {"7 ", "7 1", "7 :07", "7 1:0", "7 1x:07", "7 -1:07", "7 1:07 ",
                           "7 99999999999999999999999:07", "7 1:zz"}) {
    const Result<CertificateMark> read = CertificateMark::Parse(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kMalformed) << text;
  }
}

}  // namespace
}  // namespace dare::server
