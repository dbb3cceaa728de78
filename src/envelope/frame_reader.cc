#include "envelope/frame_reader.h"

#include <algorithm>

namespace dare::envelope {
namespace {

constexpr std::size_t kIv = crypto::kGcmIvSize;
constexpr std::size_t kTag = crypto::kGcmTagSize;
constexpr std::size_t kFinalHead = 24;
constexpr std::size_t kRegularHead = 16;
// Of a DER ECDSA-Sig-Value on P-384, which is longer than on P-256.
constexpr std::size_t kShortestSignature = 8;
constexpr std::size_t kLongestSignature = 104;

// What stands before the ciphertext of the final frame, for the layout.
bool IsFinalHead(const std::uint8_t* head, const FrameLayout& layout) {
  const auto sequence = static_cast<std::uint32_t>(layout.regular_frames + 1);
  return GetU32(head) == kFinalFrameMarker && GetU32(head + 4) == sequence &&
         IsFrameIv({head + 8, kIv}, sequence) && GetU32(head + 20) == layout.final_length;
}

Result<bool> FinalFrameFits(const RandomReader& in, std::uint64_t offset,
                            const FrameLayout& layout) {
  std::uint8_t head[kFinalHead];
  const std::uint64_t at = offset + layout.FrameOffset(layout.regular_frames);
  if (TRY(in.ReadAt(at, head)) != sizeof head) return false;
  return IsFinalHead(head, layout);
}

// The footer is u16 length ‖ signature, so its place is only known from its front.
Result<FrameLayout> LocateBeforeFooter(const RandomReader& in, std::uint64_t offset,
                                       std::uint32_t frame_length) {
  const std::uint64_t body = in.size() - offset;
  for (std::size_t length = kShortestSignature; length <= kLongestSignature; ++length) {
    if (body < length + 2) break;
    std::uint8_t stored[2];
    if (TRY(in.ReadAt(in.size() - length - 2, stored)) != sizeof stored) return CutShort();
    if (GetU16(stored) != length) continue;
    const Result<FrameLayout> layout = FrameLayout::OfBody(body - length - 2, frame_length);
    if (layout && TRY(FinalFrameFits(in, offset, *layout))) return layout;
  }
  return CutShort();
}

}  // namespace

Result<FrameLayout> LocateFrames(const RandomReader& in, std::uint64_t offset,
                                 const MessageHeader& header) {
  if (header.content_type != ContentType::kFramed) {
    return Error(Code::kDamaged, "the body is one block");
  }
  if (in.size() < offset) return CutShort();
  if (header.suite->signature != FooterSignature::kNone) {
    return LocateBeforeFooter(in, offset, header.frame_length);
  }
  return FrameLayout::OfBody(in.size() - offset, header.frame_length);
}

Result<FrameReader> FrameReader::Create(const RandomReader& in, std::uint64_t offset,
                                        const MessageHeader& header, FrameCipher& cipher) {
  const FrameReader reader(in, offset, TRY(LocateFrames(in, offset, header)));
  FrameBuffer last = TRY(FrameBuffer::Create(reader.frame_room()));
  reader.Prepare(last, reader.layout_.regular_frames);
  TRY(reader.Open(last, cipher));
  return reader;
}

std::size_t FrameReader::frame_room() const {
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(layout_.frame_length, layout_.plaintext_size()));
}

void FrameReader::Prepare(FrameBuffer& frame, std::uint64_t index) const {
  const bool final = index == layout_.regular_frames;
  frame.kind = final ? FrameKind::kFinal : FrameKind::kRegular;
  frame.sequence = static_cast<std::uint32_t>(index + 1);
  frame.source_offset = offset_ + layout_.FrameOffset(index);
  frame.length = final ? layout_.final_length : layout_.frame_length;
}

Result<void> FrameReader::Open(FrameBuffer& frame, FrameCipher& cipher) const {
  const bool final = frame.kind == FrameKind::kFinal;
  const std::size_t head_size = final ? kFinalHead : kRegularHead;
  const MutableBytes whole =
      frame.At(FrameBuffer::kDataOffset - head_size, head_size + frame.length + kTag);
  if (TRY(in_->ReadAt(frame.source_offset, whole)) != whole.size()) return CutShort();
  const std::uint8_t* head = whole.data();
  if (final) {
    if (!IsFinalHead(head, layout_)) return WrongSequence();
    head += 4;
  }
  if (GetU32(head) != frame.sequence || !IsFrameIv({head + 4, kIv}, frame.sequence)) {
    return WrongSequence();
  }
  const MutableBytes data = frame.Data(frame.length);
  TRY(cipher.Open(frame.kind, frame.sequence, {head + 4, kIv}, data, whole.last(kTag)));
  frame.output = data;
  return {};
}

}  // namespace dare::envelope
