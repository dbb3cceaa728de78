#include "engine/certificate_attributes.h"

#include <array>
#include <string>
#include <utility>

#include "crypto/certificate.h"
#include "crypto/certificate_request.h"
#include "engine/refusal.h"
#include "kmip/certificate.h"
#include "kmip/names.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using crypto::CertificateFacts;
using crypto::HashAlgorithm;
using crypto::NameAttribute;
using crypto::SignatureFamily;
using kmip::Attribute;
using kmip::AttributeSet;
using kmip::CryptographicAlgorithm;
using kmip::DigitalSignatureAlgorithm;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;
using Mask = kmip::CryptographicUsageMask;

constexpr std::size_t kMostPartBytes = 1024;  // of one part of a name

struct NameTags {
  NameAttribute attribute;
  Tag subject, issuer;
};
constexpr std::array<NameTags, 12> kNameTags = {{
    {NameAttribute::kCommonName, Tag::kCertificateSubjectCN, Tag::kCertificateIssuerCN},
    {NameAttribute::kOrganization, Tag::kCertificateSubjectO, Tag::kCertificateIssuerO},
    {NameAttribute::kOrganizationalUnit, Tag::kCertificateSubjectOU, Tag::kCertificateIssuerOU},
    {NameAttribute::kEmail, Tag::kCertificateSubjectEmail, Tag::kCertificateIssuerEmail},
    {NameAttribute::kCountry, Tag::kCertificateSubjectC, Tag::kCertificateIssuerC},
    {NameAttribute::kState, Tag::kCertificateSubjectST, Tag::kCertificateIssuerST},
    {NameAttribute::kLocality, Tag::kCertificateSubjectL, Tag::kCertificateIssuerL},
    {NameAttribute::kUserId, Tag::kCertificateSubjectUID, Tag::kCertificateIssuerUID},
    {NameAttribute::kSerialNumber, Tag::kCertificateSubjectSerialNumber,
     Tag::kCertificateIssuerSerialNumber},
    {NameAttribute::kTitle, Tag::kCertificateSubjectTitle, Tag::kCertificateIssuerTitle},
    {NameAttribute::kDomainComponent, Tag::kCertificateSubjectDC, Tag::kCertificateIssuerDC},
    {NameAttribute::kDnQualifier, Tag::kCertificateSubjectDNQualifier,
     Tag::kCertificateIssuerDNQualifier},
}};

struct SignatureName {
  SignatureFamily family;
  HashAlgorithm hash;
  DigitalSignatureAlgorithm name;
};
constexpr std::array<SignatureName, 17> kSignatureNames = {{
    {SignatureFamily::kRsa, HashAlgorithm::kMd5, DigitalSignatureAlgorithm::kMD5WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha1,
     DigitalSignatureAlgorithm::kSHA_1WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha224,
     DigitalSignatureAlgorithm::kSHA_224WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha256,
     DigitalSignatureAlgorithm::kSHA_256WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha384,
     DigitalSignatureAlgorithm::kSHA_384WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha512,
     DigitalSignatureAlgorithm::kSHA_512WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha3_256,
     DigitalSignatureAlgorithm::kSHA3_256WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha3_384,
     DigitalSignatureAlgorithm::kSHA3_384WithRSAEncryption},
    {SignatureFamily::kRsa, HashAlgorithm::kSha3_512,
     DigitalSignatureAlgorithm::kSHA3_512WithRSAEncryption},
    {SignatureFamily::kDsa, HashAlgorithm::kSha1, DigitalSignatureAlgorithm::kDSAWithSHA_1},
    {SignatureFamily::kDsa, HashAlgorithm::kSha224, DigitalSignatureAlgorithm::kDSAWithSHA224},
    {SignatureFamily::kDsa, HashAlgorithm::kSha256, DigitalSignatureAlgorithm::kDSAWithSHA256},
    {SignatureFamily::kEcdsa, HashAlgorithm::kSha1, DigitalSignatureAlgorithm::kECDSAWithSHA_1},
    {SignatureFamily::kEcdsa, HashAlgorithm::kSha224, DigitalSignatureAlgorithm::kECDSAWithSHA224},
    {SignatureFamily::kEcdsa, HashAlgorithm::kSha256, DigitalSignatureAlgorithm::kECDSAWithSHA256},
    {SignatureFamily::kEcdsa, HashAlgorithm::kSha384, DigitalSignatureAlgorithm::kECDSAWithSHA384},
    {SignatureFamily::kEcdsa, HashAlgorithm::kSha512, DigitalSignatureAlgorithm::kECDSAWithSHA512},
}};

