#pragma once

#include <string>

#include "envelope/io.h"
#include "envelope/key_block.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"

// What stands before the frames, of a sealed file (key block area and data header) and of a bare
// ESDK message (its header), made and opened. For the folder's own files.
namespace dare::envelope {

struct SealedStart {
  Bytes bytes;
  std::string block_id;  // empty: a bare message
  MessageSealer sealer;
};
Result<SealedStart> StartSealedFile(const Keyring& keks, const MessageOptions& message);
Result<SealedStart> StartMessage(const Keyring& keyring, const MessageOptions& message);

struct OpenedStart {
  std::string block_id;  // empty: a bare message
  AuthenticHeader message;
};
// Reads the key block area and the data header off `in`. Suites without commitment are refused
// whatever the options say: nobody ever wrote such a sealed file. kDamaged otherwise.
Result<OpenedStart> StartOpeningSealed(ByteSource& in, const Keyring& keks,
                                       const ReadOptions& options);
// Reads the header of a bare message off `in`.
Result<OpenedStart> StartOpeningMessage(ByteSource& in, const Keyring& keyring,
                                        const ReadOptions& options);

// kDamaged with this text: not even the first bytes are those of a sealed file.
inline constexpr std::string_view kNotSealed = "not a sealed file";

}  // namespace dare::envelope
