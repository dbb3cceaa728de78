#pragma once

#include <optional>
#include <string>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "ttlv/item.h"

namespace dare::kmip {

// Import (kmip-2.1 6.1.25; kmip-1.4 4.41): an object comes with its identity and all of its
// attributes, as Export gave them.
struct ImportRequest {
  static constexpr Operation kOperation = Operation::kImport;
  std::string id;
  ObjectType object_type{};
  bool replace_existing = false;
  std::optional<KeyWrapType> wrap_type;
  AttributeSet attributes;
  ttlv::Item object;  // borrowed from the request's bytes; it holds key material

  static Result<ImportRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct ImportResponse {
  std::string id;

  static Result<ImportResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
