#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "tree/entry.h"

// Modes, owners, times and extended attributes (access lists among them) of open files.
namespace dare::tree {

Time ModifiedOf(const struct stat& status);
Time ChangedOf(const struct stat& status);

// What `status` says of an entry; kind, path and content are the caller's.
void TakeStatus(const struct stat& status, Entry& entry);
// Of the file behind `fd`, which may be open with O_PATH. File systems without them give none.
// kTooLarge above kMostAttributeBytes.
Result<std::vector<ExtendedAttribute>> ReadAttributes(int fd);

// Gives the file behind `fd` (O_PATH for a link) owner (root only), extended attributes, mode and
// time of `entry`, in the order that keeps all of them. Attributes of the namespaces security,
// trusted and the like are root's to set: others skip them. Set-user-id and set-group-id bits of
// files come back for root only.
Result<void> ApplyAttributes(int fd, const Entry& entry);

}  // namespace dare::tree
