#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "envelope/encryption_context.h"
#include "envelope/io.h"
#include "tree/sealed_folder.h"
#include "tree/tree_observer.h"

namespace dare::tree {

struct SealTreeOptions {
  bool encrypt_names = false;
  bool anew = false;                    // seal every file again, changed or not
  envelope::EncryptionContext context;  // public pairs for the manifest
  unsigned workers = 0;                 // 0: one for each core
  envelope::Progress progress;          // bytes of the files; may be empty
  const std::atomic<bool>* cancelled = nullptr;
};

struct SealTreeSummary {
  std::uint64_t generation = 0;
  std::uint64_t entries = 0, files = 0, folders = 0;
  std::uint64_t bytes = 0;      // content of all files
  std::uint64_t sealed = 0;     // files sealed by this run
  std::uint64_t unchanged = 0;  // files whose message was there already
  std::uint64_t removed = 0;    // entries of the last manifest that are gone
  std::uint64_t kept = 0;       // entries that could not be read: their older version stays
  std::uint64_t failed = 0, skipped = 0;
  bool resumed = false;  // what a killed run had done was used
};

// Seals the folder `source` into `folder`: what changed since the last time (or since a run that
// was killed), everything at the first. The old manifest rules until the new one is complete and on
// the disk; then what it does not name is removed. An entry that cannot be read does not stop the
// others. Errors that stop: the sealed tree's (damaged, full), the root of `source`, cancelling;
// what was done until then is used by the next run.
Result<SealTreeSummary> SealTree(const std::string& source, const SealedFolder& folder,
                                 const SealTreeOptions& options, TreeObserver& observer);

}  // namespace dare::tree
