#pragma once

#include <string>
#include <vector>

namespace dare::policy {

// Who asks, as proven by the connection. Made at the edge from the client certificate; policy only
// reads it.
struct Principal {
  std::string name;                 // the enrolled name; empty: nobody, who may do nothing
  bool administrator = false;       // holds the administrator role
  std::vector<std::string> groups;  // no rule looks at them yet; audited and shown
};

}  // namespace dare::policy
