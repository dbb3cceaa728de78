#include "ttlv/print.h"

#include "ttlv/limits.h"
#include "ttlv/writer.h"

namespace dare::ttlv {
namespace {

constexpr auto kOuter = static_cast<kmip::Tag>(0x420079);
constexpr auto kOne = static_cast<kmip::Tag>(0x420001);

TEST(Print, ShowsNumbersButNeverWhatMayBeASecret) {
  Writer out;
  out.Structure(kOuter, [&] {
    out.Integer(kOne, -5);
    out.Enumeration(kOne, 3);
    out.Boolean(kOne, true);
    out.Interval(kOne, 60);
    out.Text(kOne, "password");
    out.ByteString(kOne, AsBytes("key"));
    out.BigInteger(kOne, Bytes{5});
  });
  EXPECT_EQ(Print(out.bytes()),
            "420079 Structure, 112 bytes\n"
            "  420001 Integer -5\n"
            "  420001 Enumeration 0x00000003\n"
            "  420001 Boolean 1\n"
            "  420001 Interval 60\n"
            "  420001 Text String 8 bytes\n"
            "  420001 Byte String 3 bytes\n"
            "  420001 Big Integer 8 bytes\n");
}

TEST(Print, SaysWhereBytesStopBeingTtlv) {
  Writer out;
  out.Integer(kOne, 1);
  WipingBytes bytes = out.Take();
  bytes.resize(20);
  EXPECT_EQ(Print(bytes), "420001 Integer 1\n(TTLV: item header is cut off)\n");
}

TEST(Print, EndsInDeepNesting) {
  Writer out;
  std::vector<Writer::Mark> marks;
  for (std::size_t i = 0; i < 2 * kDeepestNesting; ++i) marks.push_back(out.Begin(kOuter));
  for (auto mark = marks.rbegin(); mark != marks.rend(); ++mark) out.End(*mark);
  EXPECT_THAT(Print(out.bytes()), testing::EndsWith("(nested too deeply)\n"));
}

}  // namespace
}  // namespace dare::ttlv
