#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>

#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

// More than any honest certificate has; what is made of each is kept as an attribute.
constexpr int kMostNames = 64;

constexpr std::array<std::pair<int, NameAttribute>, 12> kNameAttributes = {{
    {NID_commonName, NameAttribute::kCommonName},
    {NID_organizationName, NameAttribute::kOrganization},
    {NID_organizationalUnitName, NameAttribute::kOrganizationalUnit},
    {NID_pkcs9_emailAddress, NameAttribute::kEmail},
    {NID_countryName, NameAttribute::kCountry},
    {NID_stateOrProvinceName, NameAttribute::kState},
    {NID_localityName, NameAttribute::kLocality},
    {NID_userId, NameAttribute::kUserId},
    {NID_serialNumber, NameAttribute::kSerialNumber},
    {NID_title, NameAttribute::kTitle},
    {NID_domainComponent, NameAttribute::kDomainComponent},
    {NID_dnQualifier, NameAttribute::kDnQualifier},
}};

constexpr std::array<std::pair<int, HashAlgorithm>, 10> kHashes = {{
    {NID_md5, HashAlgorithm::kMd5},
    {NID_sha1, HashAlgorithm::kSha1},
    {NID_sha224, HashAlgorithm::kSha224},
    {NID_sha256, HashAlgorithm::kSha256},
    {NID_sha384, HashAlgorithm::kSha384},
    {NID_sha512, HashAlgorithm::kSha512},
    {NID_sha3_224, HashAlgorithm::kSha3_224},
    {NID_sha3_256, HashAlgorithm::kSha3_256},
    {NID_sha3_384, HashAlgorithm::kSha3_384},
    {NID_sha3_512, HashAlgorithm::kSha3_512},
}};

// What OpenSSL encodes into memory of its own.
template <typename T, typename Encode>
Result<Bytes> Encoded(const T* object, Encode encode) {
  unsigned char* encoded = nullptr;
  const int size = encode(object, &encoded);
  if (size <= 0) return Error(Code::kMalformed, "cannot encode: " + TakeOpenSslError());
  Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  return der;
}

Result<DistinguishedName> ReadName(const X509_NAME* name) {
  DistinguishedName read;
  read.der = TRY(Encoded(name, i2d_X509_NAME));
  read.text = TRY(NameText(name));
  const int entries = X509_NAME_entry_count(name);
  if (entries > kMostNames) return Error(Code::kMalformed, "a name of too many parts");
  for (int i = 0; i < entries; ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    for (const auto& [known, attribute] : kNameAttributes) {
      if (nid != known) continue;
      unsigned char* utf8 = nullptr;
      const int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
      if (length < 0) return Error(Code::kMalformed, "a name that is not text");
      read.attributes.emplace_back(
          attribute, std::string(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(length)));
      OPENSSL_free(utf8);
    }
  }
  return read;
}

std::string TextOf(const GENERAL_NAME* name) {
  const auto text = [](const ASN1_STRING* string) {
    return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                       static_cast<std::size_t>(ASN1_STRING_length(string)));
  };
  switch (name->type) {
    case GEN_EMAIL:
    case GEN_DNS:
    case GEN_URI:
      return text(name->d.ia5);
    case GEN_IPADD: {
      const int length = ASN1_STRING_length(name->d.iPAddress);
      if (length != 4 && length != 16) return {};
      char address[INET6_ADDRSTRLEN] = "";
      ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress),
                  address, sizeof address);
      return address;
    }
    default:
      return {};
  }
}

Result<std::vector<AlternativeName>> ReadAlternatives(const X509* x509, int nid) {
  int critical = 0;
  const GeneralNamesPtr found(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(x509, nid, &critical, nullptr)));
  std::vector<AlternativeName> names;
  if (found == nullptr) {
    TakeOpenSslError();
    // -1: no such extension; anything else is one that cannot be read, or stands there twice.
    if (critical != -1) return Error(Code::kMalformed, "alternative names that cannot be read");
    return names;
  }
  if (sk_GENERAL_NAME_num(found.get()) > kMostNames) {
    return Error(Code::kMalformed, "too many alternative names");
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(found.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
    AlternativeName read;
    read.der = TRY(Encoded(name, i2d_GENERAL_NAME));
    read.text = TextOf(name);
    const bool printable =
        IsValidUtf8(AsBytes(read.text)) && read.text.find('\0') == std::string::npos;
    if (!printable) read.text.clear();
    names.push_back(std::move(read));
  }
  return names;
}

void ReadSignature(const X509* x509, CertificateFacts& facts) {
  const int nid = X509_get_signature_nid(x509);
  if (nid == NID_rsassaPss) {
    facts.signature = SignatureFamily::kRsaPss;
    return;
  }
  int hash = NID_undef;
  int key = NID_undef;
  if (OBJ_find_sigid_algs(nid, &hash, &key) != 1) return;
  for (const auto& [known, algorithm] : kHashes) {
    if (hash == known) facts.signature_hash = algorithm;
  }
  if (!facts.signature_hash) return;
  switch (key) {
    case NID_rsaEncryption:
      facts.signature = SignatureFamily::kRsa;
      break;
    case NID_dsa:
      facts.signature = SignatureFamily::kDsa;
      break;
    case NID_X9_62_id_ecPublicKey:
      facts.signature = SignatureFamily::kEcdsa;
      break;
    default:
      facts.signature_hash.reset();
  }
}

