#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "conformance/families.h"
#include "conformance/peer.h"

namespace dare::conformance {

// A client certificate and its key, as PEM files.
struct Identity {
  std::string certificate;
  std::string key;
};

// How to reach the server under judgement. A value.
struct Access {
  std::string server;  // "host:port" of TTLV over TLS; empty when there is none
  std::string https;   // "https://host:port/kmip"; empty when there is none
  std::string ca;      // PEM file; empty for the system's
  bool check_name = true;
  std::vector<Identity> identities;  // the last one stands in for those that are missing
  std::chrono::milliseconds timeout{30'000};
};

// Whether the access has what messages of this encoding need.
bool Reaches(const Access& access, Encoding encoding);

// Opens mutually authenticated connections (TLS 1.2 or 1.3) that carry messages in `encoding`.
Connect ConnectBy(const Access& access, Encoding encoding);

// "https://host:port/kmip" of a URL or of host:port.
std::string HttpsUrl(const std::string& given);

}  // namespace dare::conformance
