#include "engine/operations/certify.h"

#include <optional>
#include <utility>

#include "crypto/asymmetric_key.h"
#include "crypto/certificate_builder.h"
#include "engine/asymmetric_use.h"
#include "engine/certification.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "kmip/certificate.h"
#include "kmip/tags.h"
#include "ttlv/item.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

// What the request means: a stored Public Key, a request, or both, which must be of one key.
struct Subject {
  ObjectPointer public_key;  // null: certified from a request alone
  CertificateWish wish;
};

Result<Bytes> EncodedKeyOf(const StoredObject& stored) {
  const crypto::PublicKey key = TRY(PublicKeyOf(stored.object));
  return key.Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo);
}

// Without a request nobody says what the subject is called. Its name is then that of the new
// object, of the key, or the key's identifier, as the common name.
Result<CertificateWish> WishFor(const StoredObject& public_key, const AttributeSet& attributes) {
  std::vector<std::string> names = attributes.Names();
  if (names.empty()) names = public_key.object.attributes.Names();
  if (names.empty()) names.push_back(public_key.object.id);
  CertificateWish wish;
  wish.public_key = TRY(EncodedKeyOf(public_key));
  Result<Bytes> subject = crypto::EncodeName({{crypto::kCommonNameNid, names.front()}});
  if (!subject) {
    return Reject(ResultReason::kInvalidField, "the name cannot be a common name: too long?");
  }
  wish.subject = std::move(*subject);
  return wish;
}

Result<CertificateWish> WishInObject(const StoredObject& stored) {
  const ttlv::Item item = TRY(ttlv::ParseItem(stored.object.material.Reveal()));
  const kmip::CertificateRequestObject request = TRY(kmip::ReadCertificateRequest(item));
  return WishOf(request.type, request.value);
}

Result<Subject> SubjectOf(const kmip::CertifyRequest& request, const AttributeSet& attributes,
                          OperationContext& context) {
  Subject subject;
  if (request.request) {
    subject.wish = TRY(WishOf(request.request->type, request.request->value));
    //= kmip-2.1 6.1.6 Certify
    //# If omitted and Certificate Request is not present, then the ID Placeholder value is used
    if (request.id.omitted() && !kmip::IsVersion1(context.version())) return subject;
  }
  const ObjectPointer stored = TRY(context.Open(request.id, Vault::Material::kOpen));
  TRY(CheckMayBeCertified(*stored, context));
  if (stored->object.type == ObjectType::kPublicKey) {
    subject.public_key = stored;
    if (!request.request) {
      subject.wish = TRY(WishFor(*stored, attributes));
      return subject;
    }
    const Bytes key = TRY(EncodedKeyOf(*stored));
    TRY(CheckSameKey(subject.wish.public_key, key));
    return subject;
  }
  if (stored->object.type == ObjectType::kCertificateRequest && !request.request) {
    subject.wish = TRY(WishInObject(*stored));
    return subject;
  }
  //= kmip-1.4 11.8 Certify
  //# Object specified is not able to be certified: Permission Denied
  return RejectIn(context.version(), ResultReason::kPermissionDenied,
                  ResultReason::kInvalidObjectType, "only Public Keys are certified");
}

}  // namespace

Result<kmip::CertifyResponse> Certify(const kmip::CertifyRequest& request,
                                      OperationContext& context) {
  TRY(context.Authorise());
  const CertificateIssuer* issuer = TRY(IssuerFor(context));
  TRY(CheckProtectionStorage(request.protection_storage_masks));
  AttributeSet attributes = TRY(
      CheckedAttributes(request.attributes, ObjectType::kCertificate, Origin::kGenerated, context));
  //= kmip-2.1 6.1.6 Certify
  //# If the Certificate Request Type and the Certificate Request objects are omitted from the
  //# request, then the Certificate Type SHALL be specified using the Attributes object.
  const bool typed = attributes.Has(Tag::kCertificateType);
  Subject subject = TRY(SubjectOf(request, attributes, context));
  if (subject.public_key != nullptr && !request.request && !typed) {
    return Reject(ResultReason::kInvalidField, "without a request, a Certificate Type is needed");
  }
  if (subject.public_key != nullptr) {
    attributes.Add(Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kPublicKeyLink),
                                     subject.public_key->object.id));
  }
  Certified made =
      TRY(IssueCertificate(*issuer, std::move(subject.wish), std::move(attributes), context));
  const kmip::ManagedObject certificate =
      TRY(MakeObject(ObjectType::kCertificate, Origin::kGenerated, std::move(made.attributes),
                     std::move(made.material), context));
  if (subject.public_key != nullptr) {
    AttributeSet changed = subject.public_key->object.attributes;
    changed.Add(
        Attribute::OfLink(static_cast<std::uint32_t>(LinkType::kCertificateLink), certificate.id));
    TRY(context.Update(*subject.public_key, std::move(changed)));
  }
  TRY(InsertObject(certificate, context));
  return kmip::CertifyResponse{.id = certificate.id, .implied = {}};
}

}  // namespace dare::engine
