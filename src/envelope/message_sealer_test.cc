#include "envelope/message_sealer.h"

#include <gtest/gtest.h>

#include <set>

#include "envelope/envelope_for_test.h"
#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

MessageOptions FramesOf(std::uint32_t length) {
  MessageOptions options;
  options.frame_length = length;
  return options;
}

TEST(MessageSealer, EveryMessageHasItsOwnIdAndDek) {
  const Keyring keks = KekForTest(1);
  std::set<Bytes> ids, wrapped;
  for (int i = 0; i < 20; ++i) {
    const MessageSealer sealer = MessageSealer::Create(keks, FramesOf(100)).value();
    MemorySource in(sealer.header());
    const MessageHeader header = ReadHeader(in, {}).value();
    EXPECT_TRUE(ids.insert(header.message_id).second);
    EXPECT_TRUE(wrapped.insert(header.commitment).second);
  }
}

// Format, section 9: the same number under the same key would meet two plaintexts.
TEST(MessageSealer, HandsOutEachFrameNumberOnceAndNothingAfterTheFinalOne) {
  MessageSealer sealer = MessageSealer::Create(KekForTest(1), FramesOf(100)).value();
  EXPECT_EQ(sealer.NextFrame(false)->sequence(), 1u);
  EXPECT_EQ(sealer.NextFrame(false)->sequence(), 2u);
  EXPECT_EQ(sealer.NextFrame(true)->sequence(), 3u);
  EXPECT_EQ(sealer.NextFrame(false).error().code, Code::kInternal);
  EXPECT_EQ(sealer.NextFrame(true).error().code, Code::kInternal);
}

TEST(MessageSealer, IsNotCopyable) {
  static_assert(!std::is_copy_constructible_v<MessageSealer>);
  static_assert(!std::is_copy_assignable_v<MessageSealer>);
}

TEST(MessageSealer, RefusesNoKeyTooManyKeysAndBadFrameLengths) {
  const Keyring one = KekForTest(1);
  EXPECT_EQ(MessageSealer::Create({}, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(MessageSealer::Create(Keyring(17, one[0]), {}).error().code, Code::kTooLarge);
  EXPECT_EQ(MessageSealer::Create(one, FramesOf(0)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(MessageSealer::Create(one, FramesOf(kMostFrameLength + 1)).error().code,
            Code::kInvalidArgument);
}

// Gives back copies of the DEK that nobody can unwrap.
class BrokenWrapper final : public KeyWrapper {
 public:
  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView) override {
    return MakeAesEdk("kms", "broken", Bytes(12), Bytes(dek.size()), Bytes(16), dek.size());
  }
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey&, ByteView) override {
    ++unwraps;
    return std::optional<Dek>(Dek(SecretBytes::OfSize(32).value()));
  }
  int unwraps = 0;
};

// Format, section 5.3: "decrypt once before the DEK is used; a corrupt EDK is total loss".
TEST(MessageSealer, RefusesAKmsWhoseWrappingDoesNotUnwrap) {
  auto broken = std::make_shared<BrokenWrapper>();
  EXPECT_EQ(MessageSealer::Create({broken}, {}).error().code, Code::kInternal);
  EXPECT_EQ(broken->unwraps, 1);
  MessageOptions trusting;
  trusting.verify_wraps = false;
  EXPECT_TRUE(MessageSealer::Create({broken}, trusting));
  EXPECT_EQ(broken->unwraps, 1);
}

TEST(MessageSealer, WholeMessageOpens) {
  const Keyring keks = KekForTest(1);
  MessageSealer sealer = MessageSealer::Create(keks, FramesOf(100)).value();
  const Bytes message = std::move(sealer).SealWhole(PatternForTest(100)).value();
  const WipingBytes plain = OpenMessage(message, keks, {}).value();
  EXPECT_EQ(Bytes(plain.begin(), plain.end()), PatternForTest(100));
}

TEST(MessageSealer, WritesASignatureOnRequestThatCoversEveryByte) {
  const Keyring keks = KekForTest(1);
  MessageOptions options = FramesOf(100);
  options.suite = kSuiteWrittenSigned;
  ASSERT_TRUE(options.context.Add("tenant", "acme"));
  for (const std::size_t size : {0, 1, 99, 100, 101, 1000}) {
    const Bytes plain = PatternForTest(size);
    MessageSealer sealer = MessageSealer::Create(keks, options).value();
    MemorySource in(plain);
    MemorySink out;
    ASSERT_TRUE(out.Write(sealer.header()));
    SealInput input;
    input.stream = &in;
    SealOutput output;
    output.stream = &out;
    FlowOptions flow;
    flow.workers = 3;
    ASSERT_TRUE(SealBody(sealer, input, output, flow));
    Bytes message(out.bytes().begin(), out.bytes().end());
    const WipingBytes opened = OpenMessage(message, keks, {}).value();
    EXPECT_EQ(Bytes(opened.begin(), opened.end()), plain);
    EXPECT_GT(sealer.footer_size(), 2u);
    for (std::size_t at = 0; at<message.size(); at += size> 100 ? 13 : 1) {
      message[at] ^= 0x40;
      ASSERT_FALSE(OpenMessage(message, keks, {})) << at;
      message[at] ^= 0x40;
    }
  }
}

TEST(MessageSealer, WritesNoOtherSuite) {
  for (const std::uint16_t suite : {0x0014, 0x0178, 0x0378, 0x0479}) {
    MessageOptions options;
    options.suite = suite;
    EXPECT_EQ(MessageSealer::Create(KekForTest(1), options).error().code, Code::kInvalidArgument);
  }
}

TEST(MessageSealer, ASignedMessageIsOnlyWrittenInOrder) {
  MessageOptions options;
  options.suite = kSuiteWrittenSigned;
  MessageSealer sealer = MessageSealer::Create(KekForTest(1), options).value();
  MemorySource in({});
  SealInput input;
  input.stream = &in;
  EXPECT_EQ(SealBody(sealer, input, SealOutput{}, {}).error().code, Code::kInternal);
}

}  // namespace
}  // namespace dare::envelope