std::optional<DigitalSignatureAlgorithm> SignatureAlgorithmOf(const CertificateFacts& facts) {
  if (facts.signature == SignatureFamily::kRsaPss) return DigitalSignatureAlgorithm::kRSASSA_PSS;
  for (const SignatureName& row : kSignatureNames) {
    if (row.family == facts.signature && row.hash == facts.signature_hash) return row.name;
  }
  return std::nullopt;
}

Error Disagrees(Tag tag) {
  return Reject(ResultReason::kInvalidField, "the object and the attributes disagree about " +
                                                 std::string(kmip::TagSpecName(tag)));
}

// Sets what the object says; a value that the client gave must be the same.
Result<void> Settle(AttributeSet& attributes, Attribute attribute) {
  const Attribute* given = attributes.Find(attribute.tag);
  if (given != nullptr && !(*given == attribute)) return Disagrees(attribute.tag);
  attributes.Set(std::move(attribute));
  return {};
}

template <typename Write>
Attribute Structure(Tag tag, Write write) {
  ttlv::Writer out;
  out.Structure(tag, [&] { write(out); });
  return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

// In the place of those that an imported certificate brought along.
void AddNameParts(AttributeSet& attributes, const CertificateFacts& facts) {
  for (const NameTags& row : kNameTags) {
    attributes.RemoveAll(row.subject);
    attributes.RemoveAll(row.issuer);
  }
  const auto add = [&](const crypto::DistinguishedName& name, Tag NameTags::*tag) {
    for (const auto& [attribute, value] : name.attributes) {
      if (value.empty() || value.size() > kMostPartBytes) continue;
      for (const NameTags& row : kNameTags) {
        if (row.attribute == attribute) attributes.Add(Attribute::OfText(row.*tag, value));
      }
    }
  };
  add(facts.subject, &NameTags::subject);
  add(facts.issuer, &NameTags::issuer);
}

// Whole names as the DER of the certificate: kmip-2.1 4.61 to 4.63; kmip-1.4 3.10 to 3.12.
void AddEncodedNames(AttributeSet& attributes, const CertificateFacts& facts) {
  attributes.Set(Structure(Tag::kX_509CertificateIdentifier, [&](ttlv::Writer& out) {
    out.ByteString(Tag::kIssuerDistinguishedName, facts.issuer.der);
    out.ByteString(Tag::kCertificateSerialNumber, facts.serial);
  }));
  attributes.Set(Structure(Tag::kX_509CertificateSubject, [&](ttlv::Writer& out) {
    out.ByteString(Tag::kSubjectDistinguishedName, facts.subject.der);
    for (const crypto::AlternativeName& name : facts.subject_alternatives) {
      out.ByteString(Tag::kSubjectAlternativeName, name.der);
    }
  }));
  attributes.Set(Structure(Tag::kX_509CertificateIssuer, [&](ttlv::Writer& out) {
    out.ByteString(Tag::kIssuerDistinguishedName, facts.issuer.der);
    for (const crypto::AlternativeName& name : facts.issuer_alternatives) {
      out.ByteString(Tag::kIssuerAlternativeName, name.der);
    }
  }));
}

// The same as text, as 1.x keeps them: kmip-1.4 3.13 to 3.15.
void AddTextNames(AttributeSet& attributes, const CertificateFacts& facts) {
  const auto write_alternatives = [](ttlv::Writer& out, Tag tag, const auto& names) {
    for (const crypto::AlternativeName& name : names) {
      if (!name.text.empty()) out.Text(tag, name.text);
    }
  };
  attributes.Set(Structure(Tag::kCertificateIdentifier, [&](ttlv::Writer& out) {
    out.Text(Tag::kIssuer, facts.issuer.text);
    out.Text(Tag::kSerialNumber, facts.serial_hex);
  }));
  attributes.Set(Structure(Tag::kCertificateSubject, [&](ttlv::Writer& out) {
    out.Text(Tag::kCertificateSubjectDistinguishedName, facts.subject.text);
    write_alternatives(out, Tag::kCertificateSubjectAlternativeName, facts.subject_alternatives);
  }));
  attributes.Set(Structure(Tag::kCertificateIssuer, [&](ttlv::Writer& out) {
    out.Text(Tag::kCertificateIssuerDistinguishedName, facts.issuer.text);
    write_alternatives(out, Tag::kCertificateIssuerAlternativeName, facts.issuer_alternatives);
  }));
}

//= kmip-1.4 3.19 Cryptographic Usage Mask, X.509 Key Usage to Cryptographic Usage Mask Mapping
// Of each pair the half that a public key does.
Mask UsageOf(const CertificateFacts& facts) {
  if (!facts.key_usage) return Mask::kVerify | Mask::kEncrypt | Mask::kWrapKey;
  Mask mask{};
  const auto take = [&](crypto::KeyUsage theirs, Mask ours) {
    if ((*facts.key_usage & theirs) != 0) mask = mask | ours;
  };
  take(crypto::kUsageDigitalSignature, Mask::kVerify);
  take(crypto::kUsageContentCommitment, Mask::kContentCommitmentNonRepudiation);
  take(crypto::kUsageKeyEncipherment, Mask::kWrapKey);
  take(crypto::kUsageDataEncipherment, Mask::kEncrypt);
  take(crypto::kUsageKeyAgreement, Mask::kKeyAgreement);
  take(crypto::kUsageCertificateSign, Mask::kCertificateSign);
  take(crypto::kUsageCrlSign, Mask::kCRLSign);
  take(crypto::kUsageEncipherOnly, Mask::kEncrypt);
  take(crypto::kUsageDecipherOnly, Mask::kDecrypt);
  return mask;
}

Result<void> SettleKey(AttributeSet& attributes, ByteView public_key) {
  const auto key = AlgorithmOf(public_key);
  if (!key) return {};
  // A client may call an elliptic curve key by either of two names.
  const auto given = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  const bool curve = key->algorithm == CryptographicAlgorithm::kECDSA;
  if (!(curve &&
        (given == CryptographicAlgorithm::kEC || given == CryptographicAlgorithm::kECDH))) {
    TRY(Settle(attributes, Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                                                    static_cast<std::uint32_t>(key->algorithm))));
  }
  return Settle(attributes, Attribute::OfInteger(Tag::kCryptographicLength, key->bits));
}

