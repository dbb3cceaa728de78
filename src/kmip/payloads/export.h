#pragma once

#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/payloads/get.h"

namespace dare::kmip {

// Export (kmip-2.1 6.1.18; kmip-1.4 4.40): the object together with all of its attributes. What may
// be asked of its form is what Get may be asked.
struct ExportRequest {
  static constexpr Operation kOperation = Operation::kExport;
  GetRequest get;

  static Result<ExportRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

// Move-only, as the object in it.
struct ExportResponse {
  GetResponse given;  // type, identifier and, unless it was destroyed, the object
  bool destroyed = false;
  std::vector<Attribute> attributes;

  static Result<ExportResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
