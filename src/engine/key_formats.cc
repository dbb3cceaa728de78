#include "engine/key_formats.h"

#include <algorithm>
#include <utility>

#include "engine/domain_parameters.h"
#include "engine/recommended_curves.h"
#include "engine/transparent_keys.h"
#include "kmip/dialect.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using crypto::KeyFamily;
using crypto::KeySource;
using crypto::PrivateKeyFormat;
using crypto::PublicKeyFormat;
using kmip::KeyBlock;
using kmip::KeyCompressionType;
using kmip::KeyFormatType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Error NoFormat() {
  return Reject(ResultReason::kKeyFormatTypeNotSupported,
                "this Key Format Type is not available for this key");
}

Error NoCompression() {
  return Reject(ResultReason::kKeyCompressionTypeNotSupported,
                "this Key Compression Type is not available for this key");
}

// A conversion that the key does not have is a matter of the format asked for.
Error AsFormatError(const Error& error) {
  return error.code == Code::kUnsupported ? NoFormat() : error;
}

std::optional<PrivateKeyFormat> EncodedPrivate(KeyFormatType format) {
  switch (format) {
    case KeyFormatType::kPKCS_1:
      return PrivateKeyFormat::kPkcs1;
    case KeyFormatType::kPKCS_8:
      return PrivateKeyFormat::kPkcs8;
    case KeyFormatType::kECPrivateKey:
      return PrivateKeyFormat::kSec1;
    default:
      return std::nullopt;
  }
}

std::optional<PublicKeyFormat> EncodedPublic(KeyFormatType format) {
  switch (format) {
    case KeyFormatType::kPKCS_1:
      return PublicKeyFormat::kPkcs1;
    case KeyFormatType::kX_509:
      return PublicKeyFormat::kSubjectPublicKeyInfo;
    default:
      return std::nullopt;
  }
}

// The family and curve of a Raw key, which says neither itself.
Result<crypto::KeySpecification> RawKind(const KeyHints& hints) {
  if (hints.algorithm == kmip::CryptographicAlgorithm::kEd25519) {
    return crypto::KeySpecification{.family = KeyFamily::kEd25519};
  }
  if (hints.algorithm == kmip::CryptographicAlgorithm::kEd448) {
    return crypto::KeySpecification{.family = KeyFamily::kEd448};
  }
  const auto on_curve = hints.curve ? OnCurve(*hints.curve, hints.algorithm) : std::nullopt;
  if (!on_curve) return NoFormat();
  return *on_curve;
}

Result<crypto::PrivateKey> ReadRawPrivate(ByteView bytes, const KeyHints& hints, KeySource source) {
  const crypto::KeySpecification kind = TRY(RawKind(hints));
  if (kind.family != KeyFamily::kEc) return crypto::PrivateKey::FromOctets(kind.family, bytes);
  crypto::EcNumbers numbers;
  numbers.curve = kind.curve;
  numbers.scalar = TRY(SecretBytes::CopyOf(bytes));
  return crypto::PrivateKey::FromEc(numbers, source);
}

Result<crypto::PublicKey> ReadRawPublic(ByteView bytes, const KeyHints& hints, KeySource source) {
  const crypto::KeySpecification kind = TRY(RawKind(hints));
  if (kind.family != KeyFamily::kEc) return crypto::PublicKey::FromOctets(kind.family, bytes);
  crypto::EcNumbers numbers;
  numbers.curve = kind.curve;
  numbers.point = ToBytes(bytes);
  return crypto::PublicKey::FromEc(numbers, source);
}

Result<ttlv::Item> MaterialOf(const KeyBlock& block) {
  if (block.wrapping) {
    return Reject(ResultReason::kWrappingObjectDestroyed, "the key is stored wrapped");
  }
  if (!block.key_material) {
    return Reject(ResultReason::kKeyValueNotPresent, "the object has no key value");
  }
  return *block.key_material;
}

// Key Block { format, compression, Key Value { what `material` writes }, algorithm, length }.
template <typename Material>
Result<SecretBytes> MakeObject(Tag tag, const KeyForm& form, Material&& material) {
  ttlv::Writer out;
  const ttlv::Writer::Mark object = out.Begin(tag);
  const ttlv::Writer::Mark block = out.Begin(Tag::kKeyBlock);
  out.Enum(Tag::kKeyFormatType, form.format);
  if (form.compression) out.Enum(Tag::kKeyCompressionType, *form.compression);
  const ttlv::Writer::Mark value = out.Begin(Tag::kKeyValue);
  TRY(material(out));
  out.End(value);
  out.Enum(Tag::kCryptographicAlgorithm, form.algorithm);
  out.Integer(Tag::kCryptographicLength, form.bits);
  out.End(block);
  out.End(object);
  return SecretBytes::CopyOf(out.bytes());
}

