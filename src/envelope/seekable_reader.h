#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "envelope/frame_reader.h"
#include "envelope/message_opener.h"
#include "envelope/message_start.h"

namespace dare::envelope {

// The plaintext of a sealed file, or of a bare ESDK message, read at any offset. Its size is
// authentic from the start (the final frame is opened first); of the rest only the frames that a
// call needs are read, and checked whole before a byte of them comes out. Damage elsewhere is not
// noticed. Keeps a few opened frames, so that neighbouring small reads open a frame once; memory is
// wiped when the reader dies. A body of one block is opened at once and kept whole.
// Borrows the file, which must not change meanwhile. Thread-safe.
class SeekableReader final : public RandomReader {
 public:
  // The errors of OpenFile, without a name before them.
  static Result<std::unique_ptr<SeekableReader>> OpenSealed(const RandomReader& in,
                                                            const Keyring& keks,
                                                            const ReadOptions& options = {});
  static Result<std::unique_ptr<SeekableReader>> OpenMessage(const RandomReader& in,
                                                             const Keyring& keyring,
                                                             const ReadOptions& options = {});

  // Bytes of plaintext.
  std::uint64_t size() const override;
  // Fills `buffer`; fewer bytes only at the end of the plaintext, none behind it. kDamaged when a
  // frame it needs is not authentic, and then the buffer is wiped.
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableBytes buffer) const override;

  // True when the message has a signature that was not checked: that takes reading all of it. What
  // is read is authentic as in a message without one.
  bool signature_unchecked() const { return signature_unchecked_; }
  const EncryptionContext& context() const { return context_; }

 private:
  // A buffer and a cipher, lent to one call at a time.
  struct Desk {
    FrameBuffer buffer;
    FrameCipher cipher;
    std::optional<std::uint64_t> holds;  // the frame whose plaintext is in the buffer
  };
  using DeskPointer = std::unique_ptr<Desk>;

  explicit SeekableReader(FrameCipher cipher) : cipher_(std::move(cipher)) {}
  static Result<std::unique_ptr<SeekableReader>> Open(const RandomReader& in, ReaderSource& head,
                                                      OpenedStart start,
                                                      const ReadOptions& options);
  // One that holds frame `index`, opened if need be.
  Result<DeskPointer> Borrow(std::uint64_t index) const;
  DeskPointer TakeIdle(std::uint64_t index) const;
  void GiveBack(DeskPointer desk) const;

  // Constant after construction.
  EncryptionContext context_;
  bool signature_unchecked_ = false;
  std::optional<FrameReader> frames_;  // none: a body of one block
  WipingBytes block_;
  std::size_t most_idle_ = 1;
  FrameCipher cipher_;  // only ever cloned

  mutable Mutex mutex_;
  mutable std::vector<DeskPointer> idle_ GUARDED_BY(mutex_);  // the one used last comes last
};

}  // namespace dare::envelope
