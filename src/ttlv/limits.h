#pragma once

#include <cstddef>

namespace dare::ttlv {

// The deepest nesting Validate can follow (its stack is an array of this size).
inline constexpr std::size_t kDeepestNesting = 64;

// What a message may cost before anybody knows who sent it. Checked before any allocation.
struct Limits {
  std::size_t max_message_bytes = (1u << 20) + (64u << 10);  // a 1 MiB payload and its frame
  std::size_t max_depth =
      32;  // nested structures, the message itself is 1; capped by kDeepestNesting
  std::size_t max_items = 65536;  // items of every kind, the message included
  bool draft3_types = false;      // Identifier, Reference, Name Reference: KMIP 3.0
};

}  // namespace dare::ttlv
