#pragma once

#include <dare/dare.h>

#include "envelope/io.h"
#include "envelope/sealed_file.h"
#include "libdare/handle.h"

// A program's callbacks as streams, and how streams are worked on.
namespace dare::lib {

class CallbackSource final : public envelope::ByteSource {
 public:
  CallbackSource(dare_read read, void* user) : read_(read), user_(user) {}
  Result<std::size_t> Read(MutableBytes buffer) override;

 private:
  const dare_read read_;
  void* const user_;
};

class CallbackSink final : public envelope::ByteSink {
 public:
  CallbackSink(dare_write write, void* user) : write_(write), user_(user) {}
  Result<void> Write(ByteView bytes) override;

 private:
  const dare_write write_;
  void* const user_;
};

envelope::SealOptions SealOptionsOf(const Call& call, int replace);
envelope::OpenOptions OpenOptionsOf(const Call& call, int replace);

}  // namespace dare::lib