Result<void> AddX509Attributes(AttributeSet& attributes, const CertificateFacts& facts) {
  AddNameParts(attributes, facts);
  AddEncodedNames(attributes, facts);
  AddTextNames(attributes, facts);
  if (const auto algorithm = SignatureAlgorithmOf(facts)) {
    TRY(Settle(attributes, Attribute::OfEnumeration(Tag::kDigitalSignatureAlgorithm,
                                                    static_cast<std::uint32_t>(*algorithm))));
  }
  TRY(SettleKey(attributes, facts.public_key));
  if (!attributes.Has(Tag::kCryptographicUsageMask)) {
    attributes.Set(Attribute::OfInteger(Tag::kCryptographicUsageMask,
                                        static_cast<std::int32_t>(UsageOf(facts))));
  }
  return {};
}

}  // namespace

bool IsOfCertificate(Tag tag) {
  switch (tag) {
    case Tag::kCertificateType:
    case Tag::kCertificateLength:
    case Tag::kCertificateIdentifier:
    case Tag::kCertificateSubject:
    case Tag::kCertificateIssuer:
    case Tag::kX_509CertificateIdentifier:
    case Tag::kX_509CertificateSubject:
    case Tag::kX_509CertificateIssuer:
    case Tag::kDigitalSignatureAlgorithm:
    case Tag::kCryptographicAlgorithm:
    case Tag::kCryptographicLength:
      return true;
    default:
      break;
  }
  for (const NameTags& row : kNameTags) {
    if (row.subject == tag || row.issuer == tag) return true;
  }
  return false;
}

