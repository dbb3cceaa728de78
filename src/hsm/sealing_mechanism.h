#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace dare::hsm {

// How a token seals, best first; the number is the second byte of the records that it makes
// (docs/formats/sealed-record.md). What a token can do is found by use: token_profile.h.
enum class SealingMechanism : std::uint8_t {
  kAesGcm = 1,      // AES-256-GCM with associated data
  kAesCbcHmac = 2,  // AES-256-CBC-PAD, then HMAC-SHA-256 with a second key
  kRsaOaep = 3,     // a key for each record by RSA-OAEP, and an RSA signature with a second key
};

// kUnsupported for a number that is none.
inline Result<SealingMechanism> SealingMechanismOf(std::uint8_t number) {
  switch (number) {
    case 1:
      return SealingMechanism::kAesGcm;
    case 2:
      return SealingMechanism::kAesCbcHmac;
    case 3:
      return SealingMechanism::kRsaOaep;
    default:
      return Error(Code::kUnsupported, "no token seals by mechanism " + std::to_string(number));
  }
}

// "AES-256-GCM".
constexpr const char* NameOf(SealingMechanism mechanism) {
  switch (mechanism) {
    case SealingMechanism::kAesGcm:
      return "AES-256-GCM";
    case SealingMechanism::kAesCbcHmac:
      return "AES-256-CBC-PAD and HMAC-SHA-256";
    case SealingMechanism::kRsaOaep:
      return "RSA-OAEP and RSA signatures";
  }
  return "";
}

}  // namespace dare::hsm
