#include "crypto/asymmetric_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>

#include "crypto/asymmetric_facts.h"
#include "crypto/openssl_handles.h"
#include "crypto/rsa_completion.h"

namespace dare::crypto {
namespace {

Error NoKey(std::string_view what) {
  ERR_clear_error();
  return Error(Code::kMalformed, "these bytes are no " + std::string(what));
}

// PrivateKeyInfo and SubjectPublicKeyInfo name their algorithm, so that OpenSSL asks one decoder.
Result<PkeyPtr> ParsePkcs8(ByteView der) {
  const std::uint8_t* in = der.data();
  Pkcs8Ptr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &in, static_cast<long>(der.size())));
  if (!info || in != der.data() + der.size()) return NoKey("PKCS#8 private key");
  PkeyPtr key(EVP_PKCS82PKEY(info.get()));
  if (!key) return NoKey("PKCS#8 private key of a known algorithm");
  return key;
}

Result<PkeyPtr> ParseInfo(ByteView der) {
  const std::uint8_t* in = der.data();
  PkeyPtr key(d2i_PUBKEY(nullptr, &in, static_cast<long>(der.size())));
  if (!key || in != der.data() + der.size()) return NoKey("SubjectPublicKeyInfo");
  return key;
}

// OpenSSL's decoders also find a key in a structure around it; this tells one structure from the
// other by the type of its second member.
bool SecondMemberIs(ByteView der, int type) {
  const std::uint8_t* in = der.data();
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  const auto next = [&](const std::uint8_t* end) {
    const int form = ASN1_get_object(&in, &length, &tag, &tag_class, end - in);
    return (form & 0x80) == 0 && in + length <= end;
  };
  const std::uint8_t* const end = der.data() + der.size();
  if (!next(end) || tag != V_ASN1_SEQUENCE) return false;
  const std::uint8_t* const inner = in + length;
  if (!next(inner)) return false;
  in += length;
  return next(inner) && tag == type && tag_class == V_ASN1_UNIVERSAL;
}

// The structures that belong to one algorithm.
Result<PkeyPtr> ParseTypeSpecific(ByteView der, const char* type, int selection, int second_member,
                                  std::string_view what) {
  if (!SecondMemberIs(der, second_member)) return NoKey(what);
  EVP_PKEY* made = nullptr;
  DecoderPtr decoder(OSSL_DECODER_CTX_new_for_pkey(&made, "DER", "type-specific", type, selection,
                                                   nullptr, nullptr));
  if (!decoder) return Error(Code::kExhausted, "no memory for a key decoder");
  const std::uint8_t* in = der.data();
  std::size_t left = der.size();
  const int done = OSSL_DECODER_from_data(decoder.get(), &in, &left);
  PkeyPtr key(made);
  if (done != 1 || !key || left != 0) return NoKey(what);
  return key;
}

struct DerFree {
  std::size_t size = 0;
  void operator()(std::uint8_t* p) const { OPENSSL_clear_free(p, size); }
};
using DerPtr = std::unique_ptr<std::uint8_t, DerFree>;

Result<DerPtr> EncodeKey(EVP_PKEY* key, int selection, const char* structure) {
  EncoderPtr encoder(OSSL_ENCODER_CTX_new_for_pkey(key, selection, "DER", structure, nullptr));
  std::uint8_t* out = nullptr;
  std::size_t size = 0;
  if (!encoder || OSSL_ENCODER_CTX_get_num_encoders(encoder.get()) == 0 ||
      OSSL_ENCODER_to_data(encoder.get(), &out, &size) != 1) {
    ERR_clear_error();
    return Error(Code::kUnsupported, "this key has no such encoding");
  }
  return DerPtr(out, DerFree{size});
}

const char* ProviderName(KeyFamily family) { return Name(family).data(); }

Error NotMade() {
  ERR_clear_error();
  return Error(Code::kUnsupported, "the cryptographic provider made no such key");
}

Result<PkeyPtr> Keygen(EVP_PKEY_CTX* context) {
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_generate(context, &made) != 1) return NotMade();
  return PkeyPtr(made);
}

Error WrongSize(KeyFamily family, std::size_t bits) {
  return Error(Code::kInvalidArgument, std::string(Name(family)) + " has no keys of " +
                                           std::to_string(bits) + " bits here");
}

Result<PkeyPtr> GenerateRsa(std::size_t bits, OSSL_LIB_CTX* library) {
  if (bits < kLeastRsaBits || bits > kMostRsaBits || bits % 8 != 0) {
    return WrongSize(KeyFamily::kRsa, bits);
  }
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(library, "RSA", nullptr));
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) != 1) {
    return NotMade();
  }
  return Keygen(context.get());
}

Result<PkeyPtr> GenerateEc(const std::string& curve, OSSL_LIB_CTX* library) {
  if (!KnowsCurve(curve)) return Error(Code::kUnsupported, "this curve is not offered");
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(library, "EC", nullptr));
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_group_name(context.get(), curve.c_str()) != 1) {
    return NotMade();
  }
  return Keygen(context.get());
}

