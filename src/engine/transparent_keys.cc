#include "engine/transparent_keys.h"

#include <algorithm>

#include "engine/recommended_curves.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::engine {
namespace {

using crypto::KeyFamily;
using crypto::KeySource;
using kmip::CryptographicAlgorithm;
using kmip::KeyFormatType;
using kmip::Tag;

enum class Shape { kNone, kRsa, kDsa, kDh, kEc };

Shape PrivateShape(KeyFormatType format) {
  switch (format) {
    case KeyFormatType::kTransparentRSAPrivateKey:
      return Shape::kRsa;
    case KeyFormatType::kTransparentDSAPrivateKey:
      return Shape::kDsa;
    case KeyFormatType::kTransparentDHPrivateKey:
      return Shape::kDh;
    case KeyFormatType::kTransparentECDSAPrivateKey:
    case KeyFormatType::kTransparentECDHPrivateKey:
    case KeyFormatType::kTransparentECMQVPrivateKey:
    case KeyFormatType::kTransparentECPrivateKey:
      return Shape::kEc;
    default:
      return Shape::kNone;
  }
}

Shape PublicShape(KeyFormatType format) {
  switch (format) {
    case KeyFormatType::kTransparentRSAPublicKey:
      return Shape::kRsa;
    case KeyFormatType::kTransparentDSAPublicKey:
      return Shape::kDsa;
    case KeyFormatType::kTransparentDHPublicKey:
      return Shape::kDh;
    case KeyFormatType::kTransparentECDSAPublicKey:
    case KeyFormatType::kTransparentECDHPublicKey:
    case KeyFormatType::kTransparentECMQVPublicKey:
    case KeyFormatType::kTransparentECPublicKey:
      return Shape::kEc;
    default:
      return Shape::kNone;
  }
}

Error NoShape() { return Error(Code::kUnsupported, "this key has no such transparent form"); }

// A Big Integer as the magnitude it must be.
Result<ByteView> Magnitude(ttlv::Reader& in, Tag tag) {
  const ByteView value = TRY(in.BigInteger(tag));
  if (!value.empty() && (value[0] & 0x80) != 0) {
    return Error(Code::kInvalidArgument, "the numbers of a key are not negative");
  }
  std::size_t zeros = 0;
  while (zeros < value.size() && value[zeros] == 0) ++zeros;
  return value.subspan(zeros);
}

Result<Bytes> OpenNumber(ttlv::Reader& in, Tag tag) { return ToBytes(TRY(Magnitude(in, tag))); }
Result<Bytes> OptionalOpen(ttlv::Reader& in, Tag tag) {
  if (!in.At(tag)) return Bytes();
  return OpenNumber(in, tag);
}
Result<SecretBytes> SecretNumber(ttlv::Reader& in, Tag tag) {
  return SecretBytes::CopyOf(TRY(Magnitude(in, tag)));
}
Result<SecretBytes> OptionalSecret(ttlv::Reader& in, Tag tag) {
  if (!in.At(tag)) return SecretBytes();
  return SecretNumber(in, tag);
}

Result<crypto::RsaNumbers> ReadRsaPrivate(ttlv::Reader& in) {
  crypto::RsaNumbers numbers;
  numbers.modulus = TRY(OpenNumber(in, Tag::kModulus));
  numbers.private_exponent = TRY(OptionalSecret(in, Tag::kPrivateExponent));
  numbers.public_exponent = TRY(OptionalOpen(in, Tag::kPublicExponent));
  numbers.p = TRY(OptionalSecret(in, Tag::kP));
  numbers.q = TRY(OptionalSecret(in, Tag::kQ));
  numbers.exponent_p = TRY(OptionalSecret(in, Tag::kPrimeExponentP));
  numbers.exponent_q = TRY(OptionalSecret(in, Tag::kPrimeExponentQ));
  numbers.coefficient = TRY(OptionalSecret(in, Tag::kCRTCoefficient));
  TRY(in.End());
  return numbers;
}

Result<crypto::RsaNumbers> ReadRsaPublic(ttlv::Reader& in) {
  crypto::RsaNumbers numbers;
  numbers.modulus = TRY(OpenNumber(in, Tag::kModulus));
  numbers.public_exponent = TRY(OpenNumber(in, Tag::kPublicExponent));
  TRY(in.End());
  return numbers;
}

Result<crypto::GroupNumbers> ReadGroup(ttlv::Reader& in, Shape shape, bool secret) {
  crypto::GroupNumbers numbers;
  numbers.family = shape == Shape::kDsa ? KeyFamily::kDsa : KeyFamily::kDh;
  numbers.p = TRY(OpenNumber(in, Tag::kP));
  numbers.q = shape == Shape::kDsa ? TRY(OpenNumber(in, Tag::kQ)) : TRY(OptionalOpen(in, Tag::kQ));
  numbers.g = TRY(OpenNumber(in, Tag::kG));
  if (shape == Shape::kDh) numbers.cofactor = TRY(OptionalOpen(in, Tag::kJ));
  if (secret) {
    numbers.x = TRY(SecretNumber(in, Tag::kX));
  } else {
    numbers.public_value = TRY(OpenNumber(in, Tag::kY));
  }
  TRY(in.End());
  return numbers;
}

Result<crypto::KeySpecification> ReadCurve(ttlv::Reader& in,
                                           std::optional<CryptographicAlgorithm> algorithm) {
  const auto curve = TRY(in.Enum<kmip::RecommendedCurve>(Tag::kRecommendedCurve));
  const auto on_curve = OnCurve(curve, algorithm);
  if (!on_curve) return Error(Code::kUnsupported, "this curve is not offered");
  return *on_curve;
}

std::size_t OctetsOf(KeyFamily family) {
  switch (family) {
    case KeyFamily::kEd448:
      return 57;
    case KeyFamily::kX448:
      return 56;
    default:
      return 32;
  }
}

// D of the curves that have octets instead of a number: the octets, read as a number.
Result<SecretBytes> Padded(const SecretBytes& number, std::size_t size) {
  if (number.size() > size) return Error(Code::kInvalidArgument, "D is not of this curve");
  SecretBytes padded = TRY(SecretBytes::OfSize(size));
  std::ranges::copy(number.Reveal(), padded.RevealMutable().begin() +
                                         static_cast<std::ptrdiff_t>(size - number.size()));
  return padded;
}

Result<crypto::PrivateKey> ReadEcPrivate(ttlv::Reader& in,
                                         std::optional<CryptographicAlgorithm> algorithm,
                                         KeySource source) {
  const crypto::KeySpecification on_curve = TRY(ReadCurve(in, algorithm));
  crypto::EcNumbers numbers;
  numbers.curve = on_curve.curve;
  numbers.scalar = TRY(SecretNumber(in, Tag::kD));
  TRY(in.End());
  if (on_curve.family == KeyFamily::kEc) return crypto::PrivateKey::FromEc(numbers, source);
  const SecretBytes octets = TRY(Padded(numbers.scalar, OctetsOf(on_curve.family)));
  return crypto::PrivateKey::FromOctets(on_curve.family, octets.Reveal());
}

Result<crypto::PublicKey> ReadEcPublic(ttlv::Reader& in,
                                       std::optional<CryptographicAlgorithm> algorithm,
                                       KeySource source) {
  const crypto::KeySpecification on_curve = TRY(ReadCurve(in, algorithm));
  crypto::EcNumbers numbers;
  numbers.curve = on_curve.curve;
  numbers.point = ToBytes(TRY(in.ByteString(Tag::kQString)));
  TRY(in.End());
  if (on_curve.family == KeyFamily::kEc) return crypto::PublicKey::FromEc(numbers, source);
  return crypto::PublicKey::FromOctets(on_curve.family, numbers.point);
}

void WriteSecret(ttlv::Writer& out, Tag tag, const SecretBytes& number) {
  if (!number.empty()) out.UnsignedBigInteger(tag, number.Reveal());
}
void WriteOpen(ttlv::Writer& out, Tag tag, const Bytes& number) {
  if (!number.empty()) out.UnsignedBigInteger(tag, number);
}

void WriteRsaPrivate(ttlv::Writer& out, const crypto::RsaNumbers& numbers) {
  WriteOpen(out, Tag::kModulus, numbers.modulus);
  WriteSecret(out, Tag::kPrivateExponent, numbers.private_exponent);
  WriteOpen(out, Tag::kPublicExponent, numbers.public_exponent);
  WriteSecret(out, Tag::kP, numbers.p);
  WriteSecret(out, Tag::kQ, numbers.q);
  WriteSecret(out, Tag::kPrimeExponentP, numbers.exponent_p);
  WriteSecret(out, Tag::kPrimeExponentQ, numbers.exponent_q);
  WriteSecret(out, Tag::kCRTCoefficient, numbers.coefficient);
}

void WriteGroup(ttlv::Writer& out, const crypto::GroupNumbers& numbers, bool secret) {
  WriteOpen(out, Tag::kP, numbers.p);
  WriteOpen(out, Tag::kQ, numbers.q);
  WriteOpen(out, Tag::kG, numbers.g);
  if (numbers.family == KeyFamily::kDh) WriteOpen(out, Tag::kJ, numbers.cofactor);
  if (secret) {
    WriteSecret(out, Tag::kX, numbers.x);
  } else {
    WriteOpen(out, Tag::kY, numbers.public_value);
  }
}

bool IsOnCurve(KeyFamily family) {
  return family != KeyFamily::kRsa && family != KeyFamily::kDsa && family != KeyFamily::kDh;
}

bool HasShape(const crypto::KeyFacts& key, Shape shape) {
  switch (shape) {
    case Shape::kRsa:
      return key.family == KeyFamily::kRsa;
    case Shape::kDsa:
      return key.family == KeyFamily::kDsa;
    case Shape::kDh:
      return key.family == KeyFamily::kDh;
    case Shape::kEc:
      return IsOnCurve(key.family) && CurveOf(key).has_value();
    case Shape::kNone:
      return false;
  }
  return false;
}

}  // namespace

