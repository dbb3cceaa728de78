#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "envelope/keyring.h"

namespace dare::envelope {

// A file whose key block area is being replaced; an interface so that tests can tear writes.
class RewritableArea {
 public:
  virtual ~RewritableArea() = default;
  virtual Result<Bytes> Read() = 0;  // the whole area
  virtual Result<void> WriteSlot(std::size_t index, ByteView bytes) = 0;
  virtual Result<void> Sync() = 0;
};

struct RewrapSummary {
  std::string block_id;
  std::uint32_t generation = 0;  // the new one
};

// What became of several files or areas.
struct RewrapResults {
  std::vector<Result<RewrapSummary>> each;  // in their order
  // Why nothing could be wrapped under the new KEKs: not the fault of a file, and the same for the
  // next one. Every file that had come so far has it as its error, and none was written to.
  std::optional<Error> new_keks_fault;
};

// Opens the current key block of each area with `old_keks` and puts the same block key under
// `new_keks`, in a new key block message of the next generation. The data message is not touched.
// Crash-safe: the spare slot is zeroed, written, synced and read back before the other one follows
// with the same bytes; at every moment one slot opens. Afterwards no slot needs an old KEK. Also
// repairs an area one of whose slots is damaged.
//
// All areas take each of these steps before any takes the next one, so that KEKs behind a network
// are asked for many things at once, and what holds for one area holds for each. One that fails is
// left as it is at that moment, and the others go on. Takes three blocks of 32 bytes of the secure
// heap for each area.
RewrapResults RewrapAreas(std::span<RewritableArea* const> areas, const Keyring& old_keks,
                          const Keyring& new_keks);
// The same of one.
Result<RewrapSummary> RewrapArea(RewritableArea& area, const Keyring& old_keks,
                                 const Keyring& new_keks);

}  // namespace dare::envelope
