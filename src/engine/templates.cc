#include "engine/templates.h"

#include <string>
#include <utility>

#include "engine/attribute_values.h"
#include "engine/new_object.h"
#include "kmip/managed_object.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::Operation;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr std::size_t kMostTemplates = 16;  // in one Template-Attribute

// The attributes inside Template { Attribute* }.
Result<AttributeSet> Inside(const kmip::ManagedObject& object, kmip::ProtocolVersion version) {
  ttlv::Reader members = TRY(ttlv::Reader::Open(object.material.Reveal()));
  const AttributeSet inside = TRY(kmip::ReadSearchAttributes(members, version));
  TRY(members.End());
  return inside;
}

Result<void> CheckAmount(const AttributeSet& attributes) {
  if (attributes.all().size() <= kmip::kMostAttributesInRequest) return {};
  return Error(Code::kTooLarge, "too many attributes in one request and its templates");
}

// Adds `attribute`; a later value of a single-instance attribute replaces the earlier one.
void Overlay(AttributeSet& attributes, const Attribute& attribute) {
  if (MayRepeat(kmip::ReferenceTo(attribute))) {
    attributes.Add(attribute);
  } else {
    attributes.Set(attribute);
  }
}

}  // namespace

Result<AttributeSet> WithTemplates(const kmip::AttributesIn& given,
                                   const OperationContext& context) {
  if (given.template_names.empty()) return given.attributes;
  if (given.template_names.size() > kMostTemplates) {
    return Error(Code::kTooLarge, "too many templates in one request");
  }
  AttributeSet all;
  for (const std::string& name : given.template_names) {
    const StoredObject stored = TRY(context.FindTemplate(name));
    const AttributeSet inside = TRY(Inside(stored.object, context.version()));
    for (const Attribute& attribute : inside.all()) {
      if (attribute.tag != Tag::kName) Overlay(all, attribute);  // a name is the Template's own
    }
    TRY(CheckAmount(all));
  }
  // What is given explicitly comes last: it wins, and its instances follow those of the templates
  // (TC-312). Twice the same single-instance attribute in the request itself stays an error.
  for (const Attribute& attribute : given.attributes.all()) {
    if (!MayRepeat(kmip::ReferenceTo(attribute))) all.RemoveAll(attribute.tag);
  }
  for (const Attribute& attribute : given.attributes.all()) all.Add(attribute);
  TRY(CheckAmount(all));
  return all;
}

Result<kmip::ManagedObject> MakeTemplate(const kmip::RegisterRequest& request, Origin origin,
                                         const OperationContext& context) {
  if (!request.object || request.object->tag != Tag::kTemplate) {
    return Reject(ResultReason::kInvalidField, "the object is no Template");
  }
  ttlv::Reader members = TRY(request.object->Members());
  const AttributeSet inside = TRY(kmip::ReadSearchAttributes(members, context.version()));
  TRY(members.End());
  for (const Attribute& attribute : inside.all()) {
    if (!MayBeGiven(kmip::ReferenceTo(attribute), Origin::kRegistered, context.version())) {
      return Reject(ResultReason::kInvalidField, "no attribute for a client to give to an object");
    }
    TRY(CheckedValue(attribute, Giving::kToNewObject, context));
  }
  // Some clients name a Template inside of it (TC-312-10).
  kmip::AttributesIn given = request.attributes;
  for (const Attribute& attribute : inside.all()) {
    const bool names =
        attribute.tag == Tag::kName && !request.attributes.attributes.Has(Tag::kName);
    if (names) given.attributes.Add(attribute);
  }
  AttributeSet attributes =
      TRY(CheckedAttributes(given, kmip::ObjectType::kTemplate, origin, context));
  SecretBytes material = TRY(SecretBytes::CopyOf(request.object->whole));
  return MakeObject(kmip::ObjectType::kTemplate, origin, std::move(attributes), std::move(material),
                    context);
}

bool MayReachTemplate(Operation operation, kmip::ProtocolVersion version) {
  if (!kmip::IsVersion1(version)) return false;
  switch (operation) {
    case Operation::kLocate:
    case Operation::kGet:
    case Operation::kGetAttributes:
    case Operation::kGetAttributeList:
    case Operation::kAddAttribute:
    case Operation::kModifyAttribute:
    case Operation::kDeleteAttribute:
    case Operation::kDestroy:
    case Operation::kArchive:
    case Operation::kRecover:
      return true;
    default:
      return false;
  }
}

}  // namespace dare::engine
