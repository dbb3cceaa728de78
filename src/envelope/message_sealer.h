#pragma once

#include <cstdint>
#include <optional>

#include "envelope/algorithm_suite.h"
#include "envelope/encryption_context.h"
#include "envelope/footer_signature.h"
#include "envelope/frame_cipher.h"
#include "envelope/io.h"
#include "envelope/keyring.h"

namespace dare::envelope {

struct WrappedDek;

// 256 KiB stay in a core's second-level cache between read, encryption and write, and cost 0.012 %.
inline constexpr std::uint32_t kDefaultFrameLength = 256u << 10;
inline constexpr std::uint32_t kMostFrameLength = 64u << 20;

struct MessageOptions {
  // 0x0478, or 0x0578, which adds a signature at the end: made in order, and a reader knows only
  // then that it holds. kInvalidArgument otherwise.
  std::uint16_t suite = kSuiteWritten;
  EncryptionContext context;
  std::uint32_t frame_length = kDefaultFrameLength;
  // Unwrap every copy of the DEK once before it is used, where that can be done here: a corrupt
  // copy is total loss. Off only for writers that may not decrypt.
  bool verify_wraps = true;
};

// The making of one message (framed, header version 2): a fresh DEK and message id,
// one header, and each frame number once. A message id never gets a second header: nothing here can
// change the header after Create(), and there is no way to give an id in (format, section 10).
// Movable. NextFrame() is for one thread at a time.
class MessageSealer {
 public:
  // Wraps the DEK with every wrapper of `keyring` (at least one). Errors of the wrappers pass.
  static Result<MessageSealer> Create(const Keyring& keyring, const MessageOptions& options);
  // The same with a DEK that was wrapped for the context of `options`, and may seal other messages
  // too: each has its own message id, and so its own key. kUnsupported with a signature, whose
  // public key belongs to one message.
  static Result<MessageSealer> CreateUnder(const WrappedDek& wrapped,
                                           const MessageOptions& options);

  ByteView header() const { return header_; }
  std::uint32_t frame_length() const { return frame_length_; }
  const FrameCipher& cipher() const { return cipher_; }

  // The next number. After the one with `final` there are no more (kInternal).
  // kTooLarge after 2^32-1 frames.
  Result<FrameTicket> NextFrame(bool final);

  // In signed suites every frame goes through Sign(), in order, and Finish() gives the footer that
  // follows the final one. Without a signature both do nothing.
  bool is_signed() const { return signature_.has_value(); }
  Result<void> Sign(ByteView frame);
  Result<Bytes> Finish();
  // What Finish() gave.
  std::size_t footer_size() const { return footer_size_; }

  // The whole message with `plaintext`, which fits one frame, as its only content.
  Result<Bytes> SealWhole(ByteView plaintext) &&;

 private:
  MessageSealer(FrameCipher cipher, Bytes header, std::uint32_t frame_length)
      : cipher_(std::move(cipher)), header_(std::move(header)), frame_length_(frame_length) {}

  // `options` with the public key of `signature` in the context.
  static Result<MessageSealer> Make(const WrappedDek& wrapped, const MessageOptions& options,
                                    std::optional<SignatureMaker> signature);

  FrameCipher cipher_;
  Bytes header_;
  std::uint32_t frame_length_;
  std::uint64_t sequence_ = 0;
  bool finished_ = false;
  std::optional<SignatureMaker> signature_;
  std::size_t footer_size_ = 0;
};

// Seals a body. Input: a stream of unknown size, or a file, read by the workers themselves. Output:
// a stream in order, or a file at `offset`, written by the workers themselves at computed places.
// Exactly one of the pair is set in each.
struct SealInput {
  ByteSource* stream = nullptr;
  const RandomReader* file = nullptr;  // its whole size() becomes the plaintext
};
struct SealOutput {
  ByteSink* stream = nullptr;
  RandomWriter* file = nullptr;
  std::uint64_t offset = 0;
};
// Gives the number of plaintext bytes. A message with a signature is written to a stream. kConflict
// when a file got shorter meanwhile.
Result<std::uint64_t> SealBody(MessageSealer& sealer, SealInput in, SealOutput out,
                               const FlowOptions& flow);

}  // namespace dare::envelope
