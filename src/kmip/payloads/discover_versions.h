#pragma once

#include <vector>

#include "kmip/enums.h"
#include "kmip/message.h"

namespace dare::kmip {

// Discover Versions (kmip-2.1 6.1.16; kmip-1.4 4.26; 1.1+): which versions both sides speak.
struct DiscoverVersionsRequest {
  static constexpr Operation kOperation = Operation::kDiscoverVersions;
  std::vector<ProtocolVersion> versions;  // those the client knows, best first; none: tell all

  static Result<DiscoverVersionsRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct DiscoverVersionsResponse {
  std::vector<ProtocolVersion> versions;  // best first

  static Result<DiscoverVersionsResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
