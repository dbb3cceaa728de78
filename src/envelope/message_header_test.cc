#include "envelope/message_header.h"

#include <gtest/gtest.h>

#include "envelope/envelope_for_test.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"

namespace dare::envelope {
namespace {

Bytes MessageForTest() {
  MessageOptions options;
  options.frame_length = 100;
  EXPECT_TRUE(options.context.Add("tenant", "acme"));
  return std::move(*MessageSealer::Create(KekForTest(1), options))
      .SealWhole(PatternForTest(60))
      .value();
}

Code ReadCode(ByteView bytes, const MessageLimits& limits = {}) {
  MemorySource in(bytes);
  const auto header = ReadHeader(in, limits);
  return header ? Code::kInternal : header.error().code;
}

TEST(MessageHeader, WritesWhatItReads) {
  const Bytes message = MessageForTest();
  MemorySource in(message);
  const MessageHeader header = ReadHeader(in, {}).value();
  EXPECT_EQ(EncodeHeaderBody(header).value(), header.body);
  EXPECT_EQ(header.size(), header.body.size() + 16);
  EXPECT_EQ(header.frame_length, 100u);
  ASSERT_EQ(header.edks.size(), 1u);
  EXPECT_EQ(header.edks[0].provider_id, "kmip:kms.example");
}

TEST(MessageHeader, RefusesEveryTruncation) {
  const Bytes message = MessageForTest();
  MemorySource in(message);
  const std::size_t size = ReadHeader(in, {})->size();
  for (std::size_t n = 0; n < size; ++n) {
    EXPECT_EQ(ReadCode(ByteView(message).first(n)), Code::kDamaged) << n;
  }
}

TEST(MessageHeader, NamesBase64Text) {
  MemorySource in(AsBytes("AgR4kUFUvu7J9L1SpVMmVk=="));
  EXPECT_NE(ReadHeader(in, {}).error().message.find("base64"), std::string::npos);
}

TEST(MessageHeader, LimitsApplyBeforeMemoryIsTaken) {
  const Bytes message = MessageForTest();
  MessageLimits limits;
  limits.header_bytes = 100;
  EXPECT_EQ(ReadCode(message, limits), Code::kDamaged);
  limits = {};
  limits.edks = 0;
  EXPECT_EQ(ReadCode(message, limits), Code::kDamaged);
  limits = {};
  limits.frame_length = 99;
  EXPECT_EQ(ReadCode(message, limits), Code::kDamaged);
  limits.frame_length = 100;
  EXPECT_EQ(ReadCode(message, limits), Code::kInternal) << "accepted";
}

TEST(MessageOpener, EveryFlippedBitOfAMessageIsRefused) {
  const Bytes message = MessageForTest();
  const Keyring keks = KekForTest(1);
  ASSERT_TRUE(OpenMessage(message, keks, {}));
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    Bytes damaged = message;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    const auto opened = OpenMessage(damaged, keks, {});
    ASSERT_FALSE(opened) << bit;
    EXPECT_EQ(opened.error().code, Code::kDamaged) << bit;
  }
}

TEST(MessageOpener, AuthenticationFailuresHaveOneText) {
  const Bytes message = MessageForTest();
  const auto text = [&](std::size_t from_end, const Keyring& keks) {
    Bytes damaged = message;
    if (from_end != 0) damaged[damaged.size() - from_end] ^= 1;
    return OpenMessage(damaged, keks, {}).error().message;
  };
  const std::string wrong_key = text(0, KekForTest(2));
  EXPECT_EQ(text(1, KekForTest(1)), wrong_key) << "frame tag";
  EXPECT_EQ(text(17 + 60 + 24, KekForTest(1)), wrong_key) << "header tag";
  EXPECT_EQ(text(17 + 60 + 24 + 16, KekForTest(1)), wrong_key) << "commitment";
}

}  // namespace
}  // namespace dare::envelope
