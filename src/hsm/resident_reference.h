#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

namespace dare::hsm {

enum class ResidentKind : std::uint8_t { kAes = 1, kHmac = 2, kRsa = 3, kEc = 4 };

// A ResidentReference names a key that lives in a token: what a KMIP object has for material when
// its key never leaves the HSM (docs/formats/record.md, "Keys in the HSM"). It holds no secret, but
// is sealed and bound to its object like any material, so that nobody can point one object at
// another's key.
struct ResidentReference {
  ResidentKind kind{};
  std::uint32_t bits = 0;   // of the key; EC: of the field
  std::string token_label;  // where the key was made
  std::string token_serial;
  Bytes id;          // CKA_ID: 16 random bytes
  Bytes check;       // CKA_CHECK_VALUE of a secret key; empty where the token has none
  Bytes public_key;  // SubjectPublicKeyInfo of a key pair; empty for secret keys

  bool IsPair() const { return kind == ResidentKind::kRsa || kind == ResidentKind::kEc; }

  Result<SecretBytes> Encode() const;
  // Whether `material` is a reference and no object structure of KMIP.
  static bool Is(ByteView material);
  // kDamaged for anything that Encode does not make.
  static Result<ResidentReference> Parse(ByteView material);

  friend bool operator==(const ResidentReference&, const ResidentReference&) = default;
};

}  // namespace dare::hsm
