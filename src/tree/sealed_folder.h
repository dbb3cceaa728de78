#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "envelope/key_block.h"
#include "tree/entry.h"

namespace dare::tree {

// Names inside a sealed tree (docs/formats/sealed-tree.md).
inline constexpr std::string_view kKeyBlockName = "key-block";
inline constexpr std::string_view kManifestName = "manifest";
inline constexpr std::string_view kNewManifestName = "manifest.new";        // being written
inline constexpr std::string_view kResumeManifestName = "manifest.resume";  // of a killed run
inline constexpr std::string_view kLockName = "lock";

// Where the message of a file lies: "data/ab/…" after its message id, or, with names that are kept,
// "files/PATH.<16 hex digits>.esdk". Never the same for two messages.
std::string DataPath(const Entry& entry, bool names_encrypted);

// True when `path` is a folder that looks like a sealed tree (has a key block); needs no key.
bool IsSealedTree(const std::string& path);

// A sealed tree on the disk, locked against others (flock) as long as this lives. Movable.
class SealedFolder {
 public:
  // Makes it, with a fresh key block under `new_keks()`, where there is none yet; opens the key
  // block with `old_keks()` otherwise. kAlreadyExists when something else is there. kConflict when
  // another process seals, opens or verifies it.
  template <typename MakeKeyring>
  static Result<SealedFolder> ForSealing(const std::string& path, MakeKeyring old_keks,
                                         MakeKeyring new_keks) {
    SealedFolder folder = TRY(Claim(path));
    if (folder.is_new()) {
      const envelope::Keyring keks = TRY(new_keks());
      TRY(folder.MakeKeyBlock(keks));
    } else {
      const envelope::Keyring keks = TRY(old_keks());
      TRY(folder.OpenKeyBlock(keks));
    }
    return folder;
  }
  // kDamaged, "<path>: not a sealed tree or damaged".
  static Result<SealedFolder> ForOpening(const std::string& path, const envelope::Keyring& keks);

  int fd() const { return root_.get(); }
  const std::string& path() const { return path_; }
  // For the manifest and the messages of the files. Each thread needs its own.
  Result<envelope::Keyring> DataKeyring() const { return block_.DataKeyring(); }
  const envelope::KeyBlock& block() const { return block_; }

  // A manifest open for reading; empty when there is none of that name.
  Result<FileDescriptor> OpenManifest(std::string_view name) const;
  Result<FileDescriptor> CreateManifest() const;  // kNewManifestName, anew
  // Keeps what a killed run had written as kResumeManifestName: the longer one of what there is.
  Result<void> KeepUnfinished() const;
  // Syncs all, puts the new manifest in the place of the old one, durably, and drops what killed
  // runs left.
  Result<void> Commit(int manifest) const;
  // Removes every message that `ids` (sorted: the first 8 bytes of message ids) does not name, and
  // folders that are empty then. Gives how many messages.
  Result<std::uint64_t> Sweep(const std::vector<std::uint64_t>& ids) const;

 private:
  SealedFolder() = default;
  static Result<SealedFolder> Claim(const std::string& path);
  bool is_new() const { return is_new_; }
  Result<void> MakeKeyBlock(const envelope::Keyring& keks);
  Result<void> OpenKeyBlock(const envelope::Keyring& keks);

  std::string path_;
  FileDescriptor root_;
  FileDescriptor lock_;
  envelope::KeyBlock block_;
  bool is_new_ = false;
};

}  // namespace dare::tree
