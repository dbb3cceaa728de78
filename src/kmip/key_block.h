#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/enums.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Which key wrapped, how: Encryption Key Information and MAC/Signature Key Information
// (kmip-2.1 3.7; kmip-1.4 2.1.5).
struct WrappingKeyInformation {
  std::string id;  // Unique Identifier
  std::optional<CryptographicParameters> parameters;
};

// How a stored or sent key is wrapped (Key Wrapping Data), or shall be (Key Wrapping Specification,
// with `attribute_names`).
struct KeyWrapping {
  WrappingMethod method = WrappingMethod::kEncrypt;
  std::optional<WrappingKeyInformation> encryption;
  std::optional<WrappingKeyInformation> mac;
  Bytes mac_or_signature;                    // Key Wrapping Data only
  Bytes iv;                                  // Key Wrapping Data only
  std::vector<std::string> attribute_names;  // Key Wrapping Specification only (1.x text form)
  std::optional<EncodingOption> encoding;    // absent: TTLV Encoding (kmip-1.4 2.1.5)
};

// A Key Block borrowed from a message or a record (kmip-2.1 3.5; kmip-1.4 2.1.3).
// Key Value is a structure (Key Material, Attribute*) when not wrapped or wrapped without encoding,
// a byte string otherwise.
struct KeyBlock {
  KeyFormatType format = KeyFormatType::kRaw;
  std::optional<std::uint32_t> compression;
  std::optional<ttlv::Item> key_value;  // absent: metadata only
  std::optional<ttlv::Item>
      key_material;                    // member of a structured Key Value; byte string or structure
  std::vector<ttlv::Item> attributes;  // members of a structured Key Value after Key Material
  std::optional<CryptographicAlgorithm> algorithm;
  std::optional<std::int32_t> length;  // bits
  std::optional<KeyWrapping> wrapping;

  // The key's bytes: a Raw/Opaque Key Material, or the Key of a Transparent Symmetric Key.
  // kUnsupported otherwise.
  Result<ByteView> KeyBytes() const;
};
Result<KeyBlock> ReadKeyBlock(ttlv::Reader& in);  // at Key Block

Result<KeyWrapping> ReadKeyWrappingData(ttlv::Reader& in);  // at Key Wrapping Data
Result<KeyWrapping> ReadKeyWrappingSpecification(
    ttlv::Reader& in);  // at Key Wrapping Specification
void WriteKeyWrappingData(ttlv::Writer& out, const KeyWrapping& wrapping);
void WriteKeyWrappingSpecification(ttlv::Writer& out, const KeyWrapping& wrapping);

}  // namespace dare::kmip
