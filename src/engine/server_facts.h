#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/versions.h"

namespace dare::engine {

// What the configuration decides and clients may ask for (Query, Discover Versions, PKCS#11):
// constant data.
struct ServerFacts {
  kmip::ProtocolVersion newest_version = kNewestVersion;  // kVersion3_0: the draft, where allowed
  std::string product_name = "dare-kms";
  bool interop = false;  // the operation Interop exists: never on a production server
  // How far a request's Time Stamp may be off our clock, in seconds; 0: as far as it likes.
  std::int64_t most_clock_skew = 0;
  // /kmip answers over HTTPS; the port where it is known.
  bool https = false;
  std::optional<std::int32_t> https_port;
  // kmip-2.1 6.1.37: CK_INFO's texts, of 32 bytes at most.
  std::string pkcs11_manufacturer = "OpenDaRE";
  std::string pkcs11_description = "OpenDaRE KMIP";
};

}  // namespace dare::engine
