#pragma once

#include <optional>
#include <string>
#include <vector>

#include "custody/custody.h"

namespace dare::custody {

// What an administrator decides about keys: rotate, let a token in or out, destroy what is retired.
// Each is one change of the custody record; re-sealing follows it (engine/resealer.h). Functions
// take as long as tokens do. Thread-safe.

struct RotationRequest {
  std::optional<SealingMode> mode;  // nothing: as it is
  Bytes prepared;                   // a key that a ceremony made ready; empty: a new one
};
struct RotationBegun {
  Bytes from, to;
  std::vector<TokenFailure> left_out;  // tokens that hold nothing of the new key
};
// Makes the new key current and the old one retiring. kConflict while an earlier rotation is under
// way; kNotFound or kDenied for a prepared key that is none.
Result<RotationBegun> BeginRotation(Custody& custody, const RotationRequest& request);

// After the proof that no record needs them: retiring keys are retired.
Result<void> EndRotation(Custody& custody);

// Destroys every retired key in every token that holds it, and what is wrapped of retired root
// keys: whatever was sealed under them, backups of the store included, opens never again. Gives
// their ids. kConflict while a rotation is under way, and when a walk through the store, made
// before, finds a record under one of them. A master key that still wraps a living root key is left
// alone.
Result<std::vector<Bytes>> DestroyRetired(Custody& custody);

// Lets a token of the configuration in: it wraps the root key, or is seen to hold the same master
// key. kAlreadyExists, unless it is to be done anew (a token that lost what it had); kDenied,
// saying what to do, when a token cannot have the key in `direct` mode.
enum class Holder { kNew, kAnew };
Result<void> AddToken(Custody& custody, const std::string& token, Holder holder = Holder::kNew);
// kNotFound; kDenied for the last one, or when none of the others answers.
Result<void> RemoveToken(Custody& custody, const std::string& token);

// The master key that wraps, or shall wrap, root keys in a token: one that does so already, else
// the one that seals records there; empty when the record knows none.
Bytes WrappingKeyOf(const CustodyRecord& record, const std::string& token);

}  // namespace dare::custody
