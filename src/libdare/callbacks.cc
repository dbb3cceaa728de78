#include "libdare/callbacks.h"

namespace dare::lib {

Result<std::size_t> CallbackSource::Read(MutableBytes buffer) {
  std::size_t have = 0;
  while (have < buffer.size()) {
    const ptrdiff_t n = read_(user_, buffer.data() + have, buffer.size() - have);
    if (n < 0 || static_cast<std::size_t>(n) > buffer.size() - have) {
      return Error(Code::kIo, "the caller could not read");
    }
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  return have;
}

Result<void> CallbackSink::Write(ByteView bytes) {
  if (bytes.empty() || write_(user_, bytes.data(), bytes.size()) == 0) return {};
  return Error(Code::kIo, "the caller could not write");
}

envelope::SealOptions SealOptionsOf(const Call& call, int replace) {
  envelope::SealOptions options;
  options.frame_length = call.config().frame_bytes;
  options.flow.workers = call.config().threads;
  options.flow.cancelled = call.cancelled();
  options.replace = replace != 0;
  return options;
}

envelope::OpenOptions OpenOptionsOf(const Call& call, int replace) {
  envelope::OpenOptions options;
  options.flow.workers = call.config().threads;
  options.flow.cancelled = call.cancelled();
  options.replace = replace != 0;
  return options;
}

}  // namespace dare::lib