Result<void> WritePrivate(ttlv::Writer& out, const crypto::PrivateKey& key, KeyFormatType format) {
  if (IsTransparentPrivate(format)) return WriteTransparent(out, key, format);
  if (const auto encoded = EncodedPrivate(format)) {
    const SecretBytes der = TRY(key.Encode(*encoded));
    out.ByteString(Tag::kKeyMaterial, der.Reveal());
    return {};
  }
  if (format != KeyFormatType::kRaw) return NoFormat();
  const SecretBytes raw =
      key.facts().family == KeyFamily::kEc ? std::move(TRY(key.Ec()).scalar) : TRY(key.Octets());
  out.ByteString(Tag::kKeyMaterial, raw.Reveal());
  return {};
}

Result<void> WritePublic(ttlv::Writer& out, const crypto::PublicKey& key, KeyFormatType format,
                         crypto::PointForm point) {
  const bool ec = key.facts().family == KeyFamily::kEc;
  if (IsTransparentPublic(format)) return WriteTransparent(out, key, format, point);
  if (format == KeyFormatType::kX_509 && ec) {
    const Bytes info = TRY(key.EncodeInfo(point));
    out.ByteString(Tag::kKeyMaterial, info);
    return {};
  }
  if (const auto encoded = EncodedPublic(format)) {
    const Bytes der = TRY(key.Encode(*encoded));
    out.ByteString(Tag::kKeyMaterial, der);
    return {};
  }
  if (format != KeyFormatType::kRaw) return NoFormat();
  const Bytes raw = ec ? TRY(key.Ec(point)).point : TRY(key.Octets());
  out.ByteString(Tag::kKeyMaterial, raw);
  return {};
}

// kmip-2.1 11.26: each way of compression is for one kind of field.
Result<crypto::PointForm> PointFormOf(std::optional<KeyCompressionType> compression,
                                      const crypto::KeyFacts& key) {
  if (!compression) return crypto::PointForm::kUncompressed;
  if (key.family != KeyFamily::kEc) return NoCompression();
  const bool binary = key.curve.starts_with("sect") || key.curve.starts_with("c2");
  switch (*compression) {
    case KeyCompressionType::kECPublicKeyTypeUncompressed:
      return crypto::PointForm::kUncompressed;
    case KeyCompressionType::kECPublicKeyTypeX9_62CompressedPrime:
      if (binary) return NoCompression();
      return crypto::PointForm::kCompressed;
    case KeyCompressionType::kECPublicKeyTypeX9_62CompressedChar2:
      if (!binary) return NoCompression();
      return crypto::PointForm::kCompressed;
    case KeyCompressionType::kECPublicKeyTypeX9_62Hybrid:
      return crypto::PointForm::kHybrid;
  }
  return NoCompression();
}

}  // namespace

KeyHints HintsOf(const KeyBlock& block, const kmip::AttributeSet& attributes) {
  KeyHints hints;
  hints.algorithm = block.algorithm;
  if (!hints.algorithm) {
    hints.algorithm = attributes.Enum<kmip::CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  }
  hints.curve = DomainParametersOf(attributes).curve;
  return hints;
}

bool IsReadable(const KeyBlock& block) {
  if (block.wrapping || !block.key_material || block.format == KeyFormatType::kOpaque) return false;
  if (block.format != KeyFormatType::kPKCS_8) return true;
  const Result<ByteView> der = block.key_material->AsByteString();
  return !der || !crypto::IsEncryptedPkcs8(*der);
}

Result<crypto::PrivateKey> ReadPrivateKey(const KeyBlock& block, const KeyHints& hints,
                                          KeySource source) {
  const ttlv::Item material = TRY(MaterialOf(block));
  if (IsTransparentPrivate(block.format)) {
    return ReadTransparentPrivate(material, block.format, hints.algorithm, source);
  }
  if (block.format == KeyFormatType::kRaw) {
    const ByteView bytes = TRY(material.AsByteString());
    return ReadRawPrivate(bytes, hints, source);
  }
  const auto encoded = EncodedPrivate(block.format);
  if (!encoded) return NoFormat();
  const ByteView der = TRY(material.AsByteString());
  return crypto::PrivateKey::Parse(*encoded, der, source);
}

