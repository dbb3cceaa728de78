#include "secrets/secret_message.h"

#include <charconv>
#include <utility>

#include "envelope/inspect.h"
#include "envelope/message_header.h"
#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"

namespace dare::secrets {
namespace {

using envelope::EncryptionContext;

// Pairs of the context.
constexpr std::string_view kVersionPair = "dare-secret";
constexpr std::string_view kNamePair = "name";
constexpr std::string_view kFormPair = "form";
constexpr std::string_view kMadePair = "made";
constexpr std::string_view kVersion = "1";

constexpr std::size_t kLongestName = 100;

Error NoSecret() { return Error(Code::kDamaged, "not a secret or damaged"); }

// Whatever is not authentic has one text, whichever part it is.
template <typename T>
Result<T> AsNoSecret(Result<T> result) {
  if (result || result.error().code != Code::kDamaged) return result;
  return NoSecret();
}

envelope::MessageLimits Limits() {
  envelope::MessageLimits limits;
  limits.header_bytes = kMostMessageBytes - kMostSecretBytes;
  limits.frame_length = kMostSecretBytes;
  limits.non_framed_bytes = kMostSecretBytes;
  return limits;
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Result<std::string> PairOf(const EncryptionContext& context, std::string_view key) {
  const std::string* value = context.Find(key);
  if (value == nullptr) return NoSecret();
  return *value;
}

// Decimal, as it is written: no sign, no zeroes in front.
Result<std::int64_t> ParseSeconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || std::to_string(seconds) != text ||
      seconds < 0) {
    return NoSecret();
  }
  return seconds;
}

Result<SecretFacts> FactsOf(const envelope::MessageHeader& header) {
  const EncryptionContext& context = header.context;
  if (const std::string version = TRY(PairOf(context, kVersionPair)); version != kVersion) {
    return Error(Code::kUnsupported, "made by a later version of dare");
  }
  SecretFacts facts;
  facts.name = TRY(PairOf(context, kNamePair));
  if (!CheckName(facts.name)) return NoSecret();
  const std::optional<SecretForm> form = ParseForm(TRY(PairOf(context, kFormPair)));
  if (!form) return NoSecret();
  facts.form = *form;
  const std::string made = TRY(PairOf(context, kMadePair));
  facts.made = TRY(ParseSeconds(made));
  for (const envelope::EncryptedDataKey& edk : header.edks) {
    facts.keys.push_back(envelope::KeyNameOf(edk));
  }
  return facts;
}

Result<SecretFacts> ReadHeaderFacts(ByteView message) {
  envelope::MemorySource in(message);
  const envelope::MessageHeader header = TRY(envelope::ReadHeader(in, Limits()));
  return FactsOf(header);
}

Result<OpenedSecret> Open(ByteView message, std::string_view name, const envelope::Keyring& keks) {
  SecretFacts facts = TRY(ReadHeaderFacts(message));
  // Before the key server is asked: a secret of another name is not a use of its key.
  if (facts.name != name) return NoSecret();
  envelope::ReadOptions options;
  options.limits = Limits();
  const WipingBytes plaintext = TRY(envelope::OpenMessage(message, keks, options));
  // The message is authentic, and with it the facts read above from the same bytes.
  if (plaintext.empty() || plaintext.size() > kMostSecretBytes) return NoSecret();
  SecretBytes value = TRY(SecretBytes::CopyOf(plaintext));
  return OpenedSecret{std::move(facts), std::move(value)};
}

}  // namespace

Result<void> CheckName(std::string_view name) {
  bool good = !name.empty() && name.size() <= kLongestName && IsLetterOrDigit(name.front());
  for (const char c : name) {
    good = good && (IsLetterOrDigit(c) || std::string_view("._-@+").find(c) != name.npos);
  }
  if (good) return {};
  return Error(Code::kInvalidArgument,
               "the name of a secret has letters, digits and . _ - @ +, at most " +
                   std::to_string(kLongestName) + ", and begins with a letter or digit");
}

Result<Bytes> SealSecret(const SecretFacts& facts, const SecretBytes& value,
                         const envelope::Keyring& keks) {
  TRY(CheckName(facts.name));
  if (value.empty()) return Error(Code::kInvalidArgument, "the secret is empty");
  if (value.size() > kMostSecretBytes) {
    return Error(Code::kTooLarge,
                 "a secret has at most " + std::to_string(kMostSecretBytes) + " bytes");
  }
  envelope::MessageOptions options;
  TRY(options.context.AddPortable(std::string(kVersionPair), std::string(kVersion)));
  TRY(options.context.AddPortable(std::string(kNamePair), facts.name));
  TRY(options.context.AddPortable(std::string(kFormPair), std::string(FormName(facts.form))));
  TRY(options.context.AddPortable(std::string(kMadePair), std::to_string(facts.made)));
  options.frame_length = kMostSecretBytes;
  envelope::MessageSealer sealer = TRY(envelope::MessageSealer::Create(keks, options));
  return std::move(sealer).SealWhole(value.Reveal());
}

Result<SecretFacts> ReadFacts(ByteView message) { return AsNoSecret(ReadHeaderFacts(message)); }

Result<OpenedSecret> OpenSecret(ByteView message, std::string_view name,
                                const envelope::Keyring& keks) {
  return AsNoSecret(Open(message, name, keks));
}

}  // namespace dare::secrets
