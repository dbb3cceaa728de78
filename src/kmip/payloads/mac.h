#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/identifier.h"

namespace dare::kmip {

// MAC (kmip-2.1 6.1.32; kmip-1.4 4.33, since 1.2). The request borrows from its message.
struct MacRequest {
  static constexpr Operation kOperation = Operation::kMAC;
  Identifier id;
  std::optional<CryptographicParameters> parameters;
  std::optional<ByteView> data;         // required unless the message comes in parts
  std::optional<ByteView> correlation;  // 1.3
  std::optional<bool> init;             // 1.3
  std::optional<bool> final;            // 1.3

  // Init and Final Indicator together, without a Correlation Value, are a message in one part.
  bool multi_part() const {
    return correlation || (init.value_or(false) && !final.value_or(false));
  }

  static Result<MacRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct MacResponse {
  std::string id;
  std::optional<Bytes> mac;
  std::optional<Bytes> correlation;

  static Result<MacResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