Result<crypto::PublicKey> ReadPublicKey(const KeyBlock& block, const KeyHints& hints,
                                        KeySource source) {
  const ttlv::Item material = TRY(MaterialOf(block));
  if (IsTransparentPublic(block.format)) {
    return ReadTransparentPublic(material, block.format, hints.algorithm, source);
  }
  if (block.format == KeyFormatType::kRaw) {
    const ByteView bytes = TRY(material.AsByteString());
    return ReadRawPublic(bytes, hints, source);
  }
  const auto encoded = EncodedPublic(block.format);
  if (!encoded) return NoFormat();
  const ByteView der = TRY(material.AsByteString());
  return crypto::PublicKey::Parse(*encoded, der, source);
}

Result<SecretBytes> MakePrivateKey(const crypto::PrivateKey& key, const KeyForm& form) {
  if (form.compression) return NoCompression();
  auto made = MakeObject(Tag::kPrivateKey, form,
                         [&](ttlv::Writer& out) { return WritePrivate(out, key, form.format); });
  if (!made) return AsFormatError(made.error());
  return made;
}

Result<SecretBytes> MakePublicKey(const crypto::PublicKey& key, const KeyForm& form) {
  const crypto::PointForm point = TRY(PointFormOf(form.compression, key.facts()));
  auto made = MakeObject(Tag::kPublicKey, form, [&](ttlv::Writer& out) {
    return WritePublic(out, key, form.format, point);
  });
  if (!made) return AsFormatError(made.error());
  return made;
}

Result<SecretBytes> InOtherForm(const kmip::ManagedObject& object, KeyFormatType format,
                                std::optional<KeyCompressionType> compression) {
  const KeyBlock block = TRY(object.Block());
  if (!IsReadable(block)) return NoFormat();
  const KeyHints hints = HintsOf(block, object.attributes);
  KeyForm form{.format = format, .compression = compression};
  const auto complete = [&](const crypto::KeyFacts& facts) {
    form.algorithm = hints.algorithm.value_or(AlgorithmOf(facts, true));
    form.bits = block.length.value_or(object.attributes.Integer(Tag::kCryptographicLength)
                                          .value_or(static_cast<std::int32_t>(facts.bits)));
  };
  if (object.type == ObjectType::kPrivateKey) {
    const crypto::PrivateKey key = TRY(ReadPrivateKey(block, hints, KeySource::kChecked));
    complete(key.facts());
    return MakePrivateKey(key, form);
  }
  if (object.type != ObjectType::kPublicKey) return NoFormat();
  const crypto::PublicKey key = TRY(ReadPublicKey(block, hints, KeySource::kChecked));
  complete(key.facts());
  return MakePublicKey(key, form);
}

KeyFormatType DefaultFormat(const crypto::KeyFacts& key, ObjectType type,
                            kmip::ProtocolVersion version) {
  const bool secret = type == ObjectType::kPrivateKey;
  switch (key.family) {
    case KeyFamily::kRsa:
      return KeyFormatType::kPKCS_1;
    case KeyFamily::kDsa:
      return secret ? KeyFormatType::kTransparentDSAPrivateKey
                    : KeyFormatType::kTransparentDSAPublicKey;
    case KeyFamily::kDh:
      return secret ? KeyFormatType::kTransparentDHPrivateKey
                    : KeyFormatType::kTransparentDHPublicKey;
    case KeyFamily::kEc:
      if (kmip::IsVersion1(version)) {
        return secret ? KeyFormatType::kECPrivateKey : KeyFormatType::kX_509;
      }
      return secret ? KeyFormatType::kTransparentECPrivateKey
                    : KeyFormatType::kTransparentECPublicKey;
    default:
      return secret ? KeyFormatType::kPKCS_8 : KeyFormatType::kX_509;
  }
}

Result<KeyFormatType> FormatForVersion(const kmip::ManagedObject& object,
                                       kmip::ProtocolVersion version) {
  const KeyBlock block = TRY(object.Block());
  const KeyHints hints = HintsOf(block, object.attributes);
  if (object.type == ObjectType::kPrivateKey) {
    const crypto::PrivateKey key = TRY(ReadPrivateKey(block, hints, KeySource::kChecked));
    return DefaultFormat(key.facts(), object.type, version);
  }
  const crypto::PublicKey key = TRY(ReadPublicKey(block, hints, KeySource::kChecked));
  return DefaultFormat(key.facts(), object.type, version);
}

}  // namespace dare::engine
