#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace dare::audit {

enum class Outcome : std::uint8_t {
  kAllowed,  // policy allowed it and it was done
  kDenied,   // policy, or the object's owner, state or usage mask, said no
  kFailed,   // allowed but not done, or not understood
};

// One decision and what became of it: who, from where, what, on which object, and why. Never key
// material, and nothing that was sent as content. Each text is cut at kMostFieldBytes in the log.
struct Entry {
  std::int64_t time = 0;  // POSIX seconds
  std::string principal;  // enrolled name; empty when the peer proved none
  std::string address;    // of the peer
  std::string operation;  // KMIP Operation by name, or a word of ours
  std::string object_id;  // empty when no single object was meant
  Outcome outcome = Outcome::kFailed;
  std::string rule;                 // which rule decided
  std::string request_id;           // Client Correlation Value, or the server's own
  std::uint32_t result_reason = 0;  // KMIP Result Reason, 0 for success
  std::string detail;               // for the person who reads
  // Where the store was changed: the object's row version afterwards (0: it was removed), and which
  // of this node's groups of changes it was; 0 where nothing was changed.
  std::uint64_t version = 0;
  std::uint64_t group = 0;
};

inline constexpr std::size_t kMostFieldBytes = 512;

// An entry and its place in the chain.
struct NumberedEntry {
  std::uint64_t sequence = 0;
  Entry entry;
};

}  // namespace dare::audit
