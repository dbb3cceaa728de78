#pragma once

#include <optional>
#include <string>

#include "custody/custody.h"

namespace dare::custody {

// How far the re-sealing of a rotation is; one row of the store (docs/formats/custody.md).
struct RotationState {
  Bytes to;  // id of the new key
  std::int64_t started = 0;
  std::string node;            // that does the work
  std::uint64_t pass = 1;      // the first seals anew; the later ones prove that nothing is left
  std::uint64_t cursor = 0;    // records up to this place are done
  std::uint64_t extent = 0;    // the last place, when the pass began
  std::uint64_t resealed = 0;  // records sealed anew
  std::int64_t finished = 0;   // 0: not yet
  friend bool operator==(const RotationState&, const RotationState&) = default;
};

// Nothing when there was no rotation yet. kDamaged.
Result<std::optional<RotationState>> ReadRotation(const Custody& custody,
                                                  const store::ObjectReader& reader);
Result<void> PutRotation(const Custody& custody, store::Transaction& transaction,
                         const RotationState& state);

// The right of one process, among all that use the store, to do the re-sealing. It is looked at and
// extended inside each transaction of that work, so that who lost it changes nothing more, whatever
// its clock says. One thread's.
class RotationLease {
 public:
  explicit RotationLease(const Custody& custody) : custody_(custody) {}
  // Takes it, or extends it, as part of the transaction. kConflict while another process has it.
  Result<void> Hold(store::Transaction& transaction);

  static constexpr std::int64_t kSeconds = 30;

 private:
  const Custody& custody_;
  Bytes holder_;  // random, of this process
};

}  // namespace dare::custody
