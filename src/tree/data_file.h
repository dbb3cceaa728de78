#pragma once

#include <atomic>
#include <optional>

#include "base/mutex.h"
#include "envelope/io.h"
#include "envelope/keyring.h"
#include "envelope/message_opener.h"
#include "tree/entry.h"

// The message of one file of a sealed tree.
namespace dare::tree {

// How content is worked on. Shared by the workers of a tree; one big file at a time takes all
// cores, small ones one each, so that memory stays within two frames a core.
struct ContentFlow {
  unsigned workers = 0;  // for a big file; 0: one for each core
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(std::uint64_t)> done;  // bytes more; thread-safe; may be empty
  Mutex big_file;
};

// Seals the regular file `source` as a new message in `folder` (the sealed tree) and fills in
// `entry.file`. `entry.file.linked`, path, size, sparse and extents are set already. When it fails,
// nothing is left.
Result<void> SealContent(int source, int folder, bool names_encrypted,
                         const envelope::Keyring& keyring, ContentFlow& flow, Entry& entry);

// Opens the message that `entry` names and no other: kDamaged when it is missing, or anything of it
// differs. Without `out` it is only checked.
Result<void> OpenContent(int folder, bool names_encrypted, const envelope::Keyring& keyring,
                         ContentFlow& flow, const Entry& entry, envelope::RandomWriter* out);

// The same in order, holes as zeroes. With `range`, only that part of the file comes out, and only
// the frames that it needs are read and checked; kInvalidArgument when it begins behind the end.
Result<void> StreamContent(int folder, bool names_encrypted, const envelope::Keyring& keyring,
                           ContentFlow& flow, const Entry& entry,
                           const std::optional<envelope::PlainRange>& range,
                           envelope::ByteSink& out);

// Whether the message of `entry` is there with its size and, with `tags`, its two tags.
bool ContentIsThere(int folder, bool names_encrypted, const Entry& entry, bool tags);

}  // namespace dare::tree
