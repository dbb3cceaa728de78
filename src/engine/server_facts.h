#pragma once

#include <cstdint>
#include <string>

#include "engine/versions.h"

namespace dare::engine {

// What the configuration decides and clients may ask for (Query, Discover Versions, PKCS#11):
// constant data.
struct ServerFacts {
  kmip::ProtocolVersion newest_version = kNewestVersion;  // kVersion3_0: the draft, where allowed
  std::string product_name = "dare-kms";
  // Where /kmip answers over HTTPS; empty: nowhere.
  std::string https_uri;
  std::int32_t https_port = 0;
  // kmip-2.1 6.1.37: CK_INFO's texts, of 32 bytes at most.
  std::string pkcs11_manufacturer = "OpenDaRE";
  std::string pkcs11_description = "OpenDaRE KMIP";
};

}  // namespace dare::engine
