#pragma once

#include <optional>

#include "base/bytes.h"
#include "kmip/cryptographic_parameters.h"

namespace dare::kmip {

// Hash (kmip-2.1 6.1.24; kmip-1.4 4.37, since 1.2). The request borrows from its message.
struct HashRequest {
  static constexpr Operation kOperation = Operation::kHash;
  CryptographicParameters parameters;
  std::optional<ByteView> data;         // required unless the message comes in parts
  std::optional<ByteView> correlation;  // 1.3
  std::optional<bool> init;             // 1.3
  std::optional<bool> final;            // 1.3

  // Init and Final Indicator together, without a Correlation Value, are a message in one part.
  bool multi_part() const {
    return correlation || (init.value_or(false) && !final.value_or(false));
  }

  static Result<HashRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct HashResponse {
  std::optional<Bytes> data;  // the hash
  std::optional<Bytes> correlation;

  static Result<HashResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
