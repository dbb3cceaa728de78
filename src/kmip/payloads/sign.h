#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// Sign (kmip-2.1 6.1.55; kmip-1.4 4.31, since 1.2). The request borrows from its message.
struct SignRequest {
  static constexpr Operation kOperation = Operation::kSign;
  Identifier id;
  std::optional<CryptographicParameters> parameters;
  std::optional<ByteView> data;           // or digested_data, unless the message comes in parts
  std::optional<ByteView> digested_data;  // 1.4
  std::optional<ByteView> correlation;    // 1.3
  std::optional<bool> init;               // 1.3
  std::optional<bool> final;              // 1.3

  // Init and Final Indicator together, without a Correlation Value, are a message in one part.
  bool multi_part() const {
    return correlation || (init.value_or(false) && !final.value_or(false));
  }

  static Result<SignRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct SignResponse {
  std::string id;
  std::optional<Bytes> signature;
  std::optional<Bytes> correlation;

  static Result<SignResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