bool IsTransparentPrivate(KeyFormatType format) { return PrivateShape(format) != Shape::kNone; }
bool IsTransparentPublic(KeyFormatType format) { return PublicShape(format) != Shape::kNone; }

Result<crypto::PrivateKey> ReadTransparentPrivate(const ttlv::Item& material, KeyFormatType format,
                                                  std::optional<CryptographicAlgorithm> algorithm,
                                                  KeySource source) {
  const Shape shape = PrivateShape(format);
  ttlv::Reader in = TRY(material.Members());
  switch (shape) {
    case Shape::kRsa: {
      const crypto::RsaNumbers numbers = TRY(ReadRsaPrivate(in));
      return crypto::PrivateKey::FromRsa(numbers, source);
    }
    case Shape::kDsa:
    case Shape::kDh: {
      const crypto::GroupNumbers numbers = TRY(ReadGroup(in, shape, true));
      return crypto::PrivateKey::FromGroup(numbers, source);
    }
    case Shape::kEc:
      return ReadEcPrivate(in, algorithm, source);
    case Shape::kNone:
      break;
  }
  return NoShape();
}

Result<crypto::PublicKey> ReadTransparentPublic(const ttlv::Item& material, KeyFormatType format,
                                                std::optional<CryptographicAlgorithm> algorithm,
                                                KeySource source) {
  const Shape shape = PublicShape(format);
  ttlv::Reader in = TRY(material.Members());
  switch (shape) {
    case Shape::kRsa: {
      const crypto::RsaNumbers numbers = TRY(ReadRsaPublic(in));
      return crypto::PublicKey::FromRsa(numbers, source);
    }
    case Shape::kDsa:
    case Shape::kDh: {
      const crypto::GroupNumbers numbers = TRY(ReadGroup(in, shape, false));
      return crypto::PublicKey::FromGroup(numbers, source);
    }
    case Shape::kEc:
      return ReadEcPublic(in, algorithm, source);
    case Shape::kNone:
      break;
  }
  return NoShape();
}

