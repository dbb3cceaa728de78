#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Decrypt (kmip-2.1 6.1.11; kmip-1.4 4.30, since 1.2). Borrowing, versions and presence as for
// Encrypt.
struct DecryptRequest {
  static constexpr Operation kOperation = Operation::kDecrypt;
  Identifier id;
  std::optional<CryptographicParameters> parameters;
  std::optional<ByteView> data;  // ciphertext; required unless the message comes in parts
  std::optional<ByteView> iv;
  std::optional<ByteView> correlation;  // 1.3
  std::optional<bool> init;             // 1.3
  std::optional<bool> final;            // 1.3
  std::optional<ByteView> aad;          // 1.4
  std::optional<ByteView> tag;          // 1.4; before, the tag ends the ciphertext

  // Init and Final Indicator together, without a Correlation Value, are a message in one part.
  bool multi_part() const {
    return correlation || (init.value_or(false) && !final.value_or(false));
  }

  static Result<DecryptRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct DecryptResponse {
  std::string id;
  std::optional<WipingBytes> data;  // plaintext, often a key
  std::optional<Bytes> correlation;

  static Result<DecryptResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
