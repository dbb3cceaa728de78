#include "envelope/seekable_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "envelope/envelope_for_test.h"
#include "envelope/sealed_file.h"

namespace dare::envelope {
namespace {

constexpr std::uint32_t kFrame = 100;
constexpr std::size_t kSize = 1234;  // twelve frames and a piece

class MemoryReader final : public RandomReader {
 public:
  explicit MemoryReader(Bytes bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableBytes buffer) const override {
    ++reads;
    if (offset > bytes_.size()) return std::size_t{0};
    MemorySource rest(ByteView(bytes_).subspan(static_cast<std::size_t>(offset)));
    return rest.Read(buffer);
  }
  mutable std::atomic<int> reads{0};

 private:
  Bytes bytes_;
};

SealOptions Frames(std::uint16_t suite = kSuiteWritten) {
  SealOptions options;
  options.frame_length = kFrame;
  options.suite = suite;
  options.replace = true;
  return options;
}

Bytes SealForTest(ByteView plain, std::uint16_t suite = kSuiteWritten) {
  MemorySource in(plain);
  MemorySink out;
  EXPECT_TRUE(SealStream(in, out, KekForTest(1), Frames(suite)));
  return Bytes(out.bytes().begin(), out.bytes().end());
}

Bytes Slice(const Bytes& plain, std::uint64_t offset, std::uint64_t length) {
  const std::size_t from = static_cast<std::size_t>(std::min<std::uint64_t>(offset, plain.size()));
  const std::size_t n =
      static_cast<std::size_t>(std::min<std::uint64_t>(length, plain.size() - from));
  return Bytes(plain.begin() + static_cast<std::ptrdiff_t>(from),
               plain.begin() + static_cast<std::ptrdiff_t>(from + n));
}

Result<Bytes> ReadPart(const SeekableReader& reader, std::uint64_t offset, std::size_t length) {
  Bytes buffer(length, 0xEE);
  buffer.resize(TRY(reader.ReadAt(offset, buffer)));
  return buffer;
}

// Offsets and lengths at and around every border, and some from a printed seed.
std::vector<PlainRange> RangesForTest(std::size_t size) {
  std::vector<PlainRange> ranges;
  for (std::uint64_t frame = 0; frame <= size / kFrame + 1; ++frame) {
    for (const std::uint64_t offset :
         {frame * kFrame, frame * kFrame + 1, frame * kFrame + kFrame - 1}) {
      for (const std::uint64_t length : {0, 1, 99, 100, 101, 250})
        ranges.push_back({offset, length});
    }
  }
  const unsigned seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 500; ++i) ranges.push_back({random() % (size + 50), random() % (size + 50)});
  ranges.push_back({0, ~std::uint64_t{0}});
  return ranges;
}

TEST(SeekableReader, GivesThePartsOfThePlaintextAtEveryBorder) {
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{kFrame}, std::size_t{2 * kFrame}, kSize}) {
    for (const std::uint16_t suite : {kSuiteWritten, kSuiteWrittenSigned}) {
      const Bytes plain = PatternForTest(size);
      const MemoryReader file(SealForTest(plain, suite));
      const auto reader = SeekableReader::OpenSealed(file, KekForTest(1));
      ASSERT_TRUE(reader) << reader.error().message;
      EXPECT_EQ((*reader)->size(), size);
      EXPECT_EQ((*reader)->signature_unchecked(), suite == kSuiteWrittenSigned);
      for (const PlainRange& range : RangesForTest(size)) {
        const auto length =
            static_cast<std::size_t>(std::min<std::uint64_t>(range.length, size + 60));
        ASSERT_EQ(ReadPart(**reader, range.offset, length).value(),
                  Slice(plain, range.offset, length))
            << range.offset << ":" << length;
      }
    }
  }
}

TEST(SeekableReader, OpensAFrameOnceForNeighbouringReads) {
  const MemoryReader file(SealForTest(PatternForTest(kSize)));
  const auto reader = SeekableReader::OpenSealed(file, KekForTest(1)).value();
  const int before = file.reads;
  for (std::uint64_t offset = 200; offset < 300; ++offset)
    ASSERT_TRUE(ReadPart(*reader, offset, 1));
  EXPECT_EQ(file.reads - before, 1);
}

