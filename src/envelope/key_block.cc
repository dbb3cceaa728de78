#include "envelope/key_block.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/uuid.h"
#include "envelope/asked_ahead.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"
#include "envelope/wrapped_dek.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kSector = 512;  // what a disk writes or does not write as one
constexpr std::size_t kGenerationDigits = 10;

std::string GenerationText(std::uint32_t generation) {
  std::string digits = std::to_string(generation);
  return std::string(kGenerationDigits - digits.size(), '0') + digits;
}

// A key block made by others may have no generation: it counts as 0.
Result<std::uint32_t> GenerationOf(const EncryptionContext& context) {
  const std::string* text = context.Find(kGenerationPair);
  std::uint32_t generation = 0;
  if (text == nullptr) return generation;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), generation);
  if (text->size() != kGenerationDigits || error != std::errc() ||
      end != text->data() + text->size()) {
    return Error(Code::kDamaged, "the key block's generation is not ten digits");
  }
  return generation;
}

MessageLimits SlotLimits(std::size_t most_edks = MessageLimits{}.edks) {
  MessageLimits limits;
  limits.edks = most_edks;
  limits.header_bytes = kSlotSize;
  limits.non_framed_bytes = kSlotSize;
  return limits;
}

// A block message is random-looking throughout, so a whole sector of zeroes is never part of one.
bool HasZeroSector(ByteView slot) {
  for (std::size_t at = 0; at + kSector <= slot.size(); at += kSector) {
    const ByteView sector = slot.subspan(at, kSector);
    if (std::all_of(sector.begin(), sector.end(), [](std::uint8_t b) { return b == 0; })) {
      return true;
    }
  }
  return false;
}

Slot ExamineSlot(ByteView bytes, std::size_t most_edks) {
  Slot slot;
  if (HasZeroSector(bytes)) {
    slot.state = SlotState::kReplacing;
    return slot;
  }
  MemorySource in(bytes);
  Result<MessageHeader> header = ReadHeader(in, SlotLimits(most_edks));
  if (!header || !header->suite->commits) return slot;
  const std::string* id = header->context.Find(kBlockIdPair);
  const Result<std::uint32_t> generation = GenerationOf(header->context);
  if (id == nullptr || !generation) return slot;
  slot.block_id = *id;
  slot.generation = *generation;
  slot.header = *std::move(header);
  slot.state = SlotState::kPresent;
  return slot;
}

// Two different messages side by side are lawful only in the middle of a rewrap: then they differ
// in message id and generation, and keep the same block.
bool ArePairOfRewrap(const Slot& a, const Slot& b) {
  return a.block_id == b.block_id && a.generation != b.generation &&
         a.header.message_id != b.header.message_id;
}

Result<void> CheckStrictly(const std::array<Slot, kSlotCount>& slots, bool identical) {
  for (const Slot& slot : slots) {
    if (slot.state == SlotState::kDamaged) return NotAuthentic();
  }
  const bool both = slots[0].state == SlotState::kPresent && slots[1].state == SlotState::kPresent;
  if (both && !identical && !ArePairOfRewrap(slots[0], slots[1])) return NotAuthentic();
  return {};
}

Result<MessageOptions> OptionsOf(const KeyBlock& block) {
  MessageOptions options;
  TRY(options.context.AddPortable(std::string(kBlockIdPair), block.id));
  TRY(options.context.AddPortable(std::string(kGenerationPair), GenerationText(block.generation)));
  options.frame_length = kSlotSize;
  return options;
}

Result<Bytes> SealUnder(const KeyBlock& block, const Result<MessageOptions>& options,
                        const Result<WrappedDek>& dek) {
  if (!options) return options.error();
  if (!dek) return dek.error();
  MessageSealer sealer = TRY(MessageSealer::CreateUnder(*dek, *options));
  const std::size_t used = sealer.header().size() + kFinalFrameOverhead;
  if (used + kKeySize > kSlotSize) {
    return Error(Code::kTooLarge,
                 "the wrapped copies of the block key do not fit the key block of " +
                     std::to_string(kSlotSize) + " bytes; use fewer keys");
  }
  WipingBytes plaintext(kSlotSize - used);
  std::copy(block.key.Reveal().begin(), block.key.Reveal().end(), plaintext.begin());
  Bytes message = TRY(std::move(sealer).SealWhole(plaintext));
  CHECK(message.size() == kSlotSize);
  return message;
}

// The copies of the block key in `area`, in the order in which OpenKeyBlockArea tries them.
AskedAhead::Copies CopiesToTry(ByteView area) {
  AskedAhead::Copies copies;
  std::array<Slot, kSlotCount> slots = ExamineSlots(area);
  const std::size_t first = slots[1].generation > slots[0].generation ? 1 : 0;
  for (const std::size_t index : {first, 1 - first}) {
    if (slots[index].state != SlotState::kPresent) continue;
    const Bytes aad = slots[index].header.context.Serialize();
    for (EncryptedDataKey& edk : slots[index].header.edks) copies.push_back({std::move(edk), aad});
  }
  return copies;
}

}  // namespace

