#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "envelope/key_block.h"

namespace dare::tree {

// What a sealed tree tells without any key. None of it is authentic.
struct SealedTreeFacts {
  std::array<envelope::Slot, envelope::kSlotCount> slots;
  bool slots_identical = false;
  std::optional<std::size_t> current_slot;  // the readable one of the highest generation
  envelope::MessageHeader manifest;
  std::uint64_t manifest_bytes = 0;
  std::string generation;   // as the manifest's context says it
  bool unfinished = false;  // a run is under way, or was killed
};

// kDamaged, "<path>: not a sealed tree or damaged".
Result<SealedTreeFacts> InspectTree(const std::string& path);

}  // namespace dare::tree
