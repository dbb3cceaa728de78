#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "envelope/key_block.h"

namespace dare::envelope {

// What a sealed file tells without any key. None of it is authentic.
struct SealedFileFacts {
  std::uint64_t file_bytes = 0;
  std::array<Slot, kSlotCount> slots;
  bool slots_identical = false;
  std::optional<std::size_t> current_slot;  // the readable one of the highest generation
  MessageHeader data_header;
  std::optional<std::uint64_t> plaintext_bytes;  // by arithmetic; only for bodies of a valid size
};

// kDamaged, "<path>: not a sealed file or damaged", when there is no key block or data header.
Result<SealedFileFacts> InspectFile(const std::string& path);

// The same of a bare ESDK message. None of it is authentic.
struct MessageFacts {
  std::uint64_t file_bytes = 0;
  MessageHeader header;
  std::optional<std::uint64_t> plaintext_bytes;
};
// kDamaged, "<path>: …", when it does not begin with a header.
Result<MessageFacts> InspectMessageFile(const std::string& path);

enum class FileKind : std::uint8_t {
  kOther,       // none of ours
  kSealedFile,  // key blocks, then a data message
  kKeyBlocks,   // key blocks alone, which other files need
  kMessage,     // a bare ESDK message
};
// Under which keys a file can be opened, whatever it is, as far as it tells itself.
struct OpeningKeys {
  FileKind kind = FileKind::kOther;
  std::vector<EncryptedDataKey> keys;  // any of them opens it
  bool settled = false;                // of key blocks: both are there, and the same
  bool looks_sealed = false;           // kOther, but its first bytes are those of one of ours
};
// Reads the first 8 KiB, or a message's header. Errors are those of reading only.
Result<OpeningKeys> FindOpeningKeys(const std::string& path);

// The key name in an EDK: for AES keys the part before the sizes and the IV, else the whole info.
std::string KeyNameOf(const EncryptedDataKey& edk);

}  // namespace dare::envelope
