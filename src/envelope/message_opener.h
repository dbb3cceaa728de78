#pragma once

#include <cstdint>
#include <optional>

#include "envelope/frame_cipher.h"
#include "envelope/io.h"
#include "envelope/keyring.h"
#include "envelope/message_header.h"

namespace dare::envelope {

enum class CommitmentPolicy : std::uint8_t {
  kRequire,        // only suites that commit to their key (0x0478, 0x0578)
  kInsecureAllow,  // all suites; must be asked for
};

struct ReadOptions {
  CommitmentPolicy commitment = CommitmentPolicy::kRequire;
  MessageLimits limits;
  // Pairs the caller knows; those that are not stored in the message were required by its writer.
  EncryptionContext reproduced_context;
};

// kDamaged when the message does not commit to its key and `options` require it.
Result<void> CheckCommitment(const MessageHeader& header, const ReadOptions& options);

// A header whose DEK was unwrapped, whose commitment and tag fit: its fields may be trusted.
struct AuthenticHeader {
  MessageHeader header;
  FrameCipher cipher;
};

// Checks `header` under `keyring`. kDamaged, one text, when no copy of the DEK opens or anything
// differs; an error of a wrapper (denied, unavailable) passes unchanged when no other copy opens.
Result<AuthenticHeader> AuthenticateHeader(MessageHeader header, const Keyring& keyring,
                                           const ReadOptions& options);

// Opens a body of any kind from a stream that stands right behind the header, up to its very end:
// one byte more is kDamaged. Frames reach `out` after their own tag was checked; in signed suites
// what came before the final frame is provisional until this returns well. Gives the number of
// plaintext bytes.
Result<std::uint64_t> OpenBodyStream(AuthenticHeader message, ByteSource& in, ByteSink& out,
                                     const MessageLimits& limits, const FlowOptions& flow);

// A part of a plaintext; as it is made, all of it.
struct PlainRange {
  std::uint64_t offset = 0;
  std::uint64_t length = ~std::uint64_t{0};  // as far as there is something

  // What of it lies within `size` bytes. kInvalidArgument when it begins behind their end.
  Result<PlainRange> Within(std::uint64_t size) const;
};

// Opens a framed body in a file that begins at `offset` and ends with it. The final frame is opened
// first, which authenticates the size, then the workers read, and write where `file` is given, at
// computed places; with `stream` frames come in order. With a range only the frames it needs are
// read and checked, and only it comes out. Bodies with a signature: with a range only, and the
// signature is not checked then, so such a part is worth as much as one without.
struct OpenOutput {
  ByteSink* stream = nullptr;
  RandomWriter* file = nullptr;
};
Result<std::uint64_t> OpenBodyFile(AuthenticHeader message, const RandomReader& in,
                                   std::uint64_t offset, OpenOutput out, const FlowOptions& flow,
                                   const std::optional<PlainRange>& range = std::nullopt);

// A whole message in memory, any suite, framed or not. Nothing comes out unless all of it is
// authentic.
Result<WipingBytes> OpenMessage(ByteView message, const Keyring& keyring,
                                const ReadOptions& options);

// The one text of every failed authentication.
Error NotAuthentic();

}  // namespace dare::envelope
