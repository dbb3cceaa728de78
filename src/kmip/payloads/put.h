#pragma once

#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/enums.h"

namespace dare::kmip {

// Put (kmip-2.1 6.2.3; kmip-1.4 5.2): a server gives a client an object that it did not ask for.
// The answer has no payload.
struct PutRequest {
  static constexpr Operation kOperation = Operation::kPut;
  std::string id;
  PutFunction function = PutFunction::kNew;
  std::string replaced;  // with kReplace: whose place the object takes
  // The object's whole structure (Symmetric Key, …), borrowed from the request's bytes; it holds
  // key material.
  ByteView object;
  std::vector<Attribute> attributes;

  static Result<PutRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
