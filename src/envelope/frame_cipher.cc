#include "envelope/frame_cipher.h"

#include <cstring>
#include <utility>

#include "base/check.h"

namespace dare::envelope {
namespace {

std::string_view FrameName(FrameKind kind) {
  switch (kind) {
    case FrameKind::kRegular:
      return "AWSKMSEncryptionClient Frame";
    case FrameKind::kFinal:
      return "AWSKMSEncryptionClient Final Frame";
    case FrameKind::kSingleBlock:
      return "AWSKMSEncryptionClient Single Block";
  }
  return "";
}

}  // namespace

Error CutShort() { return Error(Code::kDamaged, "the message is cut short"); }
Error WrongSequence() { return Error(Code::kDamaged, "a frame is out of order"); }

bool IsFrameIv(ByteView iv, std::uint32_t sequence) {
  return GetU64(iv.data()) == 0 && GetU32(iv.data() + 8) == sequence;
}

FrameTicket::FrameTicket(FrameTicket&& other) noexcept
    : sequence_(std::exchange(other.sequence_, 0)), final_(other.final_) {}

FrameTicket& FrameTicket::operator=(FrameTicket&& other) noexcept {
  sequence_ = std::exchange(other.sequence_, 0);
  final_ = other.final_;
  return *this;
}

FrameCipher::FrameCipher(crypto::Aead aead, Bytes message_id)
    : aead_(std::move(aead)), aad_(std::move(message_id)), id_size_(aad_.size()) {}

Result<FrameCipher> FrameCipher::Create(ByteView data_key, ByteView message_id) {
  return FrameCipher(TRY(crypto::Aead::Create(data_key)), ToBytes(message_id));
}

Result<FrameCipher> FrameCipher::Clone() const {
  return FrameCipher(TRY(aead_.Clone()), Bytes(aad_.begin(), aad_.begin() + id_size_));
}

// Message id, name of the frame kind, u32 sequence, u64 length of this frame's plaintext.
ByteView FrameCipher::Aad(FrameKind kind, std::uint32_t sequence, std::uint64_t length) {
  const std::string_view name = FrameName(kind);
  aad_.resize(id_size_ + name.size() + 4 + 8);
  std::uint8_t* p = aad_.data() + id_size_;
  std::memcpy(p, name.data(), name.size());
  PutU32(p + name.size(), sequence);
  PutU64(p + name.size() + 4, length);
  return aad_;
}

Result<ByteView> FrameCipher::Seal(FrameTicket ticket, MutableBytes data) {
  CHECK(ticket.sequence() != 0);
  const std::size_t before = ticket.final() ? 24 : 16;
  std::uint8_t* const frame = data.data() - before;
  std::uint8_t* p = frame;
  if (ticket.final()) {
    PutU32(p, kFinalFrameMarker);
    p += 4;
  }
  PutU32(p, ticket.sequence());
  std::uint8_t* const iv = p + 4;
  PutU64(iv, 0);
  PutU32(iv + 8, ticket.sequence());
  if (ticket.final()) PutU32(iv + 12, static_cast<std::uint32_t>(data.size()));
  const FrameKind kind = ticket.final() ? FrameKind::kFinal : FrameKind::kRegular;
  TRY(aead_.SealInPlace({iv, crypto::kGcmIvSize}, Aad(kind, ticket.sequence(), data.size()), data,
                        {data.data() + data.size(), crypto::kGcmTagSize}));
  return ByteView(frame, before + data.size() + crypto::kGcmTagSize);
}

Result<void> FrameCipher::Open(FrameKind kind, std::uint32_t sequence, ByteView iv,
                               MutableBytes data, ByteView tag) {
  return aead_.OpenInPlace(iv, Aad(kind, sequence, data.size()), data, tag);
}

Result<FrameLayout> FrameLayout::OfBody(std::uint64_t body_size, std::uint32_t frame_length) {
  if (body_size < kFinalFrameOverhead) return CutShort();
  FrameLayout layout;
  layout.frame_length = frame_length;
  const std::uint64_t payload = body_size - kFinalFrameOverhead;
  const std::uint64_t stride = std::uint64_t{frame_length} + kRegularFrameOverhead;
  layout.regular_frames = payload / stride;
  const std::uint64_t rest = payload % stride;
  if (rest > frame_length || layout.regular_frames >= kMostFrames) {
    return Error(Code::kDamaged, "no message has this size");
  }
  layout.final_length = static_cast<std::uint32_t>(rest);
  return layout;
}

Result<FrameLayout> FrameLayout::OfPlaintext(std::uint64_t size, std::uint32_t frame_length) {
  FrameLayout layout;
  layout.frame_length = frame_length;
  layout.regular_frames = size == 0 ? 0 : (size - 1) / frame_length;
  if (layout.regular_frames >= kMostFrames) {
    return Error(Code::kTooLarge,
                 "too large for this frame length: a message has at most 2^32-1 frames");
  }
  layout.final_length = static_cast<std::uint32_t>(size - layout.regular_frames * frame_length);
  return layout;
}

}  // namespace dare::envelope
