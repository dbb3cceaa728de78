#pragma once

#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/enums.h"

namespace dare::kmip {

// Notify (kmip-2.1 6.2.2; kmip-1.4 5.1): a server tells a client that attributes of an object have
// changed. The answer has no payload.
struct NotifyRequest {
  static constexpr Operation kOperation = Operation::kNotify;
  std::string id;
  std::vector<Attribute> changed;           // new values
  std::vector<AttributeReference> removed;  // 2.x: 1.x can only say that something changed

  static Result<NotifyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
