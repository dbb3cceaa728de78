#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "envelope/frame_cipher.h"
#include "envelope/io.h"

namespace dare::envelope {

// The reused buffer of one worker: room for one frame, its data starting at kDataOffset (the
// frame's own header stands right before it). Holds plaintext for a while; wiped when it dies.
// Move-only.
class FrameBuffer {
 public:
  static constexpr std::size_t kDataOffset = 64;

  // Room for frames of `frame_length`.
  static Result<FrameBuffer> Create(std::size_t frame_length);
  FrameBuffer(FrameBuffer&& other) noexcept;
  FrameBuffer& operator=(FrameBuffer&&) = delete;
  ~FrameBuffer();

  // `n` bytes from `offset` on. Within the buffer, which is our own arithmetic: checked.
  MutableBytes At(std::size_t offset, std::size_t n);
  MutableBytes Data(std::size_t n) { return At(kDataOffset, n); }

  // What the stages tell each other about the frame that is in it.
  FrameTicket ticket;          // when sealing
  std::uint32_t sequence = 0;  // when opening
  FrameKind kind = FrameKind::kRegular;
  std::uint64_t source_offset = 0;
  std::size_t data_offset = kDataOffset;
  std::size_t length = 0;  // of the data
  ByteView output;         // what Emit writes

 private:
  FrameBuffer(std::uint8_t* memory, std::size_t size) : memory_(memory), size_(size) {}
  std::uint8_t* memory_;
  std::size_t size_;
  std::size_t used_ = kDataOffset;  // high-water mark: what must be wiped
};

// One direction of one body: what to do with a frame, in three stages.
class FrameFlow {
 public:
  virtual ~FrameFlow() = default;
  // In order, one frame at a time: takes the next frame, reading it when the input is a stream.
  // False when there are no more.
  virtual Result<bool> Claim(FrameBuffer& frame) = 0;
  // In parallel: reads it when the input is a file, encrypts or decrypts it, writes it when the
  // output is a file.
  virtual Result<void> Process(FrameBuffer& frame, FrameCipher& cipher) = 0;
  // In the order of claims, one at a time: writes it when the output is a stream.
  virtual Result<void> Emit(FrameBuffer& frame) = 0;
};

struct PipelineShape {
  std::size_t frame_length = 0;        // room that each buffer needs
  std::uint64_t most_frames = ~0ull;   // no more workers than frames
  bool ordered = true;                 // Emit has something to do
  std::optional<std::uint64_t> total;  // plaintext bytes, for the progress
};

// Runs `flow` to its end on some workers (this thread is one of them), each with a buffer and a
// clone of `cipher`: memory is bounded by workers × frame. Gives the sum of the frames' lengths.
// The first error stops everything and is returned.
Result<std::uint64_t> RunPipeline(FrameFlow& flow, const FrameCipher& cipher,
                                  const PipelineShape& shape, const FlowOptions& options);

}  // namespace dare::envelope
