#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Encrypt (kmip-2.1 6.1.17; kmip-1.4 4.29, since 1.2). The request borrows: what Decode gives lives
// as long as the message, what Encode is given must outlive the call.
//
// Decode refuses fields that the version does not have. Encode writes what is there, whatever the
// version, so that no associated data is lost silently: who speaks a version below 1.4 must not set
// any.
struct EncryptRequest {
  static constexpr Operation kOperation = Operation::kEncrypt;
  Identifier id;
  std::optional<CryptographicParameters> parameters;
  std::optional<ByteView> data;  // plaintext; required unless the message comes in parts
  std::optional<ByteView> iv;
  std::optional<ByteView> correlation;  // 1.3: continues what an earlier part began
  std::optional<bool> init;             // 1.3
  std::optional<bool> final;            // 1.3
  std::optional<ByteView> aad;          // 1.4

  // Init and Final Indicator together, without a Correlation Value, are a message in one part.
  bool multi_part() const {
    return correlation || (init.value_or(false) && !final.value_or(false));
  }

  static Result<EncryptRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct EncryptResponse {
  std::string id;
  std::optional<Bytes> data;  // ciphertext
  std::optional<Bytes> iv;    // when the server made it
  std::optional<Bytes> correlation;
  std::optional<Bytes> tag;  // 1.4; before, the tag ends the ciphertext

  static Result<EncryptResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
