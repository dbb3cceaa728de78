#pragma once

#include "kmip/enums.h"
#include "kmip/payloads/key_pair_attributes.h"

namespace dare::kmip {

// Create Key Pair (kmip-2.1 6.1.9; kmip-1.4 4.2): the server makes a private and a public key.
struct CreateKeyPairRequest {
  static constexpr Operation kOperation = Operation::kCreateKeyPair;
  KeyPairAttributes attributes;

  static Result<CreateKeyPairRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

using CreateKeyPairResponse = KeyPairResponse;

}  // namespace dare::kmip
