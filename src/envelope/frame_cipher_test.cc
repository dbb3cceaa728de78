#include "envelope/frame_cipher.h"

#include <gtest/gtest.h>

namespace dare::envelope {
namespace {

// Format, section 8: the arithmetic is unique for every size, for both endings.
TEST(FrameLayout, IsTheInverseOfItselfForEverySize) {
  for (const std::uint32_t frame : {1u, 2u, 16u, 31u, 32u, 33u}) {
    for (std::uint64_t size = 0; size < 5 * frame + 3; ++size) {
      const FrameLayout made = FrameLayout::OfPlaintext(size, frame).value();
      EXPECT_EQ(made.plaintext_size(), size);
      const FrameLayout read = FrameLayout::OfBody(made.body_size(), frame).value();
      EXPECT_EQ(read.regular_frames, made.regular_frames);
      EXPECT_EQ(read.final_length, made.final_length);
    }
  }
}

TEST(FrameLayout, EvenPlaintextEndsInAFullFinalFrame) {
  const FrameLayout layout = FrameLayout::OfPlaintext(64, 32).value();
  EXPECT_EQ(layout.regular_frames, 1u);
  EXPECT_EQ(layout.final_length, 32u);
  EXPECT_EQ(FrameLayout::OfPlaintext(0, 32)->body_size(), kFinalFrameOverhead);
}

TEST(FrameLayout, RefusesSizesThatNoMessageHas) {
  EXPECT_EQ(FrameLayout::OfBody(39, 16).error().code, Code::kDamaged);
  // 40 + 17 … 40 + 47 lie between a full final frame and a regular frame with an empty final one.
  for (std::uint64_t body = 40 + 17; body < 40 + 48; ++body) {
    EXPECT_EQ(FrameLayout::OfBody(body, 16).error().code, Code::kDamaged) << body;
  }
  EXPECT_TRUE(FrameLayout::OfBody(40 + 48, 16));
}

TEST(FrameLayout, HoldsAtMost2To32Minus1Frames) {
  const std::uint64_t most = 0xFFFFFFFFull;
  EXPECT_TRUE(FrameLayout::OfPlaintext(most * 16, 16));
  EXPECT_EQ(FrameLayout::OfPlaintext(most * 16 + 1, 16).error().code, Code::kTooLarge);
  const std::uint64_t body = FrameLayout::OfPlaintext(most * 16, 16)->body_size();
  EXPECT_TRUE(FrameLayout::OfBody(body, 16));
  EXPECT_FALSE(FrameLayout::OfBody(body + 48, 16));
}

TEST(FrameTicket, MovingUsesItUp) {
  FrameTicket ticket;
  EXPECT_EQ(ticket.sequence(), 0u);
  static_assert(!std::is_copy_constructible_v<FrameTicket>);
  static_assert(!std::is_copy_assignable_v<FrameTicket>);
}

TEST(FrameCipherDeathTest, SealingWithoutATicketIsOurBug) {
  FrameCipher cipher = FrameCipher::Create(Bytes(32, 1), Bytes(32, 2)).value();
  Bytes room(24 + 4 + 16);
  EXPECT_DEATH({ auto sealed = cipher.Seal(FrameTicket(), MutableBytes(room).subspan(24, 4)); },
               "sequence");
}

}  // namespace
}  // namespace dare::envelope
