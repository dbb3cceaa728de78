#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_bytes.h"
#include "envelope/keyring.h"
#include "secrets/secret_form.h"

// One secret as one message of the sealed-file format, under the KEKs themselves
// (docs/formats/secret.md). Its name is in the message's context, which the key server checks when
// it unwraps: under another name nothing opens.
namespace dare::secrets {

inline constexpr std::size_t kMostSecretBytes = 64u << 10;
// Header, wrapped keys and secret; what a reader takes at most.
inline constexpr std::size_t kMostMessageBytes = kMostSecretBytes + (64u << 10);

// What anybody may know of a secret. A plain value.
struct SecretFacts {
  std::string name;
  SecretForm form = SecretForm::kText;
  std::int64_t made = 0;          // POSIX seconds
  std::vector<std::string> keys;  // names of the KEKs that open it; writers do not look at it
};

struct OpenedSecret {
  SecretFacts facts;
  SecretBytes value;
};

// Letters, digits and . _ - @ +, at most 100 of them, the first a letter or digit: what is a file
// name everywhere and needs no quotes in a shell. kInvalidArgument otherwise.
Result<void> CheckName(std::string_view name);

// A new message each time. kInvalidArgument for an empty value or a bad name, kTooLarge over the
// limit; errors of the KEKs' wrappers pass.
Result<Bytes> SealSecret(const SecretFacts& facts, const SecretBytes& value,
                         const envelope::Keyring& keks);

// What a message says of itself; needs no key, and nothing of it is authentic. kDamaged, one text,
// when it is no secret; kUnsupported when a later version wrote it.
Result<SecretFacts> ReadFacts(ByteView message);

// The secret, if it is whole and really that of `name`: kDamaged, one text, otherwise. Errors of
// the KEKs' wrappers pass.
Result<OpenedSecret> OpenSecret(ByteView message, std::string_view name,
                                const envelope::Keyring& keks);

}  // namespace dare::secrets
