#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Cryptographic Parameters (kmip-2.1 4.14; kmip-1.4 3.6): how a key is used; every field optional.
struct CryptographicParameters {
  std::optional<BlockCipherMode> block_cipher_mode;
  std::optional<PaddingMethod> padding_method;
  std::optional<HashingAlgorithm> hashing_algorithm;
  std::optional<KeyRoleType> key_role_type;
  std::optional<DigitalSignatureAlgorithm> digital_signature_algorithm;
  std::optional<CryptographicAlgorithm> cryptographic_algorithm;
  std::optional<bool> random_iv;
  std::optional<std::int32_t> iv_length;           // bytes
  std::optional<std::int32_t> tag_length;          // bytes
  std::optional<std::int32_t> fixed_field_length;  // bytes
  std::optional<std::int32_t> invocation_field_length;
  std::optional<std::int32_t> counter_length;
  std::optional<std::int32_t> initial_counter_value;
  std::optional<std::int32_t> salt_length;
  std::optional<MaskGenerator> mask_generator;
  std::optional<HashingAlgorithm> mask_generator_hashing_algorithm;
  std::optional<Bytes> p_source;
  std::optional<std::int32_t> trailer_field;

  // Each absent field taken from `defaults`.
  CryptographicParameters Over(const CryptographicParameters& defaults) const;
};

// At `tag`, by default Cryptographic Parameters.
Result<CryptographicParameters> ReadCryptographicParameters(ttlv::Reader& in);
Result<std::optional<CryptographicParameters>> ReadOptionalCryptographicParameters(
    ttlv::Reader& in);
void WriteCryptographicParameters(ttlv::Writer& out, const CryptographicParameters& parameters);

}  // namespace dare::kmip
