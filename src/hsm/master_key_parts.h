#pragma once

// Internal to src/hsm: the objects in a token that together are a master key, and how each of them
// is made, found and judged.
#include <string>
#include <vector>

#include "hsm/master_key.h"
#include "hsm/token_objects.h"

namespace dare::hsm {

// A master key as it lies in the token, not judged yet.
struct MasterKeyParts {
  Bytes id;
  SealingMechanism mechanism = SealingMechanism::kAesGcm;
  ObjectHandle seal = CK_INVALID_HANDLE;
  ObjectHandle authenticate = CK_INVALID_HANDLE;
};

// What judging a key found out.
struct JudgedParts {
  KeyOrigin origin = KeyOrigin::kToken;
  bool bound = false;
};

// The keys with this label, and this id unless it is empty. A part without its other half is no
// key: it is left from a making or removal that was cut off. kConflict when two have the same id.
Result<std::vector<MasterKeyParts>> FindParts(const SessionLease& lease, const std::string& label,
                                              ByteView id);
// kDenied naming what is weaker than a MasterKey is.
Result<JudgedParts> JudgeParts(const SessionLease& lease, const MasterKeyParts& parts,
                               const std::string& label, KeyOrigins origins);
// Makes the objects in a read-write session, the one that tells the mechanism first.
Result<void> MakeParts(const SessionLease& lease, const std::string& label, ByteView id,
                       SealingMechanism mechanism);
Result<void> ImportParts(const SessionLease& lease, const std::string& label, ByteView id,
                         SealingMechanism mechanism, const SecretBytes& key);
// Removes every object with this label and id, halves too: how many there were.
Result<std::size_t> RemoveParts(const SessionLease& lease, const std::string& label, ByteView id);
// The public halves of a key of RSA, empty of another.
Result<MasterKeyModuli> ModuliOf(const SessionLease& lease, const MasterKeyParts& parts);
// Three bytes that tell two keys apart, empty where they are not to be had.
Bytes CheckValueOf(const SessionLease& lease, const MasterKeyParts& parts);

}  // namespace dare::hsm
