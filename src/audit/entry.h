#pragma once

#include <cstdint>
#include <string>

namespace dare::audit {

enum class Outcome : std::uint8_t {
  kAllowed,  // and done
  kDenied,   // by policy
  kFailed,   // allowed, or never decided, but refused for another reason
};

// What the log says of one decision. Never key material. The log adds sequence number and chain itself.
struct Entry {
  std::int64_t time = 0;            // POSIX seconds
  std::string principal;
  std::string address;              // of the peer
  std::string operation;            // normalised KMIP name, or the event's
  std::string object_id;
  Outcome outcome = Outcome::kFailed;
  std::string rule;                 // which rule of the policy decided
  std::uint32_t result_reason = 0;  // KMIP Result Reason; 0 for success
  std::string request_id;           // the client's correlation value
  std::string detail;
};

}  // namespace dare::audit
