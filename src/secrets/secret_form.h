#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/secret_bytes.h"

namespace dare::secrets {

// What a secret looks like to the program that asks for it.
enum class SecretForm : std::uint8_t {
  kHex,         // made here: lower case
  kBase64Url,   // made here: RFC 4648, section 5, without padding
  kPassphrase,  // made here: words of five letters for 16 bits each, joined by dashes
  kText,        // brought: characters, without the newline at their end
  kBinary,      // brought: any bytes
};

// "hex", "base64url", "passphrase", "text", "binary".
std::string_view FormName(SecretForm form);
std::optional<SecretForm> ParseForm(std::string_view name);

// So many random bytes are behind a secret that is made here.
inline constexpr std::size_t kLeastRandomBytes = 16;
inline constexpr std::size_t kMostRandomBytes = 1024;
// 256 bits; of a passphrase, which somebody may have to type, 128 bits in eight words.
std::size_t DefaultRandomBytes(SecretForm form);

// A new secret of `random_bytes` from the private generator. kInvalidArgument for a form that is
// not made here, sizes out of bounds, and half a word of a passphrase.
Result<SecretBytes> MakeSecret(SecretForm form, std::size_t random_bytes);

// The characters of `random` in one of the forms that are made here; the words of a passphrase are
// proquints (arXiv:0901.4016), which can be read aloud and are the same in every language. Nothing
// is lost: different bytes give different characters. Requires an even number of them for a
// passphrase.
Result<SecretBytes> EncodeSecret(SecretForm form, const SecretBytes& random);

}  // namespace dare::secrets