Result<KeyBlock> KeyBlock::New() {
  KeyBlock block;
  block.id = TRY(NewUuid());
  block.key = TRY(SecretBytes::Random(kKeySize));
  return block;
}

Result<Keyring> KeyBlock::DataKeyring() const {
  SecretBytes copy = TRY(key.Clone());
  Keyring keyring;
  keyring.push_back(
      TRY(RawAesKeyWrapper::Create(std::string(kKeyBlockNamespace), id, std::move(copy))));
  return keyring;
}

Result<Bytes> SealKeyBlock(const KeyBlock& block, const Keyring& keks, bool verify_wraps) {
  const KeyBlock* const only = &block;
  return std::move(SealKeyBlocks({&only, 1}, keks, verify_wraps).front());
}

std::vector<Result<Bytes>> SealKeyBlocks(std::span<const KeyBlock* const> blocks,
                                         const Keyring& keks, bool verify_wraps) {
  std::vector<Result<MessageOptions>> options;
  std::vector<Bytes> contexts;
  for (const KeyBlock* block : blocks) {
    options.push_back(OptionsOf(*block));
    contexts.push_back(options.back() ? options.back()->context.Serialize() : Bytes());
  }
  const std::vector<ByteView> aads(contexts.begin(), contexts.end());
  const std::vector<Result<WrappedDek>> deks = MakeWrappedDeks(keks, aads, verify_wraps);
  std::vector<Result<Bytes>> sealed;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    sealed.push_back(SealUnder(*blocks[i], options[i], deks[i]));
  }
  return sealed;
}

Result<KeyBlock> OpenKeyBlock(ByteView message, const Keyring& keks, std::size_t most_edks) {
  ReadOptions options;
  options.limits = SlotLimits(most_edks);
  MemorySource in(message);
  const MessageHeader header = TRY(ReadHeader(in, options.limits));
  const WipingBytes plaintext = TRY(OpenMessage(message, keks, options));
  // The message is authentic, and with it the header read above from the same bytes.
  KeyBlock block;
  const std::string* id = header.context.Find(kBlockIdPair);
  if (id == nullptr || plaintext.size() < kKeySize ||
      std::any_of(plaintext.begin() + kKeySize, plaintext.end(), [](auto b) { return b != 0; })) {
    return Error(Code::kDamaged, "not a key block");
  }
  block.id = *id;
  block.generation = TRY(GenerationOf(header.context));
  block.key = TRY(SecretBytes::CopyOf(ByteView(plaintext).first(kKeySize)));
  return block;
}

std::array<Slot, kSlotCount> ExamineSlots(ByteView area, std::size_t most_edks) {
  CHECK(area.size() == kKeyBlockAreaSize);
  return {ExamineSlot(area.first(kSlotSize), most_edks),
          ExamineSlot(area.subspan(kSlotSize), most_edks)};
}

bool LooksSealed(ByteView start) {
  const auto begins = [&](std::size_t at) {
    return start.size() >= at + 3 && start[at] == 2 && (start[at + 1] == 4 || start[at + 1] == 5) &&
           start[at + 2] == 0x78;
  };
  return begins(0) || (start.size() >= kKeyBlockAreaSize && begins(kSlotSize));
}

std::vector<Result<OpenedSlot>> OpenKeyBlockAreas(std::span<const ByteView> areas,
                                                  const Keyring& keks, SlotTolerance tolerance) {
  std::vector<AskedAhead::Copies> copies;
  for (const ByteView area : areas) copies.push_back(CopiesToTry(area));
  const Keyring asked = AskAhead(keks, std::move(copies));
  std::vector<Result<OpenedSlot>> opened;
  for (const ByteView area : areas) opened.push_back(OpenKeyBlockArea(area, asked, tolerance));
  return opened;
}

Result<OpenedSlot> OpenKeyBlockArea(ByteView area, const Keyring& keks, SlotTolerance tolerance,
                                    std::size_t most_edks) {
  const std::array<Slot, kSlotCount> slots = ExamineSlots(area, most_edks);
  const bool identical =
      std::equal(area.begin(), area.begin() + kSlotSize, area.begin() + kSlotSize);
  if (tolerance == SlotTolerance::kStrict) TRY(CheckStrictly(slots, identical));

  const std::size_t first = slots[1].generation > slots[0].generation ? 1 : 0;
  std::optional<Error> obstacle;
  for (const std::size_t index : {first, 1 - first}) {
    if (slots[index].state != SlotState::kPresent || (identical && index != first)) continue;
    Result<KeyBlock> block =
        OpenKeyBlock(area.subspan(index * kSlotSize, kSlotSize), keks, most_edks);
    if (block) return OpenedSlot{*std::move(block), index, identical};
    const bool damaged = block.error().code == Code::kDamaged;
    if (damaged && tolerance == SlotTolerance::kStrict) return NotAuthentic();
    if (!damaged && !obstacle) obstacle = block.error();
  }
  if (obstacle) return *std::move(obstacle);
  return NotAuthentic();
}

}  // namespace dare::envelope
