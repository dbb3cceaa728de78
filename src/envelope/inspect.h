#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "envelope/key_block.h"

namespace dare::envelope {

// What a sealed file tells without any key. None of it is authentic.
struct SealedFileFacts {
  std::uint64_t file_bytes = 0;
  std::array<Slot, kSlotCount> slots;
  bool slots_identical = false;
  std::optional<std::size_t> current_slot;  // the readable one of the highest generation
  MessageHeader data_header;
  std::optional<std::uint64_t>
      plaintext_bytes;  // by arithmetic; only for framed bodies of a valid size
};

// kDamaged, "<path>: not a sealed file or damaged", when there is no key block or data header.
Result<SealedFileFacts> InspectFile(const std::string& path);

// The key name in an EDK: for AES keys the part before the sizes and the IV, else the whole info.
std::string KeyNameOf(const EncryptedDataKey& edk);

}  // namespace dare::envelope
