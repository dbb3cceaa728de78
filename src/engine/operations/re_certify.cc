#include "engine/operations/re_certify.h"

#include <utility>

#include "crypto/certificate.h"
#include "engine/attribute_values.h"
#include "engine/certificate_attributes.h"
#include "engine/certification.h"
#include "engine/lifecycle.h"
#include "engine/new_object.h"
#include "engine/refusal.h"
#include "engine/replacement.h"
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

struct LinkFields {
  LinkType type{};
  std::string id;
};
Result<LinkFields> ReadLink(const Attribute& link) {
  ttlv::Reader members = TRY(link.View().Members());
  LinkFields fields;
  fields.type = TRY(members.Enum<LinkType>(Tag::kLinkType));
  fields.id = TRY(members.Text(Tag::kLinkedObjectIdentifier));
  return fields;
}

// Identifiers that the object's links of one type name.
std::vector<std::string> Linked(const AttributeSet& attributes, LinkType type) {
  std::vector<std::string> ids;
  for (const Attribute& attribute : attributes.all()) {
    if (attribute.tag != Tag::kLink) continue;
    if (auto link = ReadLink(attribute); link && link->type == type) ids.push_back(link->id);
  }
  return ids;
}

Attribute LinkTo(LinkType type, const std::string& id) {
  return Attribute::OfLink(static_cast<std::uint32_t>(type), id);
}

Result<crypto::CertificateFacts> FactsOf(const StoredObject& stored,
                                         const OperationContext& context) {
  if (stored.object.type != ObjectType::kCertificate) {
    return RejectIn(context.version(), ResultReason::kPermissionDenied,
                    ResultReason::kInvalidObjectType, "only certificates are re-certified");
  }
  if (IsDestroyed(EffectiveState(stored.object.attributes, context.now()))) {
    return RejectIn(context.version(), ResultReason::kPermissionDenied,
                    ResultReason::kObjectDestroyed, "the certificate was destroyed");
  }
  if (stored.object.attributes.Has(Tag::kRevocationReason)) {
    return Reject(ResultReason::kWrongKeyLifecycleState, "the certificate was revoked");
  }
  const ttlv::Item item = TRY(ttlv::ParseItem(stored.object.material.Reveal()));
  const kmip::CertificateObject certificate = TRY(kmip::ReadCertificate(item));
  if (certificate.type != kmip::CertificateType::kX_509) {
    return Reject(ResultReason::kFeatureNotSupported, "certificates are of X.509");
  }
  return crypto::ReadCertificate(certificate.value);
}

// The request in the message or the one it names; else what the existing certificate says.
Result<CertificateWish> WishOfRequest(const kmip::ReCertifyRequest& request,
                                      const crypto::CertificateFacts& existing,
                                      OperationContext& context) {
  if (request.request) return WishOf(request.request->type, request.request->value);
  if (request.request_id) {
    const ObjectPointer stored = TRY(context.Open(*request.request_id, Vault::Material::kOpen));
    if (stored->object.type != ObjectType::kCertificateRequest) {
      return Reject(ResultReason::kInvalidObjectType, "a Certificate Request is needed");
    }
    TRY(CheckMayBeCertified(*stored, context));
    const ttlv::Item item = TRY(ttlv::ParseItem(stored->object.material.Reveal()));
    const kmip::CertificateRequestObject kept = TRY(kmip::ReadCertificateRequest(item));
    return WishOf(kept.type, kept.value);
  }
  CertificateWish wish;
  wish.subject = existing.subject.der;
  wish.public_key = existing.public_key;
  wish.subject_alternatives = existing.subject_alternatives_der;
  wish.key_usage = existing.key_usage.value_or(0);
  constexpr std::uint32_t kAuthority = crypto::kUsageCertificateSign | crypto::kUsageCrlSign;
  if (existing.authority || (wish.key_usage & kAuthority) != 0) {
    return Reject(ResultReason::kPermissionDenied,
                  "no certification authorities are certified here");
  }
  return wish;
}

