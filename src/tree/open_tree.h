#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "envelope/io.h"
#include "tree/sealed_folder.h"
#include "tree/tree_observer.h"

namespace dare::tree {

// What happens to a target that is there and not empty.
enum class Existing : std::uint8_t {
  kRefuse,
  kResume,   // files of the same size and time stay: an opening was interrupted
  kReplace,  // what has the name of an entry is replaced; the rest stays
};

struct OpenTreeOptions {
  Existing existing = Existing::kRefuse;
  std::string only;  // the path of the one entry that is wanted, with what is in it; "": all
  std::uint64_t at_least_generation = 0;  // kDamaged for an older manifest
  unsigned workers = 0;
  envelope::Progress progress;  // bytes of content
  const std::atomic<bool>* cancelled = nullptr;
};

struct OpenTreeSummary {
  std::uint64_t generation = 0;
  std::uint64_t entries = 0, files = 0, folders = 0;
  std::uint64_t bytes = 0;    // content of the files that are good
  std::uint64_t there = 0;    // files that were there (kResume)
  std::uint64_t damaged = 0;  // entries whose message is missing or not the one that was sealed
  std::uint64_t failed = 0, skipped = 0;
};

// Opens the tree into the folder `target`, which is made when it is not there. With `only`, that
// entry becomes `target`: a folder, or a file or whatever else it is. The manifest is read to its
// end first: when anything of it is not authentic, kDamaged, and nothing is touched; kNotFound when
// there is no such entry. Then a bad file does not stop the others. A file appears when it is
// complete. Nothing outside `target` is touched, whatever the tree says and whoever changes
// `target` meanwhile.
Result<OpenTreeSummary> OpenTree(const SealedFolder& folder, const std::string& target,
                                 const OpenTreeOptions& options, TreeObserver& observer);

// Checks the manifest and every byte of every message it names (with `only`, of those that are
// wanted), and writes nothing.
Result<OpenTreeSummary> VerifyTree(const SealedFolder& folder, const OpenTreeOptions& options,
                                   TreeObserver& observer);

}  // namespace dare::tree
