#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/dialect.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Derivation Parameters (kmip-2.1 7.12; kmip-1.4 4.6). Borrowed from the message.
struct DerivationParameters {
  std::optional<CryptographicParameters> parameters;
  std::optional<ByteView> iv;  // Initialization Vector
  std::vector<ByteView> data;  // Derivation Data; more than one since 2.0
  std::optional<ByteView> salt;
  std::optional<std::int32_t> iterations;
};

// Derive Key (kmip-2.1 6.1.14; kmip-1.4 4.6): a symmetric key or secret data from what is there.
struct DeriveKeyRequest {
  static constexpr Operation kOperation = Operation::kDeriveKey;
  ObjectType object_type = ObjectType::kSymmetricKey;
  std::vector<Identifier> ids;  // at least one; the ID Placeholder does not stand in
  DerivationMethod method{};
  DerivationParameters derivation;
  AttributesIn attributes;

  static Result<DeriveKeyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct DeriveKeyResponse {
  std::string id;
  AttributeSet implied;  // 1.x only: what the server set unasked, if it cares to say

  static Result<DeriveKeyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
