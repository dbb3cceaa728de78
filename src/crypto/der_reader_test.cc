#include "crypto/der_reader.h"

#include <gtest/gtest.h>

#include "crypto/signed_der.h"

namespace dare::crypto {
namespace {

constexpr std::uint8_t kOctets = 0x04;

TEST(DerReader, ReadsElementsOneBehindTheOther) {
  for (const std::size_t size : {0u, 1u, 127u, 128u, 255u, 256u, 65536u}) {
    Bytes both = DerElement(kOctets, Bytes(size, 7));
    Append(both, Bytes{0x02, 0x01, 0x05});
    DerReader in(both);
    EXPECT_TRUE(in.At(kOctets));
    const auto first = in.Next(kOctets);
    ASSERT_TRUE(first) << size;
    EXPECT_EQ(first->content.size(), size);
    EXPECT_EQ(first->whole.size(), both.size() - 3);
    EXPECT_FALSE(in.End()) << "something is left";
    const auto second = in.Next();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->tag, 0x02);
    EXPECT_EQ(ToBytes(second->content), Bytes{0x05});
    EXPECT_TRUE(in.empty());
    EXPECT_TRUE(in.End());
    EXPECT_FALSE(in.Next());
  }
}

TEST(DerReader, RefusesEveryCut) {
  const Bytes whole = DerElement(kOctets, Bytes(300, 7));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    DerReader in(ByteView(whole).first(size));
    EXPECT_FALSE(in.Next()) << size;
  }
}

TEST(DerReader, RefusesWhatIsBerOnlyOrTooLong) {
  const Bytes refused[] = {
      {0x04, 0x80, 0x00, 0x00},                    // indefinite
      {0x04, 0x81, 0x01, 0x00},                    // one byte of length would have done
      {0x04, 0x82, 0x00, 0x80},                    // likewise two, with nothing behind
      {0x1f, 0x01, 0x00},                          // a tag of several bytes
      {0x04, 0x85, 0x01, 0x00, 0x00, 0x00, 0x00},  // a length of five bytes
      {0x04, 0x84, 0xff, 0xff, 0xff, 0xff},        // beyond the end
  };
  for (const Bytes& bytes : refused) {
    DerReader in(bytes);
    const auto read = in.Next();
    ASSERT_FALSE(read) << ToHex(bytes);
    EXPECT_EQ(read.error().code, Code::kMalformed);
  }
  Bytes padded{0x04, 0x82, 0x00, 0x80};
  padded.resize(4 + 128);
  DerReader in(padded);
  EXPECT_FALSE(in.Next()) << "a length with a leading zero";
}

TEST(DerReader, RefusesAnotherTag) {
  const Bytes number{0x02, 0x01, 0x05};
  DerReader in(number);
  EXPECT_FALSE(in.Next(kOctets));
  EXPECT_TRUE(in.Next(0x02)) << "and leaves it where it is";
}

}  // namespace
}  // namespace dare::crypto