// kmip-2.1 table 299. Names of the request join those of the existing certificate, and do not
// replace them (TC-134). Nothing but the published cases says in which order names and links come:
// those of 1.0 and 1.1 the one way, later ones the other.
Result<AttributeSet> NewAttributes(const kmip::ReCertifyRequest& request,
                                   const StoredObject& existing, const OperationContext& context) {
  AttributeSet wanted = TRY(
      CheckedAttributes(request.attributes, ObjectType::kCertificate, Origin::kGenerated, context));
  const bool old_order = context.version() < kmip::kVersion1_2;
  std::vector<Attribute> names;
  for (const Attribute& attribute : wanted.all()) {
    if (attribute.tag == Tag::kName) names.push_back(attribute);
  }
  AttributeSet attributes;
  const auto add_names = [&] {
    for (const Attribute& name : names) attributes.Add(name);
  };
  if (!old_order) add_names();
  wanted.RemoveAll(Tag::kName);
  const AttributeSet inherited =
      TRY(InheritAttributes(existing.object.attributes, wanted, request.offset, context));
  for (const Attribute& attribute : inherited.all()) {
    if (!IsOfCertificate(attribute.tag)) attributes.Add(attribute);
  }
  if (old_order) add_names();
  const Attribute replaced = LinkTo(LinkType::kReplacedObjectLink, existing.object.id);
  if (old_order) attributes.Add(replaced);
  for (const std::string& id : Linked(existing.object.attributes, LinkType::kPublicKeyLink)) {
    attributes.Add(LinkTo(LinkType::kPublicKeyLink, id));
  }
  if (!old_order) attributes.Add(replaced);
  TRY(CheckDates(attributes, context.version()));
  return attributes;
}

// The existing certificate gives its names away and points to its successor.
Result<void> LeaveTo(const StoredObject& existing, const std::string& successor,
                     OperationContext& context) {
  AttributeSet attributes = existing.object.attributes;
  SettleState(attributes, context.now());
  attributes.RemoveAll(Tag::kName);
  attributes.Add(LinkTo(LinkType::kReplacementObjectLink, successor));
  attributes.Set(Attribute::OfBoolean(Tag::kRotateLatest, false));
  return context.Update(existing, std::move(attributes));
}

// For the public key, the server SHALL change the Link attribute of Link Type Certificate to point
// to the new certificate. A key that is gone, or not the caller's, has nothing to say about it.
Result<void> PointPublicKeys(const StoredObject& existing, const std::string& successor,
                             OperationContext& context) {
  for (const std::string& id : Linked(existing.object.attributes, LinkType::kPublicKeyLink)) {
    const Result<ObjectPointer> key = context.Peek(id, false);
    if (!key || (*key)->object.owner != existing.object.owner) continue;
    if (IsDestroyed(EffectiveState((*key)->object.attributes, context.now()))) continue;
    AttributeSet attributes = (*key)->object.attributes;
    bool changed = false;
    for (const Attribute& attribute : (*key)->object.attributes.all()) {
      if (attribute.tag != Tag::kLink) continue;
      const auto link = ReadLink(attribute);
      if (!link || link->type != LinkType::kCertificateLink || link->id != existing.object.id) {
        continue;
      }
      changed |= attributes.Replace(kmip::ReferenceTo(attribute), attribute.index,
                                    LinkTo(LinkType::kCertificateLink, successor));
    }
    if (changed) TRY(context.Update(**key, std::move(attributes)));
  }
  return {};
}

}  // namespace

Result<kmip::ReCertifyResponse> ReCertify(const kmip::ReCertifyRequest& request,
                                          OperationContext& context) {
  TRY(context.Authorise());
  const CertificateIssuer* issuer = TRY(IssuerFor(context));
  TRY(CheckProtectionStorage(request.protection_storage_masks));
  const ObjectPointer existing = TRY(context.Open(request.id, Vault::Material::kOpen));
  const crypto::CertificateFacts facts = TRY(FactsOf(*existing, context));
  if (context.caller().is_server) {
    TRY(CheckOccasion(*existing, context));
    TRY(CheckServes(*issuer, {.name = existing->object.owner}));
  }
  CertificateWish wish = TRY(WishOfRequest(request, facts, context));
  //= kmip-2.1 6.1.45 Re-certify
  //# renew an existing certificate for the same key pair
  TRY(CheckSameKey(wish.public_key, facts.public_key));
  AttributeSet attributes = TRY(NewAttributes(request, *existing, context));
  Certified made = TRY(IssueCertificate(*issuer, std::move(wish), std::move(attributes), context));
  kmip::ManagedObject certificate =
      TRY(MakeObject(ObjectType::kCertificate, Origin::kGenerated, std::move(made.attributes),
                     std::move(made.material), context));
  certificate.owner = existing->object.owner;
  TRY(LeaveTo(*existing, certificate.id, context));
  TRY(PointPublicKeys(*existing, certificate.id, context));
  TRY(InsertObject(certificate, context));
  return kmip::ReCertifyResponse{.id = certificate.id, .implied = {}};
}

}  // namespace dare::engine
