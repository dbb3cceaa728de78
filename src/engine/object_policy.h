#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kmip/enums.h"

namespace dare::engine {

// A group whose keys the server makes when somebody asks for a fresh one and there is none.
struct GroupPolicy {
  kmip::CryptographicAlgorithm algorithm = kmip::CryptographicAlgorithm::kAES;
  std::int32_t length = 256;  // bits
  kmip::CryptographicUsageMask usage =
      kmip::CryptographicUsageMask::kEncrypt | kmip::CryptographicUsageMask::kDecrypt;
};

// What the administrator decides about objects, and the standard leaves to the server.
struct ObjectPolicy {
  std::map<std::string, GroupPolicy, std::less<>> groups;  // by Object Group
  // Where a client leaves Application Data out, the server makes it up for these name spaces.
  std::vector<std::string> application_namespaces;
};

}  // namespace dare::engine
