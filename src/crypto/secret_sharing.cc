#include "crypto/secret_sharing.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/binary_fields.h"
#include "crypto/prime_field_sharing.h"

namespace dare::crypto {
namespace {

constexpr std::uint64_t kMostWork = std::uint64_t{1} << 24;  // secret bytes × parts × threshold
constexpr std::size_t kMostSecretBytes = 64u << 10;

Error Wrong(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }
Error DoNotJoin() { return Error(Code::kDamaged, "these parts do not open the secret"); }

// Elements as they stand in bytes: one, or two with the upper first.
template <typename Field>
constexpr std::size_t kBytes = sizeof(typename Field::Element);

template <typename Field>
typename Field::Element Load(const std::uint8_t* p) {
  if constexpr (kBytes<Field> == 1) return *p;
  return static_cast<typename Field::Element>((p[0] << 8) | p[kBytes<Field> - 1]);
}
template <typename Field>
void Store(std::uint8_t* p, typename Field::Element value) {
  if constexpr (kBytes<Field> == 2) *p++ = static_cast<std::uint8_t>(value >> 8);
  *p = static_cast<std::uint8_t>(value);
}

// The value at `x` of the polynomial whose constant is an element of the secret and whose other
// coefficients are `random`, by Horner's rule.
template <typename Field>
typename Field::Element Evaluate(const std::uint8_t* secret, ByteView random,
                                 typename Field::Element x) {
  typename Field::Element value = 0;
  for (std::size_t at = random.size(); at != 0; at -= kBytes<Field>) {
    value = Field::Multiply(static_cast<typename Field::Element>(
                                value ^ Load<Field>(random.data() + at - kBytes<Field>)),
                            x);
  }
  return static_cast<typename Field::Element>(value ^ Load<Field>(secret));
}

template <typename Field>
Result<std::vector<SecretPart>> SplitInField(const SharingScheme& scheme, ByteView secret,
                                             const RandomSource& source) {
  WipingBytes padded(secret.begin(), secret.end());
  padded.resize((secret.size() + kBytes<Field> - 1) / kBytes<Field> * kBytes<Field>);
  const std::size_t per_element = (scheme.threshold - 1) * kBytes<Field>;
  WipingBytes random(padded.size() / kBytes<Field> * per_element);
  TRY(source.Fill(random));
  std::vector<SecretPart> parts;
  for (std::uint32_t i = 1; i <= scheme.parts; ++i) {
    SecretPart part;
    part.identifier = i;
    part.bytes = TRY(SecretBytes::OfSize(padded.size()));
    const MutableBytes out = part.bytes.RevealMutable();
    for (std::size_t n = 0; n < padded.size() / kBytes<Field>; ++n) {
      const std::size_t at = n * kBytes<Field>;
      Store<Field>(out.data() + at,
                   Evaluate<Field>(padded.data() + at,
                                   ByteView(random).subspan(n * per_element, per_element),
                                   static_cast<typename Field::Element>(i)));
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

// What a part counts for at 0: the product of x_j / (x_j - x_i) over the others (Lagrange).
template <typename Field>
typename Field::Element Weight(std::span<const SecretPart> parts, std::size_t of) {
  using Element = typename Field::Element;
  const auto own = static_cast<Element>(parts[of].identifier);
  Element weight = 1;
  for (std::size_t j = 0; j < parts.size(); ++j) {
    if (j == of) continue;
    const auto other = static_cast<Element>(parts[j].identifier);
    weight = Field::Multiply(weight, other);
    weight = Field::Multiply(weight, Field::Invert(static_cast<Element>(other ^ own)));
  }
  return weight;
}

template <typename Field>
Result<SecretBytes> JoinInField(std::span<const SecretPart> parts) {
  SecretBytes secret = TRY(SecretBytes::OfSize(parts[0].bytes.size()));
  const MutableBytes out = secret.RevealMutable();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto weight = Weight<Field>(parts, i);
    const ByteView in = parts[i].bytes.Reveal();
    for (std::size_t at = 0; at < out.size(); at += kBytes<Field>) {
      const auto sum =
          Load<Field>(out.data() + at) ^ Field::Multiply(Load<Field>(in.data() + at), weight);
      Store<Field>(out.data() + at, static_cast<typename Field::Element>(sum));
    }
  }
  return secret;
}

void XorInto(MutableBytes out, ByteView in) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(out[i] ^ in[i]);
}

// All parts but the last are random; the last is what is missing.
Result<std::vector<SecretPart>> SplitByXor(const SharingScheme& scheme, ByteView secret,
                                           const RandomSource& random) {
  std::vector<SecretPart> parts;
  SecretPart last;
  last.identifier = scheme.parts;
  last.bytes = TRY(SecretBytes::CopyOf(secret));
  for (std::uint32_t i = 1; i < scheme.parts; ++i) {
    SecretPart& part = parts.emplace_back();
    part.identifier = i;
    part.bytes = TRY(random.Secret(secret.size()));
    XorInto(last.bytes.RevealMutable(), part.bytes.Reveal());
  }
  parts.push_back(std::move(last));
  return parts;
}

Result<SecretBytes> JoinByXor(std::span<const SecretPart> parts) {
  SecretBytes secret = TRY(SecretBytes::OfSize(parts[0].bytes.size()));
  for (const SecretPart& part : parts) XorInto(secret.RevealMutable(), part.bytes.Reveal());
  return secret;
}

// Of exactly a threshold of parts.
Result<SecretBytes> JoinThreshold(const SharingScheme& scheme, std::span<const SecretPart> parts,
                                  std::size_t secret_bytes) {
  switch (scheme.method) {
    case SharingMethod::kXor:
      return JoinByXor(parts);
    case SharingMethod::kGf256:
      return JoinInField<Gf256>(parts);
    case SharingMethod::kGf65536:
      return JoinInField<Gf65536>(parts);
    case SharingMethod::kPrimeField:
      return JoinInPrimeField(scheme, parts, secret_bytes);
  }
  return Error(Code::kInternal, "no such method");
}

bool FitTogether(const SharingScheme& scheme, std::span<const SecretPart> parts) {
  if (parts.size() < scheme.threshold || parts.size() > scheme.parts) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::uint32_t own = parts[i].identifier;
    if (own == 0 || own > scheme.parts || parts[i].bytes.empty() ||
        parts[i].bytes.size() != parts[0].bytes.size()) {
      return false;
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (parts[j].identifier == own) return false;
    }
  }
  return scheme.method != SharingMethod::kGf65536 || parts[0].bytes.size() % 2 == 0;
}

Result<SecretBytes> OfLength(SecretBytes secret, std::size_t bytes) {
  if (secret.size() == bytes) return secret;
  const ByteView all = secret.Reveal();
  const bool padded = all.size() == bytes + 1 && bytes % 2 == 1 && all.back() == 0;
  if (!padded) return DoNotJoin();
  return SecretBytes::CopyOf(all.first(bytes));
}

}  // namespace

Result<void> CheckScheme(const SharingScheme& scheme) {
  if (scheme.parts == 0 || scheme.parts > kMostParts) {
    return Wrong("a secret has 1 to " + std::to_string(kMostParts) + " parts");
  }
  if (scheme.threshold == 0 || scheme.threshold > scheme.parts) {
    return Wrong("a threshold is from 1 to the number of parts");
  }
  if (scheme.method == SharingMethod::kXor && scheme.threshold != scheme.parts) {
    return Wrong("with XOR all parts are needed");
  }
  if (scheme.method == SharingMethod::kPrimeField) return CheckPrime(scheme);
  if (!scheme.prime.empty()) return Wrong("only a prime field has a prime");
  return {};
}

Result<std::vector<SecretPart>> SplitSecret(const SharingScheme& scheme, ByteView secret,
                                            const RandomSource& random) {
  TRY(CheckScheme(scheme));
  if (secret.empty()) return Wrong("there is no secret");
  if (secret.size() > kMostSecretBytes ||
      std::uint64_t{secret.size()} * scheme.parts * scheme.threshold > kMostWork) {
    return Error(Code::kTooLarge, "too much to split");
  }
  switch (scheme.method) {
    case SharingMethod::kXor:
      return SplitByXor(scheme, secret, random);
    case SharingMethod::kGf256:
      return SplitInField<Gf256>(scheme, secret, random);
    case SharingMethod::kGf65536:
      return SplitInField<Gf65536>(scheme, secret, random);
    case SharingMethod::kPrimeField:
      return SplitInPrimeField(scheme, secret, random);
  }
  return Error(Code::kInternal, "no such method");
}

Result<SecretBytes> JoinSecret(const SharingScheme& scheme, std::span<const SecretPart> parts,
                               std::size_t secret_bytes) {
  TRY(CheckScheme(scheme));
  if (!FitTogether(scheme, parts)) return DoNotJoin();
  SecretBytes secret = TRY(JoinThreshold(scheme, parts.first(scheme.threshold), secret_bytes));
  if (parts.size() > scheme.threshold) {
    const SecretBytes again =
        TRY(JoinThreshold(scheme, parts.last(scheme.threshold), secret_bytes));
    if (!(again == secret)) return DoNotJoin();
  }
  return OfLength(std::move(secret), secret_bytes);
}

}  // namespace dare::crypto
