#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "envelope/keyring.h"
#include "envelope/message_header.h"

namespace dare::envelope {

// The key block area of a sealed file: two slots of one ESDK message each, in front of the data
// message (docs/formats/sealed-file.md). Each message is padded to fill its slot exactly, so that
// `head -c 4096 FILE` is a plain ESDK message for stock readers.
inline constexpr std::size_t kSlotSize = 4096;
inline constexpr std::size_t kSlotCount = 2;
inline constexpr std::size_t kKeyBlockAreaSize = kSlotSize * kSlotCount;

inline constexpr std::string_view kKeyBlockNamespace = "keyblock";  // of the data message's EDK
inline constexpr std::string_view kBlockIdPair = "kb-id";
inline constexpr std::string_view kGenerationPair = "kb-gen";

// What a key block keeps: the key that wraps the data message's DEK, which KEKs wrap in turn.
// Move-only.
struct KeyBlock {
  std::string id;  // a UUID; the key name in the data message's EDK
  std::uint32_t generation = 1;
  SecretBytes key;  // 32 bytes

  static Result<KeyBlock> New();
  // The keyring that opens and seals the data message.
  Result<Keyring> DataKeyring() const;
};

// A key block message of exactly kSlotSize bytes: a new message each time (new DEK, new message
// id). kTooLarge when the wrapped copies do not fit.
Result<Bytes> SealKeyBlock(const KeyBlock& block, const Keyring& keks, bool verify_wraps = true);
// The same of several, in their order: each KEK is asked for all of them together.
std::vector<Result<Bytes>> SealKeyBlocks(std::span<const KeyBlock* const> blocks,
                                         const Keyring& keks, bool verify_wraps = true);
// kDamaged when it is no authentic key block; errors of the KEKs' wrappers pass.
Result<KeyBlock> OpenKeyBlock(ByteView message, const Keyring& keks,
                              std::size_t most_edks = MessageLimits{}.edks);

// What can be seen of a slot without any key.
enum class SlotState : std::uint8_t {
  kPresent,    // a well-formed key block header
  kReplacing,  // has a sector of zeroes: empty, or a replacement was interrupted
  kDamaged,
};
struct Slot {
  SlotState state = SlotState::kDamaged;
  MessageHeader header;          // when present
  std::uint32_t generation = 0;  // when present; not authentic
  std::string block_id;          // when present; not authentic
};
std::array<Slot, kSlotCount> ExamineSlots(ByteView area,
                                          std::size_t most_edks = MessageLimits{}.edks);

// True when `start`, the first bytes of a file, begin like a key block area or a message of ours,
// however it goes on. Public facts only: nothing that a key would be needed for.
bool LooksSealed(ByteView start);

enum class SlotTolerance : std::uint8_t {
  kStrict,  // a slot that is neither good nor being replaced is damage, even when the other one
            // opens
  kRepair,  // any slot that opens will do: for rewrap, which writes both anew
};
struct OpenedSlot {
  KeyBlock block;
  std::size_t index = 0;
  bool identical = false;  // both slots hold the same bytes
};
// Opens the slot with the highest generation that opens. `area` has kKeyBlockAreaSize bytes.
// A key block with more than `most_edks` wrapped copies counts as damaged.
// kDamaged, or the KEK wrappers' own error when that is why nothing opened.
Result<OpenedSlot> OpenKeyBlockArea(ByteView area, const Keyring& keks, SlotTolerance tolerance,
                                    std::size_t most_edks = MessageLimits{}.edks);
// Several, in their order: each KEK is asked for all of them together.
std::vector<Result<OpenedSlot>> OpenKeyBlockAreas(std::span<const ByteView> areas,
                                                  const Keyring& keks, SlotTolerance tolerance);

}  // namespace dare::envelope
