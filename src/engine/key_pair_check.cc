#include "engine/key_pair_check.h"

#include <optional>
#include <string>
#include <utility>

#include "crypto/algorithm_policy.h"
#include "engine/domain_parameters.h"
#include "engine/key_formats.h"
#include "engine/recommended_curves.h"
#include "engine/transparent_keys.h"
#include "kmip/names.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::CryptographicAlgorithm;
using kmip::KeyFormatType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Error Disagrees(const char* what) {
  return Reject(ResultReason::kInvalidField,
                std::string("the attributes and the key disagree about ") + what);
}

// What is wrong inside a key is a field of the request that is wrong.
Error InKey(const Error& error) {
  if (error.code == Code::kMalformed || error.code == Code::kUnsupported) {
    return Reject(ResultReason::kInvalidField, error.message);
  }
  return error;
}

// The length of a key as peers may tell it: a modulus whose first bit happens to be zero counts in
// full, the curves of RFC 7748 and 8032 have bytes to spare.
bool LengthAgrees(const crypto::KeyFacts& key, std::int32_t told) {
  const auto bits = static_cast<std::int32_t>(key.bits);
  switch (key.family) {
    case crypto::KeyFamily::kRsa:
    case crypto::KeyFamily::kDsa:
    case crypto::KeyFamily::kDh:
      return told >= bits && told <= (bits + 7) / 8 * 8;
    case crypto::KeyFamily::kEd25519:
    case crypto::KeyFamily::kX25519:
      return told == 255 || told == 256;
    case crypto::KeyFamily::kEd448:
    case crypto::KeyFamily::kX448:
      return told == 448 || told == 456;
    case crypto::KeyFamily::kEc:
      return told == bits;
  }
  return false;
}

Result<crypto::KeyFacts> FactsOfKey(ObjectType type, const kmip::KeyBlock& block,
                                    const AttributeSet& attributes) {
  const KeyHints hints = HintsOf(block, attributes);
  if (type == ObjectType::kPrivateKey) {
    const auto key = ReadPrivateKey(block, hints, crypto::KeySource::kForeign);
    if (!key) return InKey(key.error());
    return key->facts();
  }
  const auto key = ReadPublicKey(block, hints, crypto::KeySource::kForeign);
  if (!key) return InKey(key.error());
  return key->facts();
}

Result<void> CheckUnreadable(const AttributeSet& attributes) {
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (!algorithm || !IsAsymmetric(*algorithm)) {
    return Reject(ResultReason::kInvalidField,
                  "a key that cannot be read needs a Cryptographic Algorithm of key pairs");
  }
  if (attributes.Integer(Tag::kCryptographicLength).value_or(0) <= 0) {
    return Reject(ResultReason::kInvalidField,
                  "a key that cannot be read needs a Cryptographic Length");
  }
  return {};
}

// Key Compression Type tells how the point of an EC public key is written (SEC 1, 2.3.3).
Result<void> CheckCompression(const kmip::KeyBlock& block, ObjectType type,
                              const crypto::KeyFacts& key) {
  if (!block.compression) return {};
  if (type != ObjectType::kPublicKey || key.family != crypto::KeyFamily::kEc ||
      *block.compression < 1 || *block.compression > 4) {
    return Reject(ResultReason::kKeyCompressionTypeNotSupported, "no compression for this key");
  }
  return {};
}

}  // namespace

bool MayHaveFormat(ObjectType type, KeyFormatType format, kmip::ProtocolVersion version) {
  if (!kmip::EnumExists(Tag::kKeyFormatType, static_cast<std::uint32_t>(format), version)) {
    return false;
  }
  switch (format) {
    case KeyFormatType::kRaw:
    case KeyFormatType::kOpaque:
    case KeyFormatType::kPKCS_1:
      return true;
    case KeyFormatType::kPKCS_8:
    case KeyFormatType::kECPrivateKey:
      return type == ObjectType::kPrivateKey;
    case KeyFormatType::kX_509:
      return type == ObjectType::kPublicKey;
    default:
      return type == ObjectType::kPrivateKey ? IsTransparentPrivate(format)
                                             : IsTransparentPublic(format);
  }
}

Result<void> TakeFacts(AttributeSet& attributes, const crypto::KeyFacts& key,
                       kmip::ProtocolVersion version) {
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (algorithm && !GoTogether(key, *algorithm)) return Disagrees("the algorithm");
  if (!algorithm) {
    attributes.Set(Attribute::OfEnumeration(
        Tag::kCryptographicAlgorithm,
        static_cast<std::uint32_t>(AlgorithmOf(key, version >= kmip::kVersion1_2))));
  }
  const auto told = attributes.Integer(Tag::kCryptographicLength);
  if (told && !LengthAgrees(key, *told)) return Disagrees("the length");
  if (!told) {
    attributes.Set(
        Attribute::OfInteger(Tag::kCryptographicLength, static_cast<std::int32_t>(key.bits)));
  }
  const auto curve = DomainParametersOf(attributes).curve;
  if (curve && CurveOf(key) != curve) return Disagrees("the curve");
  return {};
}

Result<void> CheckBroughtKey(AttributeSet& attributes, ObjectType type, const kmip::KeyBlock& block,
                             const OperationContext& context) {
  if (!IsReadable(block)) {
    if (block.compression) {
      return Reject(ResultReason::kKeyCompressionTypeNotSupported, "no compression for this key");
    }
    return CheckUnreadable(attributes);
  }
  const crypto::KeyFacts key = TRY(FactsOfKey(type, block, attributes));
  TRY(CheckCompression(block, type, key));
  TRY(crypto::CheckKey(context.algorithms(), key));
  return TakeFacts(attributes, key, context.version());
}

}  // namespace dare::engine