std::optional<std::uint32_t> ReadKeyUsage(X509* x509) {
  // All bits set where the extension is absent.
  const std::uint32_t bits = X509_get_key_usage(x509);
  if (bits == UINT32_MAX) return std::nullopt;
  std::uint32_t usage = 0;
  const auto take = [&](std::uint32_t theirs, KeyUsage ours) {
    if ((bits & theirs) != 0) usage |= ours;
  };
  take(KU_DIGITAL_SIGNATURE, kUsageDigitalSignature);
  take(KU_NON_REPUDIATION, kUsageContentCommitment);
  take(KU_KEY_ENCIPHERMENT, kUsageKeyEncipherment);
  take(KU_DATA_ENCIPHERMENT, kUsageDataEncipherment);
  take(KU_KEY_AGREEMENT, kUsageKeyAgreement);
  take(KU_KEY_CERT_SIGN, kUsageCertificateSign);
  take(KU_CRL_SIGN, kUsageCrlSign);
  take(KU_ENCIPHER_ONLY, kUsageEncipherOnly);
  take(KU_DECIPHER_ONLY, kUsageDecipherOnly);
  return usage;
}

// Upper-case hex of the magnitude in whole bytes: "9BBA23D1B6A48F97", "01".
std::string SerialHex(const ASN1_INTEGER* serial) {
  std::string hex =
      ToHex({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
  for (char& c : hex) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return hex;
}

}  // namespace

std::optional<std::pair<KeyFamily, std::int32_t>> PublicKeyKind(ByteView public_key) {
  const Result<PkeyPtr> key = DecodePublicKey(public_key);
  if (!key) return std::nullopt;
  const auto bits = static_cast<std::int32_t>(EVP_PKEY_get_bits(key->get()));
  switch (EVP_PKEY_get_base_id(key->get())) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
      return {{KeyFamily::kRsa, bits}};
    case EVP_PKEY_EC:
      return {{KeyFamily::kEc, bits}};
    case EVP_PKEY_DSA:
      return {{KeyFamily::kDsa, bits}};
    case EVP_PKEY_DH:
    case EVP_PKEY_DHX:
      return {{KeyFamily::kDh, bits}};
    case EVP_PKEY_ED25519:
      return {{KeyFamily::kEd25519, 256}};
    case EVP_PKEY_ED448:
      return {{KeyFamily::kEd448, 448}};
    case EVP_PKEY_X25519:
      return {{KeyFamily::kX25519, 256}};
    case EVP_PKEY_X448:
      return {{KeyFamily::kX448, 448}};
    default:
      return std::nullopt;
  }
}

Result<std::vector<Bytes>> ParseCertificatesPem(ByteView pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Bytes> certificates;
  while (const X509Ptr x509{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    certificates.push_back(TRY(Encoded(x509.get(), i2d_X509)));
  }
  const unsigned long error = ERR_peek_last_error();
  TakeOpenSslError();
  if (certificates.empty() || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return Error(Code::kMalformed, "not certificates in PEM");
  }
  return certificates;
}

Result<CertificateFacts> ReadCertificate(ByteView der) {
  const X509Ptr x509 = TRY(DecodeCertificate(der));
  CertificateFacts facts;
  facts.subject = TRY(ReadName(X509_get_subject_name(x509.get())));
  facts.issuer = TRY(ReadName(X509_get_issuer_name(x509.get())));
  facts.subject_alternatives = TRY(ReadAlternatives(x509.get(), NID_subject_alt_name));
  facts.issuer_alternatives = TRY(ReadAlternatives(x509.get(), NID_issuer_alt_name));
  const int at = X509_get_ext_by_NID(x509.get(), NID_subject_alt_name, -1);
  if (at >= 0) {
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(x509.get(), at));
    facts.subject_alternatives_der = ToBytes(
        {ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))});
  }
  const ASN1_INTEGER* serial = X509_get0_serialNumber(x509.get());
  facts.serial = TRY(Encoded(serial, i2d_ASN1_INTEGER));
  facts.serial_hex = SerialHex(serial);
  facts.public_key = TRY(Encoded(X509_get_X509_PUBKEY(x509.get()), i2d_X509_PUBKEY));
  if (const auto kind = PublicKeyKind(facts.public_key)) {
    facts.key_family = kind->first;
    facts.key_bits = kind->second;
  }
  ReadSignature(x509.get(), facts);
  facts.key_usage = ReadKeyUsage(x509.get());
  facts.authority = X509_check_ca(x509.get()) == 1;
  facts.not_before = ToUnixTime(X509_get0_notBefore(x509.get()));
  facts.not_after = ToUnixTime(X509_get0_notAfter(x509.get()));
  TakeOpenSslError();  // what extensions that cannot be read left behind
  return facts;
}

}  // namespace dare::crypto