std::optional<KeyAlgorithmAndLength> AlgorithmOf(ByteView public_key) {
  const auto kind = crypto::PublicKeyKind(public_key);
  if (!kind) return std::nullopt;
  switch (kind->first) {
    case crypto::KeyFamily::kRsa:
      return {{CryptographicAlgorithm::kRSA, kind->second}};
    case crypto::KeyFamily::kEc:
      // Known in every version, unlike EC.
      return {{CryptographicAlgorithm::kECDSA, kind->second}};
    case crypto::KeyFamily::kDsa:
      return {{CryptographicAlgorithm::kDSA, kind->second}};
    case crypto::KeyFamily::kDh:
      return {{CryptographicAlgorithm::kDH, kind->second}};
    case crypto::KeyFamily::kEd25519:
      return {{CryptographicAlgorithm::kEd25519, kind->second}};
    case crypto::KeyFamily::kEd448:
      return {{CryptographicAlgorithm::kEd448, kind->second}};
    case crypto::KeyFamily::kX25519:
    case crypto::KeyFamily::kX448:
      return {{CryptographicAlgorithm::kECDH, kind->second}};
  }
  return std::nullopt;
}

Result<void> AddCertificateAttributes(AttributeSet& attributes, const ttlv::Item& object,
                                      const OperationContext& context) {
  const kmip::CertificateObject certificate = TRY(kmip::ReadCertificate(object));
  const auto type = static_cast<std::uint32_t>(certificate.type);
  if (!kmip::EnumExists(Tag::kCertificateType, type, context.version())) {
    return Reject(ResultReason::kInvalidField, "unknown Certificate Type");
  }
  TRY(Settle(attributes, Attribute::OfEnumeration(Tag::kCertificateType, type)));
  TRY(Settle(attributes,
             Attribute::OfInteger(Tag::kCertificateLength,
                                  static_cast<std::int32_t>(certificate.value.size()))));
  if (certificate.type != kmip::CertificateType::kX_509) return {};
  const Result<CertificateFacts> facts = crypto::ReadCertificate(certificate.value);
  if (!facts) return Reject(ResultReason::kInvalidField, facts.error().message);
  return AddX509Attributes(attributes, *facts);
}

Result<void> AddRequestAttributes(AttributeSet& attributes, const ttlv::Item& object,
                                  const OperationContext& context) {
  const kmip::CertificateRequestObject request = TRY(kmip::ReadCertificateRequest(object));
  if (!kmip::EnumExists(Tag::kCertificateRequestType, static_cast<std::uint32_t>(request.type),
                        context.version())) {
    return Reject(ResultReason::kInvalidField, "unknown Certificate Request Type");
  }
  if (request.type == kmip::CertificateRequestType::kCRMF) return {};  // kept, not read
  const auto read =
      crypto::ReadCertificateRequest(request.type == kmip::CertificateRequestType::kPEM
                                         ? crypto::CertificateRequestFormat::kPem
                                         : crypto::CertificateRequestFormat::kPkcs10,
                                     request.value);
  if (!read) return Reject(ResultReason::kInvalidCSR, read.error().message);
  return SettleKey(attributes, read->public_key);
}

}  // namespace dare::engine
