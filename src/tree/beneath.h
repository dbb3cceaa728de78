#pragma once

#include <string>

#include "base/file.h"

// Paths below a folder that others may write into: resolution never leaves the folder and follows
// no symbolic link at any component, whoever exchanges them meanwhile (openat2, Linux 5.6).
namespace dare::tree {

// `path` is relative; "" is the folder itself. The error carries errno in its detail.
Result<FileDescriptor> OpenBeneath(int folder, const std::string& path, int flags, mode_t mode = 0);
// The folder that `path` lies in, for the calls that take a folder and a name.
Result<FileDescriptor> OpenParent(int folder, const std::string& path);
std::string ParentOf(const std::string& path);  // "": the folder itself
std::string NameOf(const std::string& path);    // the last component
// Makes every folder above `path` that is not there, mode 0700.
Result<void> MakeParents(int folder, const std::string& path);

}  // namespace dare::tree
