#include "secrets/secret_form.h"

#include <array>
#include <string>

namespace dare::secrets {
namespace {

struct NamedForm {
  SecretForm form;
  std::string_view name;
};
constexpr std::array kForms = {
    NamedForm{SecretForm::kHex, "hex"},
    NamedForm{SecretForm::kBase64Url, "base64url"},
    NamedForm{SecretForm::kPassphrase, "passphrase"},
    NamedForm{SecretForm::kText, "text"},
    NamedForm{SecretForm::kBinary, "binary"},
};

// Writes characters into memory of the right size, which is all that the secret is ever in.
class Pen {
 public:
  explicit Pen(MutableBytes out) : out_(out) {}
  void Write(char c) { out_[used_++] = static_cast<std::uint8_t>(c); }
  void Write(std::string_view alphabet, unsigned index) { Write(alphabet[index]); }

 private:
  const MutableBytes out_;
  std::size_t used_ = 0;
};

Result<SecretBytes> EncodeHex(ByteView random) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  SecretBytes text = TRY(SecretBytes::OfSize(2 * random.size()));
  Pen pen(text.RevealMutable());
  for (const std::uint8_t byte : random) {
    pen.Write(kDigits, byte >> 4);
    pen.Write(kDigits, byte & 15);
  }
  return text;
}

Result<SecretBytes> EncodeBase64Url(ByteView random) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  SecretBytes text = TRY(SecretBytes::OfSize((8 * random.size() + 5) / 6));
  Pen pen(text.RevealMutable());
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const std::uint8_t byte : random) {
    bits = bits << 8 | byte;  // what overflows was written before
    for (have += 8; have >= 6; have -= 6) pen.Write(kDigits, bits >> (have - 6) & 63);
  }
  if (have != 0) pen.Write(kDigits, bits << (6 - have) & 63);
  return text;
}

// Consonant (4 bits), vowel (2), consonant, vowel, consonant: 16 bits a word.
Result<SecretBytes> EncodePassphrase(ByteView random) {
  constexpr std::string_view kConsonants = "bdfghjklmnprstvz";
  constexpr std::string_view kVowels = "aiou";
  SecretBytes text = TRY(SecretBytes::OfSize(3 * random.size() - 1));
  Pen pen(text.RevealMutable());
  for (std::size_t i = 0; i < random.size(); i += 2) {
    const unsigned bits = GetU16(random.data() + i);
    if (i != 0) pen.Write('-');
    pen.Write(kConsonants, bits >> 12);
    pen.Write(kVowels, bits >> 10 & 3);
    pen.Write(kConsonants, bits >> 6 & 15);
    pen.Write(kVowels, bits >> 4 & 3);
    pen.Write(kConsonants, bits & 15);
  }
  return text;
}

}  // namespace

std::string_view FormName(SecretForm form) {
  for (const NamedForm& known : kForms) {
    if (known.form == form) return known.name;
  }
  return "";
}

std::optional<SecretForm> ParseForm(std::string_view name) {
  for (const NamedForm& known : kForms) {
    if (known.name == name) return known.form;
  }
  return std::nullopt;
}

std::size_t DefaultRandomBytes(SecretForm form) {
  return form == SecretForm::kPassphrase ? 16 : 32;
}

Result<SecretBytes> MakeSecret(SecretForm form, std::size_t random_bytes) {
  if (random_bytes < kLeastRandomBytes || random_bytes > kMostRandomBytes) {
    return Error(Code::kInvalidArgument, "a secret has " + std::to_string(kLeastRandomBytes) +
                                             " to " + std::to_string(kMostRandomBytes) +
                                             " random bytes");
  }
  const SecretBytes random = TRY(SecretBytes::Random(random_bytes));
  return EncodeSecret(form, random);
}

Result<SecretBytes> EncodeSecret(SecretForm form, const SecretBytes& random) {
  switch (form) {
    case SecretForm::kHex:
      return EncodeHex(random.Reveal());
    case SecretForm::kBase64Url:
      return EncodeBase64Url(random.Reveal());
    case SecretForm::kPassphrase:
      if (random.empty() || random.size() % 2 != 0) {
        return Error(Code::kInvalidArgument, "each word of a passphrase takes two random bytes");
      }
      return EncodePassphrase(random.Reveal());
    case SecretForm::kText:
    case SecretForm::kBinary:
      break;
  }
  return Error(Code::kInvalidArgument,
               "a secret of the form " + std::string(FormName(form)) + " is brought, not made");
}

}  // namespace dare::secrets