Result<PkeyPtr> GenerateDsa(std::size_t bits, std::size_t q_bits, OSSL_LIB_CTX* library) {
  if (bits < 512 || bits > kMostDsaBits || bits % 64 != 0) return WrongSize(KeyFamily::kDsa, bits);
  if (q_bits == 0) q_bits = bits < 2048 ? 160 : 256;
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(library, "DSA", nullptr));
  const OSSL_PARAM sizes[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_PBITS, &bits),
                              OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_FFC_QBITS, &q_bits),
                              OSSL_PARAM_construct_end()};
  if (!context || EVP_PKEY_paramgen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_params(context.get(), sizes) != 1) {
    return NotMade();
  }
  const PkeyPtr domain = TRY(Keygen(context.get()));
  PkeyContextPtr keys(EVP_PKEY_CTX_new_from_pkey(library, domain.get(), nullptr));
  if (!keys || EVP_PKEY_keygen_init(keys.get()) != 1) return NotMade();
  return Keygen(keys.get());
}

Result<PkeyPtr> GenerateDh(std::size_t bits, OSSL_LIB_CTX* library) {
  const bool known = bits == 2048 || bits == 3072 || bits == 4096 || bits == 6144 || bits == 8192;
  if (!known) return WrongSize(KeyFamily::kDh, bits);
  const std::string group = "ffdhe" + std::to_string(bits);
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(library, "DH", nullptr));
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_group_name(context.get(), group.c_str()) != 1) {
    return NotMade();
  }
  return Keygen(context.get());
}

Result<PkeyPtr> GenerateOctets(KeyFamily family, OSSL_LIB_CTX* library) {
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_name(library, ProviderName(family), nullptr));
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1) return NotMade();
  return Keygen(context.get());
}

Result<PkeyPtr> GenerateKey(const KeySpecification& wanted, OSSL_LIB_CTX* library) {
  switch (wanted.family) {
    case KeyFamily::kRsa:
      return GenerateRsa(wanted.bits, library);
    case KeyFamily::kEc:
      return GenerateEc(wanted.curve, library);
    case KeyFamily::kDsa:
      return GenerateDsa(wanted.bits, wanted.q_bits, library);
    case KeyFamily::kDh:
      return GenerateDh(wanted.bits, library);
    case KeyFamily::kEd25519:
    case KeyFamily::kEd448:
    case KeyFamily::kX25519:
    case KeyFamily::kX448:
      return GenerateOctets(wanted.family, library);
  }
  return Error(Code::kInternal, "no such family of keys");
}

}  // namespace

PublicKey::PublicKey(std::shared_ptr<evp_pkey_st> key, KeyFacts facts)
    : key_(std::move(key)), facts_(std::move(facts)) {}

PrivateKey::PrivateKey(std::shared_ptr<evp_pkey_st> key, KeyFacts facts)
    : key_(std::move(key)), facts_(std::move(facts)) {}

Result<PublicKey> PublicKey::Adopt(evp_pkey_st* key, KeySource source) {
  PkeyPtr owned(key);
  KeyFacts facts = TRY(FactsOf(key));
  if (source == KeySource::kForeign) TRY(CheckPublicHalf(key));
  return PublicKey(std::shared_ptr<evp_pkey_st>(owned.release(), EVP_PKEY_free), std::move(facts));
}

Result<PrivateKey> PrivateKey::Adopt(evp_pkey_st* key, KeySource source) {
  PkeyPtr owned(key);
  KeyFacts facts = TRY(FactsOf(key));
  TRY(CheckHasSecret(key, facts.family));
  PrivateKey adopted(std::shared_ptr<evp_pkey_st>(owned.release(), EVP_PKEY_free),
                     std::move(facts));
  if (source == KeySource::kForeign) TRY(adopted.CheckBothHalves());
  return adopted;
}

Result<void> PrivateKey::CheckBothHalves() const {
  if (facts_.family != KeyFamily::kRsa) return crypto::CheckBothHalves(key_.get());
  TRY(CheckPublicHalf(key_.get()));
  const RsaNumbers numbers = TRY(Rsa());
  if (FitTogether(numbers)) return {};
  return Error(Code::kInvalidArgument, "the numbers of this key do not make a sound key");
}

Result<PublicKey> PublicKey::Parse(PublicKeyFormat format, ByteView der, KeySource source) {
  const bool pkcs1 = format == PublicKeyFormat::kPkcs1;
  PkeyPtr key =
      pkcs1
          ? TRY(ParseTypeSpecific(der, "RSA", EVP_PKEY_PUBLIC_KEY, V_ASN1_INTEGER, "RSAPublicKey"))
          : TRY(ParseInfo(der));
  return Adopt(key.release(), source);
}