TEST(SeekableReader, IsThreadSafe) {
  const Bytes plain = PatternForTest(50'000);
  const MemoryReader file(SealForTest(plain));
  const auto reader = SeekableReader::OpenSealed(file, KekForTest(1)).value();
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        for (int i = 0; i < 500; ++i) {
          const std::uint64_t offset = random() % plain.size();
          const std::size_t length = random() % 700;
          const auto part = ReadPart(*reader, offset, length);
          if (!part || *part != Slice(plain, offset, length)) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(SeekableReader, ChecksTheSizeFirst) {
  const Bytes sealed = SealForTest(PatternForTest(kSize));
  for (const std::size_t cut : {1u, 40u, 132u, 34u + 40u}) {
    Bytes shorter = sealed;
    shorter.resize(shorter.size() - cut);
    const MemoryReader file(shorter);
    const auto reader = SeekableReader::OpenSealed(file, KekForTest(1));
    ASSERT_FALSE(reader) << cut;
    EXPECT_EQ(reader.error().code, Code::kDamaged);
  }
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(SeekableReader::OpenSealed(MemoryReader(longer), KekForTest(1)));
  EXPECT_FALSE(SeekableReader::OpenSealed(MemoryReader(sealed), KekForTest(2)));
}

TEST(SeekableReader, NoticesDamageInAFrameItNeedsAndWipesTheBuffer) {
  Bytes sealed = SealForTest(PatternForTest(kSize));
  const std::size_t body = sealed.size() - (12 * (kFrame + 32) + 40 + kSize % kFrame);
  sealed[body + 3 * (kFrame + 32) + 50] ^= 1;  // in the fourth frame: bytes 300 to 399
  const MemoryReader file(sealed);
  const auto reader = SeekableReader::OpenSealed(file, KekForTest(1)).value();
  EXPECT_EQ(ReadPart(*reader, 0, 300).value().size(), 300u);
  EXPECT_EQ(ReadPart(*reader, 400, 800).value().size(), 800u);
  Bytes buffer(150, 0xEE);
  const auto damaged = reader->ReadAt(200, buffer);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Code::kDamaged);
  EXPECT_EQ(Bytes(buffer.begin(), buffer.begin() + 100), Bytes(100, 0));
  EXPECT_FALSE(ReadPart(*reader, 399, 1));
  EXPECT_TRUE(ReadPart(*reader, 299, 1));
}

TEST(SeekableReader, OpensBareMessagesOfEveryShape) {
  const std::string vectors = std::string(DARE_SHARED_DIR) + "/vectors/esdk-generated/";
  if (!FileExists(vectors)) GTEST_SKIP() << "no known answers at " << vectors;
  const MemoryReader file(ReadForTest(vectors + "messages/o-nonframed-0478"));
  const Keyring key{
      RawAesKeyWrapper::Create(
          "kmip:kms1.example", "devset-aes256-a",
          SecretForTest(FromHex("8aa22e999b37a5c68cdcad63853c36f2630203b15b9a9a59571246"
                                "197b2703c9")
                            .value()))
          .value()};
  const auto reader = SeekableReader::OpenMessage(file, key);
  ASSERT_TRUE(reader) << reader.error().message;
  const Bytes whole = ReadPart(**reader, 0, 1 << 16).value();
  EXPECT_EQ(whole.size(), (*reader)->size());
  EXPECT_EQ(ReadPart(**reader, 5, 7).value(), Slice(whole, 5, 7));
  EXPECT_TRUE(ReadPart(**reader, whole.size(), 7).value().empty());
}

// The same property through files, as `dare open --range` does it.
TEST(OpenFileRange, WritesThePartAndNothingElse) {
  const FolderForTest folder;
  const Bytes plain = PatternForTest(kSize);
  for (const std::uint16_t suite : {kSuiteWritten, kSuiteWrittenSigned}) {
    WriteForTest(folder / "sealed", SealForTest(plain, suite));
    const std::vector<PlainRange> ranges = RangesForTest(kSize);
    for (std::size_t i = 0; i < ranges.size(); i += 11) {  // each is a file that is synced
      const PlainRange& range = ranges[i];
      OpenOptions options;
      options.replace = true;
      options.flow.workers = 2;
      options.range = range;
      const auto opened = OpenFile(folder / "sealed", folder / "part", KekForTest(1), options);
      if (range.offset > kSize) {
        ASSERT_FALSE(opened);
        ASSERT_EQ(opened.error().code, Code::kInvalidArgument);
        continue;
      }
      ASSERT_TRUE(opened) << range.offset << ":" << range.length << " " << opened.error().message;
      const Bytes expected = Slice(plain, range.offset, range.length);
      ASSERT_EQ(ReadForTest(folder / "part"), expected) << range.offset << ":" << range.length;
      ASSERT_EQ(opened->plaintext_bytes, expected.size());
    }
  }
}

TEST(OpenFileRange, DamageOutsideIsNotNoticedAndInsideIs) {
  const FolderForTest folder;
  Bytes sealed = SealForTest(PatternForTest(kSize));
  const std::size_t body = sealed.size() - (12 * (kFrame + 32) + 40 + kSize % kFrame);
  sealed[body + 3 * (kFrame + 32) + 50] ^= 1;
  WriteForTest(folder / "sealed", sealed);
  const auto open = [&](std::uint64_t offset, std::uint64_t length) {
    OpenOptions options;
    options.replace = true;
    options.range = PlainRange{offset, length};
    return OpenFile(folder / "sealed", folder / "part", KekForTest(1), options);
  };
  EXPECT_TRUE(open(0, 300));
  EXPECT_TRUE(open(400, 1000));
  const auto damaged = open(399, 1);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::envelope
