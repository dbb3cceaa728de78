#pragma once

#include <string>

#include "kmip/identifier.h"

namespace dare::kmip {

// Archive (kmip-2.1 6.1.4; kmip-1.4 4.22): the object may be put off-line.
struct ArchiveRequest {
  static constexpr Operation kOperation = Operation::kArchive;
  Identifier id;

  static Result<ArchiveRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ArchiveResponse {
  std::string id;

  static Result<ArchiveResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