Result<PublicKey> PublicKey::OfCertificate(ByteView der, KeySource source) {
  const std::uint8_t* in = der.data();
  const X509Ptr certificate(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
  if (!certificate || in != der.data() + der.size()) return NoKey("X.509 certificate");
  PkeyPtr key(X509_get_pubkey(certificate.get()));
  if (!key) return NoKey("certificate with a key of a known algorithm");
  return Adopt(key.release(), source);
}

Result<PrivateKey> PrivateKey::Parse(PrivateKeyFormat format, ByteView der, KeySource source) {
  PkeyPtr key;
  switch (format) {
    case PrivateKeyFormat::kPkcs1:
      key = TRY(ParseTypeSpecific(der, "RSA", EVP_PKEY_KEYPAIR, V_ASN1_INTEGER, "RSAPrivateKey"));
      break;
    case PrivateKeyFormat::kPkcs8:
      key = TRY(ParsePkcs8(der));
      break;
    case PrivateKeyFormat::kSec1:
      key =
          TRY(ParseTypeSpecific(der, "EC", EVP_PKEY_KEYPAIR, V_ASN1_OCTET_STRING, "ECPrivateKey"));
      break;
  }
  return Adopt(key.release(), source);
}

Result<PrivateKey> PrivateKey::Generate(const KeySpecification& specification,
                                        ossl_lib_ctx_st* library) {
  PkeyPtr made = TRY(GenerateKey(specification, library));
  const PrivateKey key = TRY(Adopt(made.release(), KeySource::kChecked));
  if (library == nullptr) return key;
  // Its numbers, in OpenSSL's own context: the other one may end before the key does.
  const SecretBytes der = TRY(key.Encode(PrivateKeyFormat::kPkcs8));
  return Parse(PrivateKeyFormat::kPkcs8, der.Reveal(), KeySource::kChecked);
}

Result<PublicKey> PrivateKey::Public() const {
  OSSL_PARAM* exported = nullptr;
  if (EVP_PKEY_todata(key_.get(), EVP_PKEY_PUBLIC_KEY, &exported) != 1) return NotMade();
  const ParamsPtr numbers(exported);
  PkeyContextPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, numbers.get()) != 1) {
    return NotMade();
  }
  return PublicKey::Adopt(made, KeySource::kChecked);
}

Result<Bytes> PublicKey::Encode(PublicKeyFormat format) const {
  if (format == PublicKeyFormat::kPkcs1 && facts_.family != KeyFamily::kRsa) {
    return Error(Code::kUnsupported, "PKCS#1 is for RSA keys");
  }
  const char* const structure =
      format == PublicKeyFormat::kPkcs1 ? "type-specific" : "SubjectPublicKeyInfo";
  const DerPtr der = TRY(EncodeKey(key_.get(), EVP_PKEY_PUBLIC_KEY, structure));
  return Bytes(der.get(), der.get() + der.get_deleter().size);
}

Result<Bytes> PublicKey::EncodeInfo(PointForm form) const {
  const EcNumbers numbers = TRY(Ec(form));
  PkeyPtr copy(EVP_PKEY_dup(key_.get()));
  static constexpr std::array<const char*, 3> kForms = {"uncompressed", "compressed", "hybrid"};
  if (!copy ||
      EVP_PKEY_set_utf8_string_param(copy.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                     kForms.at(static_cast<std::size_t>(form))) != 1) {
    return NotMade();
  }
  const DerPtr der = TRY(EncodeKey(copy.get(), EVP_PKEY_PUBLIC_KEY, "SubjectPublicKeyInfo"));
  return Bytes(der.get(), der.get() + der.get_deleter().size);
}

Result<SecretBytes> PrivateKey::Encode(PrivateKeyFormat format) const {
  if (format == PrivateKeyFormat::kPkcs1 && facts_.family != KeyFamily::kRsa) {
    return Error(Code::kUnsupported, "PKCS#1 is for RSA keys");
  }
  if (format == PrivateKeyFormat::kSec1 && facts_.family != KeyFamily::kEc) {
    return Error(Code::kUnsupported, "ECPrivateKey is for EC keys");
  }
  const char* const structure =
      format == PrivateKeyFormat::kPkcs8 ? "PrivateKeyInfo" : "type-specific";
  const DerPtr der = TRY(EncodeKey(key_.get(), EVP_PKEY_KEYPAIR, structure));
  return SecretBytes::CopyOf(ByteView(der.get(), der.get_deleter().size));
}

bool IsEncryptedPkcs8(ByteView der) {
  const std::uint8_t* in = der.data();
  const SealedKeyPtr sealed(d2i_X509_SIG(nullptr, &in, static_cast<long>(der.size())));
  ERR_clear_error();
  return sealed && in == der.data() + der.size();
}

bool Matches(const PrivateKey& private_key, const PublicKey& public_key) {
  const bool same = private_key.facts() == public_key.facts() &&
                    EVP_PKEY_eq(private_key.handle(), public_key.handle()) == 1;
  ERR_clear_error();
  return same;
}

}  // namespace dare::crypto
