#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "tree/entry.h"

namespace dare::tree {

// Where a tree, or one entry of it with what is in it, is opened into. Its functions take paths and
// entries of the tree. Thread-safe, but for making folders above what is made in them.
class TargetFolder {
 public:
  // The folder at `path` becomes the folder `top` of the tree ("" is its root). Made with mode 0700
  // when it is not there; kAlreadyExists when it is not empty and must be.
  static Result<TargetFolder> Claim(const std::string& path, std::string top, bool must_be_empty,
                                    bool replace);
  // `path` becomes the entry `top` of the tree, which is no folder.
  static Result<TargetFolder> ForOne(const std::string& path, std::string top, bool replace);

  // A folder for us alone, until its attributes are set at the end.
  Result<void> MakeFolder(const std::string& path) const;
  // A folder that files are made in, kept open for the next of them. One thread at a time.
  struct Parent {
    std::string path;
    FileDescriptor fd;
  };
  // A file in the making, without a name where the file system can do that.
  struct NewFile {
    int parent = -1;  // borrowed
    FileDescriptor fd;
    std::string temporary;  // its name meanwhile, or empty
  };
  // `parent`: the folder of the file before, or none; it outlives the file.
  Result<NewFile> BeginFile(const std::string& path, Parent& parent) const;
  // Gives it its attributes and its name.
  Result<void> FinishFile(NewFile file, const Entry& entry) const;
  void DropFile(const NewFile& file) const;
  // A link, fifo or device.
  Result<void> MakeSpecial(const Entry& entry) const;
  Result<void> MakeHardLink(const std::string& path, const std::string& existing) const;
  Result<void> FinishFolder(const Entry& entry) const;
  // Whether a regular file of that size and time is there.
  bool HasFile(const Entry& entry) const;
  Result<void> Sync() const;

 private:
  TargetFolder(FileDescriptor root, std::string top, std::string top_name, bool replace)
      : root_(std::move(root)),
        top_(std::move(top)),
        top_name_(std::move(top_name)),
        replace_(replace) {}
  // Where an entry of the tree is, below root_.
  std::string PlaceOf(const std::string& path) const;
  Result<void> Publish(int parent, int fd, const std::string& from, const std::string& name) const;

  FileDescriptor root_;
  std::string top_;
  std::string top_name_;  // of `top_` in root_; empty when it is root_
  bool replace_;
};

}  // namespace dare::tree
