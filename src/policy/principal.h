#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kmip/enums.h"

namespace dare::policy {

// What the holder of a Delegated Login's ticket may do (kmip-2.1 7.34): an aspect that is not given
// is not restricted.
struct Right {
  std::optional<std::vector<kmip::Operation>> operations;
  std::optional<std::vector<std::string>> objects;  // Unique Identifiers
  std::optional<std::vector<std::string>> groups;   // Object Groups
};

// Who asks, as proven by the connection. Made at the edge from the client certificate; policy only
// reads it.
struct Principal {
  std::string name;                 // the enrolled name; empty: nobody, who may do nothing
  bool administrator = false;       // holds the administrator role
  std::vector<std::string> groups;  // in its certificate; a policy's groups may take them
  // When there, the principal may do only what at least one of them grants; never more than
  // without.
  std::optional<std::vector<Right>> rights;
};

}  // namespace dare::policy
