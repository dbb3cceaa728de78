#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

struct evp_pkey_st;      // OpenSSL's EVP_PKEY, opaque here
struct ossl_lib_ctx_st;  // and its OSSL_LIB_CTX

// Keys of public-key algorithms: made, read and written in the formats of the field, and checked.
namespace dare::crypto {

// kEc: a named curve over a prime or binary field, whatever the key is used for (ECDSA, ECDH).
enum class KeyFamily : std::uint8_t { kRsa, kEc, kEd25519, kEd448, kX25519, kX448, kDsa, kDh };
std::string_view Name(KeyFamily family);  // "RSA", "EC", "ED25519", …

// What is known about a key without its secret. `bits`: of the modulus, of the prime, of the field
// (256 and 448 for the curves of RFC 7748 and 8032).
struct KeyFacts {
  KeyFamily family{};
  std::size_t bits = 0;
  std::string curve;  // kEc only: as OpenSSL spells it, e.g. "prime256v1", "secp384r1", "sect163k1"

  friend bool operator==(const KeyFacts&, const KeyFacts&) = default;
};

// Whether a key comes from outside, and is then checked in full (primes, points, that both halves
// belong together: milliseconds), or is one of ours that was checked when it came.
enum class KeySource : std::uint8_t { kForeign, kChecked };

enum class PrivateKeyFormat : std::uint8_t {
  kPkcs1,  // RSAPrivateKey, RFC 8017 A.1.2
  kPkcs8,  // PrivateKeyInfo, RFC 5208; any family
  kSec1,   // ECPrivateKey with its curve, RFC 5915
};
enum class PublicKeyFormat : std::uint8_t {
  kPkcs1,                 // RSAPublicKey, RFC 8017 A.1.1
  kSubjectPublicKeyInfo,  // RFC 5280; any family
};
// How the point of an EC public key is written (SEC 1, 2.3.3).
enum class PointForm : std::uint8_t { kUncompressed, kCompressed, kHybrid };

// The numbers that keys consist of: big-endian, without sign. Empty where absent.
struct RsaNumbers {
  Bytes modulus;
  Bytes public_exponent;
  SecretBytes private_exponent;
  SecretBytes p, q;
  SecretBytes exponent_p, exponent_q;  // d mod p-1, d mod q-1
  SecretBytes coefficient;             // q^-1 mod p
};
struct EcNumbers {
  std::string curve;
  Bytes point;         // SEC 1 octets, any form
  SecretBytes scalar;  // D
};
// DSA and DH: `public_value` = g^x mod p.
struct GroupNumbers {
  KeyFamily family{};
  Bytes p, q, g, cofactor;
  Bytes public_value;
  SecretBytes x;
};

// What to make. `bits` for RSA, DSA and DH; `curve` for EC; `q_bits` for DSA (0: 160 under 2048
// bits, 256 from there on). DH uses the groups of RFC 7919.
struct KeySpecification {
  KeyFamily family{};
  std::size_t bits = 0;
  std::string curve;
  std::size_t q_bits = 0;
  friend bool operator==(const KeySpecification&, const KeySpecification&) = default;
};

// True for EncryptedPrivateKeyInfo (RFC 5208, 6), which PrivateKey does not read.
bool IsEncryptedPkcs8(ByteView der);
// True when OpenSSL can compute with this named curve.
bool KnowsCurve(std::string_view curve);
// Bits of the field of a curve; 0 for unknown ones.
std::size_t CurveBits(std::string_view curve);

// A PublicKey is immutable and shared: copies are cheap and refer to the same key. Thread-safe.
// Refusals of Parse and From…: kMalformed for what is no such structure or has bytes behind it,
// kInvalidArgument for numbers that make no sound key, kUnsupported for curves and sizes unknown
// here.
class PublicKey {
 public:
  static Result<PublicKey> Parse(PublicKeyFormat format, ByteView der,
                                 KeySource source = KeySource::kForeign);
  static Result<PublicKey> FromRsa(const RsaNumbers& numbers,
                                   KeySource source = KeySource::kForeign);
  static Result<PublicKey> FromEc(const EcNumbers& numbers, KeySource source = KeySource::kForeign);
  static Result<PublicKey> FromGroup(const GroupNumbers& numbers,
                                     KeySource source = KeySource::kForeign);
  // The octets of RFC 8032 and 7748 for the Ed and X families.
  static Result<PublicKey> FromOctets(KeyFamily family, ByteView octets);
  // The key of an X.509 certificate; nothing else in it is looked at.
  static Result<PublicKey> OfCertificate(ByteView der, KeySource source = KeySource::kForeign);
  // Takes over one reference to a key that OpenSSL made.
  static Result<PublicKey> Adopt(evp_pkey_st* key, KeySource source = KeySource::kForeign);

