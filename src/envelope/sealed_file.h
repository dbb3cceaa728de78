#pragma once

#include <string>

#include "envelope/io.h"
#include "envelope/key_block.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"

// Sealing and opening files and streams: key block area, then data message.
namespace dare::envelope {

inline constexpr std::string_view kStandardStream = "-";  // as a path: standard input or output

struct SealOptions {
  EncryptionContext context;  // public pairs for the data message
  std::uint32_t frame_length = kDefaultFrameLength;
  bool verify_wraps = true;
  bool replace = false;  // write over an existing file
  FlowOptions flow;
};

struct OpenOptions {
  bool replace = false;
  MessageLimits limits;
  FlowOptions flow;
};

struct SealedFileSummary {
  std::uint64_t plaintext_bytes = 0;
  std::uint64_t sealed_bytes = 0;
  std::string block_id;
};

// Seals the file (or "-") `in` into the file (or "-") `out` under every KEK of `keks`.
// A regular file appears under its name only when it is complete and synced, with mode, times and
// (for root) owner of the source; nothing is left behind otherwise. kAlreadyExists without
// `replace`. kConflict when the source changed meanwhile; kIo for the disk's refusals; the
// wrappers' own errors.
Result<SealedFileSummary> SealFile(const std::string& in, const std::string& out,
                                   const Keyring& keks, const SealOptions& options);

// Opens `in` into `out`. kDamaged, "<in>: not a sealed file or damaged", whatever part is not
// authentic, and then no output file exists. To "-" or a pipe, frames are written as their tags are
// checked: when a stream turns out damaged or cut, what was written before is authentic but not the
// whole.
Result<SealedFileSummary> OpenFile(const std::string& in, const std::string& out,
                                   const Keyring& keks, const OpenOptions& options);

// The same for any streams (libdare).
Result<SealedFileSummary> SealStream(ByteSource& in, ByteSink& out, const Keyring& keks,
                                     const SealOptions& options);
Result<SealedFileSummary> OpenStream(ByteSource& in, ByteSink& out, const Keyring& keks,
                                     const OpenOptions& options);

}  // namespace dare::envelope
