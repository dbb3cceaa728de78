#pragma once

#include <optional>
#include <string>

#include "envelope/io.h"
#include "envelope/key_block.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"

// Sealing and opening files and streams: key block area, then data message; and bare messages of
// the ESDK format, for other people's programs.
namespace dare::envelope {

inline constexpr std::string_view kStandardStream = "-";  // as a path: standard input or output

struct SealOptions {
  std::uint16_t suite = kSuiteWritten;  // of the data message: 0x0478, or 0x0578 with a signature
  EncryptionContext context;            // public pairs for the data message
  std::uint32_t frame_length = kDefaultFrameLength;
  bool verify_wraps = true;
  bool replace = false;  // write over an existing file
  FlowOptions flow;
};

struct OpenOptions {
  bool replace = false;
  // For the message; a sealed file always commits to its key, whatever is allowed here.
  ReadOptions read;
  // Only this part, of an input that is a file; frames outside of it are neither read nor checked.
  std::optional<PlainRange> range;
  FlowOptions flow;
};

struct SealedFileSummary {
  std::uint64_t plaintext_bytes = 0;
  std::uint64_t sealed_bytes = 0;
  std::string block_id;  // empty for a bare message
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

// The same for a bare ESDK message, whose header holds the DEK under every key of `keyring`. It is
// never changed afterwards, so it cannot be rewrapped.
Result<SealedFileSummary> SealMessageFile(const std::string& in, const std::string& out,
                                          const Keyring& keyring, const SealOptions& options);

// Opens a bare ESDK message of any suite that options.read allows. kDamaged: the header's own fault
// in words, or one text for whatever does not authenticate. To a stream, content up to
// kMostHeldBack comes out whole or not at all.
Result<SealedFileSummary> OpenMessageFile(const std::string& in, const std::string& out,
                                          const Keyring& keyring, const OpenOptions& options);
inline constexpr std::size_t kMostHeldBack = 4u << 20;

// The same for any streams (libdare).
Result<SealedFileSummary> SealStream(ByteSource& in, ByteSink& out, const Keyring& keks,
                                     const SealOptions& options);
Result<SealedFileSummary> OpenStream(ByteSource& in, ByteSink& out, const Keyring& keks,
                                     const OpenOptions& options);

}  // namespace dare::envelope
