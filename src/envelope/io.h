#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"

namespace dare::envelope {

// Where bytes come from, in order. One thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills `buffer`; fewer bytes only at the end of the input.
  virtual Result<std::size_t> Read(MutableBytes buffer) = 0;
};

// Where bytes go, in order. One thread at a time.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Result<void> Write(ByteView bytes) = 0;
};

// A file of known size read at any offset. Thread-safe.
class RandomReader {
 public:
  virtual ~RandomReader() = default;
  virtual std::uint64_t size() const = 0;
  // Fills `buffer`; fewer bytes only at the end of the file.
  virtual Result<std::size_t> ReadAt(std::uint64_t offset, MutableBytes buffer) const = 0;
};

// A file written at any offset; every byte is written once. Thread-safe.
class RandomWriter {
 public:
  virtual ~RandomWriter() = default;
  virtual Result<void> WriteAt(std::uint64_t offset, ByteView bytes) = 0;
};

// Called with the bytes of plaintext done so far and, where known, all of them; never by two
// threads at once.
using Progress = std::function<void(std::uint64_t done, std::optional<std::uint64_t> total)>;

// How a stream is worked on.
struct FlowOptions {
  unsigned workers = 0;                          // 0: one for each core
  Progress progress;                             // may be empty
  const std::atomic<bool>* cancelled = nullptr;  // when it turns true: kIo with detail EINTR
};

// The error of a cancelled flow.
Error Cancelled();

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes) : rest_(bytes) {}
  Result<std::size_t> Read(MutableBytes buffer) override;

 private:
  ByteView rest_;
};

class MemorySink final : public ByteSink {
 public:
  Result<void> Write(ByteView bytes) override;
  WipingBytes& bytes() { return bytes_; }

 private:
  WipingBytes bytes_;
};

// A pipe, terminal, socket or file read from its current position. Borrows the descriptor; waits
// with poll(), so that `cancelled` is seen within a fifth of a second.
class FdSource final : public ByteSource {
 public:
  FdSource(int fd, std::string name, const std::atomic<bool>* cancelled)
      : fd_(fd), name_(std::move(name)), cancelled_(cancelled) {}
  Result<std::size_t> Read(MutableBytes buffer) override;

 private:
  const int fd_;
  const std::string name_;
  const std::atomic<bool>* const cancelled_;
};

// The same for writing. Callers ignore SIGPIPE, so that a closed pipe is an error (kIo, EPIPE).
class FdSink final : public ByteSink {
 public:
  FdSink(int fd, std::string name, const std::atomic<bool>* cancelled)
      : fd_(fd), name_(std::move(name)), cancelled_(cancelled) {}
  Result<void> Write(ByteView bytes) override;

 private:
  const int fd_;
  const std::string name_;
  const std::atomic<bool>* const cancelled_;
};

// A regular file; borrows the descriptor. The size is that of the moment it was made.
class FileReader final : public RandomReader {
 public:
  static Result<FileReader> Create(int fd, std::string name);
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableBytes buffer) const override;
  const std::string& name() const { return name_; }

 private:
  FileReader(int fd, std::string name, std::uint64_t size)
      : fd_(fd), name_(std::move(name)), size_(size) {}
  int fd_;
  std::string name_;
  std::uint64_t size_;
};

// A regular file that is synced in the end; borrows the descriptor.
class FileWriter final : public RandomWriter {
 public:
  FileWriter(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Result<void> WriteAt(std::uint64_t offset, ByteView bytes) override;

 private:
  void StartWriting(std::uint64_t window) const;

  const int fd_;
  const std::string name_;
};

// Reads a RandomReader from `offset` on, in order.
class ReaderSource final : public ByteSource {
 public:
  ReaderSource(const RandomReader& reader, std::uint64_t offset)
      : reader_(reader), offset_(offset) {}
  Result<std::size_t> Read(MutableBytes buffer) override;
  std::uint64_t offset() const { return offset_; }

 private:
  const RandomReader& reader_;
  std::uint64_t offset_;
};

}  // namespace dare::envelope
