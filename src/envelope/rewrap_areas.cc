#include "envelope/rewrap_areas.h"

#include <limits>
#include <utility>

#include "envelope/key_block.h"
#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

// An area on its way. One with an error goes no further.
struct Member {
  RewritableArea* area = nullptr;
  Bytes before;
  KeyBlock block;           // with the new generation
  std::size_t current = 0;  // the slot that opened
  Bytes message;            // for both slots
  std::optional<Error> error;

  std::size_t spare() const { return 1 - current; }
};

class Group {
 public:
  explicit Group(std::span<RewritableArea* const> areas) : members_(areas.size()) {
    for (std::size_t i = 0; i < areas.size(); ++i) members_[i].area = areas[i];
  }

  void ReadAll() {
    Each([](Member& member) -> Result<void> {
      member.before = TRY(member.area->Read());
      if (member.before.size() != kKeyBlockAreaSize) return NotAuthentic();
      return {};
    });
  }

  void OpenAll(const Keyring& old_keks) {
    const std::vector<Member*> good = Good();
    std::vector<ByteView> areas;
    for (const Member* member : good) areas.emplace_back(member->before);
    std::vector<Result<OpenedSlot>> opened =
        OpenKeyBlockAreas(areas, old_keks, SlotTolerance::kRepair);
    for (std::size_t n = 0; n < good.size(); ++n) {
      if (!opened[n]) {
        good[n]->error = std::move(opened[n]).error();
      } else if (opened[n]->block.generation == std::numeric_limits<std::uint32_t>::max()) {
        good[n]->error =
            Error(Code::kTooLarge, "the key block has no generation left; seal the file anew");
      } else {
        good[n]->current = opened[n]->index;
        good[n]->block = std::move(opened[n]->block);
        ++good[n]->block.generation;
      }
    }
  }

  // New messages, with new DEKs and message ids: never a new header for an old one. Gives why that
  // could not be done.
  std::optional<Error> SealAll(const Keyring& new_keks) {
    const std::vector<Member*> good = Good();
    std::vector<const KeyBlock*> blocks;
    for (const Member* member : good) blocks.push_back(&member->block);
    std::vector<Result<Bytes>> sealed = SealKeyBlocks(blocks, new_keks);
    std::optional<Error> fault;
    for (std::size_t n = 0; n < good.size(); ++n) {
      if (sealed[n]) {
        good[n]->message = *std::move(sealed[n]);
        good[n]->block.key = SecretBytes();
      } else if (!fault) {
        fault = std::move(sealed[n]).error();
      }
    }
    if (fault) {
      for (Member* member : good) member->error = *fault;
    }
    return fault;
  }

  // Zeroes first: whatever part of a write a crash leaves behind, the slot then either is the new
  // message or shows, by a sector of zeroes, that it was being replaced. A reader needs that to
  // tell an interrupted replacement, which it tolerates, from damage, which it does not.
  template <typename SlotOf>
  void ReplaceAll(SlotOf slot_of) {
    const Bytes zeroes(kSlotSize, 0);
    const auto sync = [](Member& member) { return member.area->Sync(); };
    Each([&](Member& member) { return member.area->WriteSlot(slot_of(member), zeroes); });
    Each(sync);
    Each([&](Member& member) { return member.area->WriteSlot(slot_of(member), member.message); });
    Each(sync);
  }

  void ReadAllBack() {
    Each([](Member& member) -> Result<void> {
      const Bytes now = TRY(member.area->Read());
      if (now.size() == kKeyBlockAreaSize &&
          EqualInConstantTime(ByteView(now).subspan(member.spare() * kSlotSize, kSlotSize),
                              member.message)) {
        return {};
      }
      return Error(Code::kIo,
                   "the new key block reads back differently; the old one was left alone");
    });
  }

  std::vector<Result<RewrapSummary>> Results() const {
    std::vector<Result<RewrapSummary>> results;
    for (const Member& member : members_) {
      if (member.error) {
        results.emplace_back(*member.error);
      } else {
        results.emplace_back(RewrapSummary{member.block.id, member.block.generation});
      }
    }
    return results;
  }

 private:
  std::vector<Member*> Good() {
    std::vector<Member*> good;
    for (Member& member : members_) {
      if (!member.error) good.push_back(&member);
    }
    return good;
  }

  template <typename Step>
  void Each(Step step) {
    for (Member* member : Good()) {
      if (Result<void> done = step(*member); !done) member->error = std::move(done).error();
    }
  }

  std::vector<Member> members_;
};

}  // namespace

RewrapResults RewrapAreas(std::span<RewritableArea* const> areas, const Keyring& old_keks,
                          const Keyring& new_keks) {
  Group group(areas);
  group.ReadAll();
  group.OpenAll(old_keks);
  std::optional<Error> fault = group.SealAll(new_keks);
  if (!fault) {
    group.ReplaceAll([](const Member& member) { return member.spare(); });
    group.ReadAllBack();
    // The same bytes again, so that no slot needs an old KEK.
    group.ReplaceAll([](const Member& member) { return member.current; });
  }
  return {group.Results(), std::move(fault)};
}

Result<RewrapSummary> RewrapArea(RewritableArea& area, const Keyring& old_keks,
                                 const Keyring& new_keks) {
  RewritableArea* const only = &area;
  return std::move(RewrapAreas({&only, 1}, old_keks, new_keks).each.front());
}

}  // namespace dare::envelope
