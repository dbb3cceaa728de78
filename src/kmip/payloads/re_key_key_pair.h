#pragma once

#include <cstdint>
#include <optional>

#include "kmip/enums.h"
#include "kmip/identifier.h"
#include "kmip/payloads/key_pair_attributes.h"

namespace dare::kmip {

// Re-key Key Pair (kmip-2.1 6.1.47; kmip-1.4 4.5): a new key pair takes the place of another.
struct ReKeyKeyPairRequest {
  static constexpr Operation kOperation = Operation::kReKeyKeyPair;
  Identifier id;  // of the private key
  std::optional<std::uint32_t>
      offset;  // seconds from Initial Date to Activation Date of the new pair
  KeyPairAttributes attributes;

  static Result<ReKeyKeyPairRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

using ReKeyKeyPairResponse = KeyPairResponse;

}  // namespace dare::kmip
