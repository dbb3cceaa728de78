#pragma once

#include <optional>

#include "base/file.h"
#include "envelope/io.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"

// A message in a file, written and read piece by piece on one thread: what a manifest needs.
namespace dare::tree {

// Writes one message. Each frame is in the file as soon as it is full. Borrows the descriptor.
class MessageWriter final : public envelope::ByteSink {
 public:
  static Result<MessageWriter> Begin(int fd, const envelope::Keyring& keyring,
                                     const envelope::MessageOptions& options);
  Result<void> Write(ByteView bytes) override;
  // How many bytes more fill the frame.
  std::size_t room() const { return frame_length_ - used_; }
  // The final frame. Nothing may be written after it.
  Result<void> Finish();

 private:
  MessageWriter(int fd, envelope::MessageSealer sealer, envelope::FrameCipher cipher);
  Result<void> SealFrame(bool final);

  int fd_;
  envelope::MessageSealer sealer_;
  envelope::FrameCipher cipher_;
  std::size_t frame_length_;
  WipingBytes frame_;
  std::size_t used_ = 0;
  std::uint64_t offset_;
};

enum class Completeness : std::uint8_t {
  kWhole,       // the final frame is opened first, so that the size is authentic
  kUnfinished,  // of a writer that was killed: its full frames, as far as they go
};

// Reads one message, each frame after its tag was checked. Borrows the descriptor.
class MessageReader final : public envelope::ByteSource {
 public:
  // kDamaged for what is not an authentic framed message, without signature, of the pair
  // `kind_key` = `kind_value`.
  static Result<MessageReader> Begin(int fd, const envelope::Keyring& keyring,
                                     const std::string& kind_key, const std::string& kind_value,
                                     Completeness completeness);
  Result<std::size_t> Read(MutableBytes buffer) override;
  const envelope::MessageHeader& header() const { return message_.header; }

 private:
  MessageReader(envelope::FileReader file, envelope::AuthenticHeader message)
      : file_(std::move(file)), message_(std::move(message)) {}
  Result<void> OpenFrame(std::uint64_t index);

  envelope::FileReader file_;
  envelope::AuthenticHeader message_;
  envelope::FrameLayout layout_;
  bool whole_ = true;
  std::uint64_t next_ = 0;
  WipingBytes frame_;
  std::size_t begin_ = 0, end_ = 0;  // of what was not read yet
};

}  // namespace dare::tree
