#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"

namespace dare::audit {

// A Proof shows that one line is in a log that a signed checkpoint speaks of, to somebody who has
// the public key and nothing else of the log. One JSON object; docs/formats/audit.md.
struct Proof {
  std::string line;            // without its newline
  std::uint64_t index = 0;     // its sequence number less one
  std::vector<TreeHash> path;  // siblings, from the leaf up
  std::string checkpoint;      // its text; the tree's size is in it

  friend bool operator==(const Proof&, const Proof&) = default;
};

inline constexpr std::size_t kMostProofBytes = 512u << 10;

std::string EncodeProof(const Proof& proof);
// kMalformed unless it has exactly the members of a proof, within their limits; kTooLarge.
Result<Proof> DecodeProof(std::string_view json);

// Of entry `sequence` of the log at `path` (a folder, or one file with all lines), under
// `checkpoint`. kNotFound: the checkpoint does not have the entry yet. kDamaged: the log is not the
// one of the checkpoint.
Result<Proof> MakeProof(const std::string& path, std::uint64_t sequence,
                        const std::string& checkpoint);
// The checkpoint when the proof is right; kDamaged otherwise.
Result<Checkpoint> CheckProof(const Proof& proof, const CheckpointKeys& keys);

}  // namespace dare::audit