Result<void> WriteTransparent(ttlv::Writer& out, const crypto::PrivateKey& key,
                              KeyFormatType format) {
  const Shape shape = PrivateShape(format);
  const crypto::KeyFacts& facts = key.facts();
  if (!HasShape(facts, shape)) return NoShape();
  if (shape == Shape::kRsa) {
    const crypto::RsaNumbers numbers = TRY(key.Rsa());
    out.Structure(Tag::kKeyMaterial, [&] { WriteRsaPrivate(out, numbers); });
    return {};
  }
  if (shape == Shape::kDsa || shape == Shape::kDh) {
    const crypto::GroupNumbers numbers = TRY(key.Group());
    out.Structure(Tag::kKeyMaterial, [&] { WriteGroup(out, numbers, true); });
    return {};
  }
  const SecretBytes d =
      facts.family == KeyFamily::kEc ? std::move(TRY(key.Ec()).scalar) : TRY(key.Octets());
  out.Structure(Tag::kKeyMaterial, [&] {
    out.Enum(Tag::kRecommendedCurve, *CurveOf(facts));
    WriteSecret(out, Tag::kD, d);
  });
  return {};
}

Result<void> WriteTransparent(ttlv::Writer& out, const crypto::PublicKey& key, KeyFormatType format,
                              crypto::PointForm form) {
  const Shape shape = PublicShape(format);
  const crypto::KeyFacts& facts = key.facts();
  if (!HasShape(facts, shape)) return NoShape();
  if (shape == Shape::kRsa) {
    const crypto::RsaNumbers numbers = TRY(key.Rsa());
    out.Structure(Tag::kKeyMaterial, [&] {
      WriteOpen(out, Tag::kModulus, numbers.modulus);
      WriteOpen(out, Tag::kPublicExponent, numbers.public_exponent);
    });
    return {};
  }
  if (shape == Shape::kDsa || shape == Shape::kDh) {
    const crypto::GroupNumbers numbers = TRY(key.Group());
    out.Structure(Tag::kKeyMaterial, [&] { WriteGroup(out, numbers, false); });
    return {};
  }
  const Bytes point = facts.family == KeyFamily::kEc ? TRY(key.Ec(form)).point : TRY(key.Octets());
  out.Structure(Tag::kKeyMaterial, [&] {
    out.Enum(Tag::kRecommendedCurve, *CurveOf(facts));
    out.ByteString(Tag::kQString, point);
  });
  return {};
}

}  // namespace dare::engine
