#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "crypto/aead.h"

namespace dare::envelope {

inline constexpr std::size_t kRegularFrameOverhead = 4 + 12 + 16;
inline constexpr std::size_t kFinalFrameOverhead = 4 + 4 + 12 + 4 + 16;
inline constexpr std::uint32_t kFinalFrameMarker = 0xFFFFFFFF;
inline constexpr std::uint64_t kMostFrames = 0xFFFFFFFF;

// What a reader says of frames that are not what they must be.
Error CutShort();
Error WrongSequence();
// Every known writer stores the IV it must be (12 bytes), so anything else is refused.
bool IsFrameIv(ByteView iv, std::uint32_t sequence);

enum class FrameKind : std::uint8_t { kRegular, kFinal, kSingleBlock };

// The right to seal one frame. MessageSealer hands out each sequence number once, and sealing uses
// the ticket up, so that no key and IV ever meet two plaintexts. Move-only.
class FrameTicket {
 public:
  FrameTicket() = default;  // empty
  FrameTicket(FrameTicket&& other) noexcept;
  FrameTicket& operator=(FrameTicket&& other) noexcept;
  std::uint32_t sequence() const { return sequence_; }
  bool final() const { return final_; }

 private:
  friend class MessageSealer;
  FrameTicket(std::uint32_t sequence, bool final) : sequence_(sequence), final_(final) {}
  std::uint32_t sequence_ = 0;
  bool final_ = false;
};

// Seals and opens the frames of one message. This is the one place that makes frame IVs: eight zero
// bytes and the u32 sequence number (SP 800-38D 8.2.1, deterministic construction).
// Not thread-safe; each worker has its own Clone().
class FrameCipher {
 public:
  static Result<FrameCipher> Create(ByteView data_key, ByteView message_id);
  FrameCipher(FrameCipher&&) noexcept = default;
  FrameCipher& operator=(FrameCipher&&) noexcept = default;
  Result<FrameCipher> Clone() const;

  // Encrypts in place and writes what stands before and behind the ciphertext: the 16 or 24 bytes
  // right before `data` and the 16 right behind it, which the caller's buffer must have. Returns
  // the whole frame.
  Result<ByteView> Seal(FrameTicket ticket, MutableBytes data);
  // Decrypts in place; kDamaged (and `data` wiped) when it is not authentic. `iv` is the stored
  // one.
  Result<void> Open(FrameKind kind, std::uint32_t sequence, ByteView iv, MutableBytes data,
                    ByteView tag);

 private:
  FrameCipher(crypto::Aead aead, Bytes message_id);
  ByteView Aad(FrameKind kind, std::uint32_t sequence, std::uint64_t length);

  crypto::Aead aead_;
  Bytes aad_;  // message id, then scratch
  std::size_t id_size_;
};

// Where the frames of a framed body lie, from its size alone (format, section 8). Nothing of it is
// authentic before the final frame was opened.
struct FrameLayout {
  std::uint32_t frame_length = 0;
  std::uint64_t regular_frames = 0;
  std::uint32_t final_length = 0;

  // kDamaged when no message has a body of that size.
  static Result<FrameLayout> OfBody(std::uint64_t body_size, std::uint32_t frame_length);
  // What a plaintext becomes (full final frame where it divides evenly). kTooLarge above 2^32-1
  // frames.
  static Result<FrameLayout> OfPlaintext(std::uint64_t size, std::uint32_t frame_length);

  std::uint64_t plaintext_size() const { return regular_frames * frame_length + final_length; }
  std::uint64_t body_size() const {
    return FrameOffset(regular_frames) + kFinalFrameOverhead + final_length;
  }
  // Of the frame with index 0, 1, …, in the body.
  std::uint64_t FrameOffset(std::uint64_t index) const {
    return index * (std::uint64_t{frame_length} + kRegularFrameOverhead);
  }
};

}  // namespace dare::envelope
