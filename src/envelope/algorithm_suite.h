#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "crypto/hkdf.h"

namespace dare::envelope {

enum class FooterSignature : std::uint8_t { kNone, kEcdsaP256, kEcdsaP384 };

// One row of the table of algorithm suites (docs/formats/sealed-file.md, "Algorithm suites").
// All of them are AES-GCM with a 12-byte IV and a 16-byte tag.
struct AlgorithmSuite {
  std::uint16_t id;
  std::uint8_t header_version;
  std::size_t key_length;               // of the DEK and of the derived key
  std::optional<crypto::HkdfHash> kdf;  // none: the DEK itself encrypts
  bool commits;                         // the header binds the message to one DEK
  FooterSignature signature;

  std::size_t message_id_size() const { return header_version == 1 ? 16 : 32; }
};

inline constexpr std::uint16_t kSuiteWritten = 0x0478;        // what we write
inline constexpr std::uint16_t kSuiteWrittenSigned = 0x0578;  // on request; nothing else ever

// Null for unknown ids; suites of other AWS clients (S3, database) are unknown here.
const AlgorithmSuite* FindSuite(std::uint16_t id);

// What a DEK becomes for one message: the key of header tag and frames, and the commitment (empty
// in suites without one).
struct MessageKeys {
  SecretBytes data_key;
  Bytes commitment;
};
// `dek` must have the suite's key length (kDamaged otherwise: it came out of a message).
Result<MessageKeys> DeriveMessageKeys(const AlgorithmSuite& suite, ByteView message_id,
                                      const Dek& dek);

}  // namespace dare::envelope
