#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "envelope/inspect.h"
#include "envelope/rewrap_areas.h"

namespace dare::envelope {

// What is wanted of a rewrap. The keyrings are borrowed, and, where several threads rewrap, their
// wrappers are thread-safe.
struct RewrapWish {
  const Keyring& old_keks;
  const Keyring& new_keks;
  // Only what one of these opens; empty: everything.
  std::vector<NamedKey> from = {};
  // A recovery copy can only be made anew with the recovery key's public half: a file does not lose
  // one that is not among the new KEKs, unless this is set.
  bool drop_recovery = false;
};

enum class RewrapNeed : std::uint8_t {
  kNeeded,
  kDone,       // both key blocks are under exactly the new KEKs
  kOtherKeys,  // not under a key of RewrapWish::from
  kMessage,    // a bare message under KEKs of its own: its header must never change
  kOther,      // no file of ours, or a message that stands and falls with key blocks elsewhere
};
// By what a file tells itself, which is not authentic: it says what is left to do, not whether the
// file is good. kInvalidArgument, kLosesRecovery, when it would lose a recovery copy; kDamaged,
// "not a sealed file or damaged", when it begins like one of ours but has no key block.
inline constexpr std::string_view kLosesRecovery = "opens with a recovery key that is not given";
Result<RewrapNeed> NeedOfRewrap(const OpeningKeys& found, const RewrapWish& wish);

// RewrapAreas with the files at `paths`, each under an exclusive lock until all are done (kConflict
// when another process holds it, or when one file is named twice). They must be regular files.
// kDamaged, "<path>: not a sealed file or damaged".
struct FilesRewrapped {
  RewrapResults results;
  std::uint64_t bytes_written = 0;
};
FilesRewrapped RewrapFiles(std::span<const std::string> paths, const RewrapWish& wish);
// The same of one file, whether it needs it or not; but kInvalidArgument, kLosesRecovery, as above.
Result<RewrapSummary> RewrapFile(const std::string& path, const RewrapWish& wish);

}  // namespace dare::envelope
