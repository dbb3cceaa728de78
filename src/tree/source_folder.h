#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "tree/entry.h"

namespace dare::tree {

// What a folder said of one name in it.
struct SeenName {
  std::string name;
  dev_t device = 0;
  ino_t inode = 0;
  mode_t mode = 0;
  nlink_t links = 0;
  std::uint64_t size = 0;
  Entry AsEntry(const std::string& folder) const;  // kind, path and mode only
};

// All names of the folder `path` beneath `root`, sorted as a manifest is.
Result<std::vector<SeenName>> ListFolder(int root, const std::string& path);

// Fills in everything of `entry` (kind and path given) but the content of a file: its sparse map
// and FileData's facts of the source are set. Gives the descriptor, of a file for reading.
// kConflict when it is not the inode that was seen.
Result<FileDescriptor> ReadSource(int root, ino_t inode, Entry& entry);

// Whether the file is still what `entry` says.
bool IsUnchanged(int fd, const Entry& entry);
// True for a file that was changed just now: it may change again within the same tick of the file
// system's clock, so that its time of change proves nothing. So does one in the future: the clock
// was set back.
bool MayChangeUnseen(const Time& changed, const Time& now);

// The bytes of all regular files below, for a progress bar; what cannot be read counts nothing.
std::uint64_t CountBytes(int root, const std::string& path);

}  // namespace dare::tree
