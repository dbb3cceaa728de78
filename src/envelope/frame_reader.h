#pragma once

#include <cstdint>

#include "envelope/frame_pipeline.h"
#include "envelope/message_header.h"

namespace dare::envelope {

// Where the frames of the body behind `header` lie in a file that ends with the message. Public
// facts only: nothing of it is authentic. In signed suites, whose footer has no fixed length, the
// place where a final frame and a footer fit together. kDamaged when there is none, or the body is
// not framed.
Result<FrameLayout> LocateFrames(const RandomReader& in, std::uint64_t offset,
                                 const MessageHeader& header);

// The frames of one framed body in a file, opened in any order. Each is checked whole before a byte
// of it comes out; the signature of signed suites is not checked here. Borrows the file.
// Thread-safe, with a buffer and a cipher for each thread.
class FrameReader {
 public:
  // `offset` is where the body begins; the message ends with the file. Opens the final frame, which
  // authenticates the size, before any of it is believed (format, section 8).
  static Result<FrameReader> Create(const RandomReader& in, std::uint64_t offset,
                                    const MessageHeader& header, FrameCipher& cipher);

  const FrameLayout& layout() const { return layout_; }
  std::uint64_t plaintext_size() const { return layout_.plaintext_size(); }
  // Room that a buffer for any of the frames needs.
  std::size_t frame_room() const;

  // Makes `frame` the one with index 0, 1, …, to be read.
  void Prepare(FrameBuffer& frame, std::uint64_t index) const;
  // Reads and opens it; its plaintext is `frame.output` then.
  Result<void> Open(FrameBuffer& frame, FrameCipher& cipher) const;

 private:
  FrameReader(const RandomReader& in, std::uint64_t offset, const FrameLayout& layout)
      : in_(&in), offset_(offset), layout_(layout) {}

  const RandomReader* in_;
  std::uint64_t offset_;
  FrameLayout layout_;
};

}  // namespace dare::envelope
