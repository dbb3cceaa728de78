#pragma once

#include <cstdint>
#include <string>

#include "envelope/key_block.h"

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

// Opens the current key block with `old_keks` and puts the same block key under `new_keks`, in a
// new key block message of the next generation. The data message is not touched. Crash-safe: the
// spare slot is zeroed, written, synced and read back before the other one follows with the same
// bytes; at every moment one slot opens. Afterwards no slot needs an old KEK. Also repairs a file
// one of whose slots is damaged.
Result<RewrapSummary> RewrapArea(RewritableArea& area, const Keyring& old_keks,
                                 const Keyring& new_keks);

// The same for the file at `path`, under an exclusive lock (kConflict when another process holds
// it). kDamaged, "<path>: not a sealed file or damaged".
Result<RewrapSummary> RewrapFile(const std::string& path, const Keyring& old_keks,
                                 const Keyring& new_keks);

}  // namespace dare::envelope
