#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Signature Verify (kmip-2.1 6.1.56; kmip-1.4 4.32, since 1.2). The request borrows from its
// message.
struct SignatureVerifyRequest {
  static constexpr Operation kOperation = Operation::kSignatureVerify;
  Identifier id;
  std::optional<CryptographicParameters> parameters;
  std::optional<ByteView> data;           // or digested_data, unless the message comes in parts
  std::optional<ByteView> digested_data;  // 1.4
  std::optional<ByteView> signature;      // in parts: with any one of them
  std::optional<ByteView> correlation;    // 1.3
  std::optional<bool> init;               // 1.3
  std::optional<bool> final;              // 1.3

  // Init and Final Indicator together, without a Correlation Value, are a message in one part.
  bool multi_part() const {
    return correlation || (init.value_or(false) && !final.value_or(false));
  }

  static Result<SignatureVerifyRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct SignatureVerifyResponse {
  std::string id;
  std::optional<ValidityIndicator> validity;  // not before the last part
  std::optional<Bytes> data;                  // recovered from the signature, where it can be
  std::optional<Bytes> correlation;

  static Result<SignatureVerifyResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
