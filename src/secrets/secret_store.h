#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "secrets/secret_message.h"

namespace dare::secrets {

// A file of the folder that is named like a secret: what it says of itself, or why it is none.
struct ListedSecret {
  std::string name;
  Result<SecretFacts> facts;
};

// A SecretStore is a folder with one file a secret, NAME.secret, each of which is whole or not
// there, whatever happens while it is written. Nothing in it is secret without the KEKs; still
// others may not write to it, because an older file put back would open. Several processes may use
// one folder: whoever changes a secret that exists holds a lock on it meanwhile, readers never
// wait. Holds no open files; used by one thread at a time.
class SecretStore {
 public:
  explicit SecretStore(std::string folder);

  const std::string& folder() const { return folder_; }

  // Seals `value` under every KEK and writes it; makes the folder (0700) where there is none. On
  // the disk when it returns. kAlreadyExists, before anybody is asked to wrap, when there is one of
  // that name and `replace` is false.
  Result<void> Put(const SecretFacts& facts, const SecretBytes& value,
                   const envelope::Keyring& keks, bool replace);
  // kNotFound when there is none of that name; kDamaged when it is not whole or of another name.
  Result<OpenedSecret> Get(std::string_view name, const envelope::Keyring& keks) const;
  // By name; empty where there is no folder. Needs no key.
  Result<std::vector<ListedSecret>> List() const;
  // kNotFound when there is none of that name.
  Result<void> Remove(std::string_view name);
  // Opens under `old_keks` and seals the same under `new_keks`, as a new message in the place of
  // the old one.
  Result<SecretFacts> Rewrap(std::string_view name, const envelope::Keyring& old_keks,
                             const envelope::Keyring& new_keks);

 private:
  std::string PathOf(std::string_view name) const;
  Result<void> MakeFolder() const;
  Result<void> CheckFolder() const;
  Result<Bytes> Read(std::string_view name) const;
  Result<void> Write(std::string_view name, ByteView message, bool replace) const;

  const std::string folder_;
};

}  // namespace dare::secrets