  const KeyFacts& facts() const { return facts_; }

  // kUnsupported where the format is not of this family.
  Result<Bytes> Encode(PublicKeyFormat format) const;
  Result<Bytes> EncodeInfo(PointForm form) const;  // SubjectPublicKeyInfo of an EC key
  Result<RsaNumbers> Rsa() const;
  Result<EcNumbers> Ec(PointForm form = PointForm::kUncompressed) const;
  Result<GroupNumbers> Group() const;
  Result<Bytes> Octets() const;

  // For the other .cc files that call OpenSSL. Never to be changed through it.
  evp_pkey_st* handle() const { return key_.get(); }

 private:
  PublicKey(std::shared_ptr<evp_pkey_st> key, KeyFacts facts);
  std::shared_ptr<evp_pkey_st> key_;
  KeyFacts facts_;
};

// A PrivateKey is immutable and shared, with its public half. What leaves it as secret leaves as
// SecretBytes. Thread-safe.
class PrivateKey {
 public:
  // kInvalidArgument for sizes out of range: RSA 512–8192 in steps of 8, DSA 512–3072, DH
  // 2048–8192. Whether a size is good enough is the algorithm policy's to say.
  // `library`: of the RandomSource to draw on, OpenSSL's default context otherwise.
  static Result<PrivateKey> Generate(const KeySpecification& specification,
                                     ossl_lib_ctx_st* library = nullptr);
  static Result<PrivateKey> Parse(PrivateKeyFormat format, ByteView der,
                                  KeySource source = KeySource::kForeign);
  // Needs the modulus, and of the rest enough to find what is missing: the private exponent, or
  // both primes with either exponent. The public exponent is looked for among the usual ones.
  static Result<PrivateKey> FromRsa(const RsaNumbers& numbers,
                                    KeySource source = KeySource::kForeign);
  // The public point is computed where absent, compared where present.
  static Result<PrivateKey> FromEc(const EcNumbers& numbers,
                                   KeySource source = KeySource::kForeign);
  static Result<PrivateKey> FromGroup(const GroupNumbers& numbers,
                                      KeySource source = KeySource::kForeign);
  static Result<PrivateKey> FromOctets(KeyFamily family, ByteView octets);
  // Takes over one reference, as above.
  static Result<PrivateKey> Adopt(evp_pkey_st* key, KeySource source = KeySource::kForeign);

  const KeyFacts& facts() const { return facts_; }
  Result<PublicKey> Public() const;

  Result<SecretBytes> Encode(PrivateKeyFormat format) const;
  Result<RsaNumbers> Rsa() const;
  Result<EcNumbers> Ec() const;
  Result<GroupNumbers> Group() const;
  Result<SecretBytes> Octets() const;

  evp_pkey_st* handle() const { return key_.get(); }

 private:
  PrivateKey(std::shared_ptr<evp_pkey_st> key, KeyFacts facts);
  Result<void> CheckBothHalves() const;
  std::shared_ptr<evp_pkey_st> key_;
  KeyFacts facts_;
};

// True when `public_key` is the public half of `private_key`.
bool Matches(const PrivateKey& private_key, const PublicKey& public_key);

}  // namespace dare::crypto
