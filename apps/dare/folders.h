#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "envelope/encryption_context.h"
#include "envelope/keyring.h"
#include "envelope/message_opener.h"

// seal, open, verify and list of folders (src/tree).
namespace dare::cli {

using MakeKeyring = std::function<Result<envelope::Keyring>()>;

struct FolderOptions {
  std::string in;
  std::string out;
  unsigned threads = 0;
  bool json = false;
};

struct SealFolderOptions : FolderOptions {
  bool encrypt_names = false;
  bool anew = false;
  envelope::EncryptionContext context;
};

struct OpenFolderOptions : FolderOptions {
  bool force = false;
  bool resume = false;
  std::uint64_t at_least_generation = 0;
  std::string only;  // an entry in it; empty: all
  std::optional<envelope::PlainRange> range;
};

// True for a folder; false for whatever else or nothing.
bool IsFolder(const std::string& path);

// `old_keks` open a tree that is there, `new_keks` are for a new one; only one of them is made.
Result<void> SealFolder(const SealFolderOptions& options, const MakeKeyring& old_keks,
                        const MakeKeyring& new_keks);
// A file that `only` names may also go to "-", a pipe or a device, and a range of it into a file.
Result<void> OpenFolder(const OpenFolderOptions& options, const envelope::Keyring& keks);
Result<void> VerifyFolder(const OpenFolderOptions& options, const envelope::Keyring& keks);

Result<void> ListFolder(const OpenFolderOptions& options, const envelope::Keyring& keks);

}  // namespace dare::cli
