#include "engine/object_index.h"

#include <initializer_list>

#include "engine/lifecycle.h"
#include "engine/rotation_rule.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::engine {
namespace {

using kmip::Tag;

// The members `tags` of a structure, one after the other with their headers; empty unless all are
// there. A search may give fewer members than an object has, so a key holds no others.
std::string Members(const kmip::Attribute& attribute, std::initializer_list<Tag> tags) {
  std::string key;
  for (const Tag tag : tags) {
    auto members = attribute.View().Members();
    if (!members) return {};
    bool found = false;
    while (!members->AtEnd() && !found) {
      const auto member = members->Next();
      if (!member) return {};
      if (member->tag != tag) continue;
      key += AsText(member->whole);
      found = true;
    }
    if (!found) return {};
  }
  return key;
}

// The value of the structure's text member; empty when there is none.
std::string TextMember(const kmip::Attribute& attribute, Tag tag) {
  auto members = attribute.View().Members();
  if (!members) return {};
  const auto value = members->Text(tag);
  return value ? std::string(*value) : std::string();
}

// By what an object with this attribute is found; empty when it is not found by it.
std::string KeyOf(const kmip::Attribute& attribute) {
  switch (attribute.tag) {
    case Tag::kName:
      return TextMember(attribute, Tag::kNameValue);
    case Tag::kAlternativeName:
      return TextMember(attribute, Tag::kAlternativeNameValue);
    case Tag::kRotateName:
      return TextMember(attribute, Tag::kRotateNameValue);
    case Tag::kLink:
      return Members(attribute, {Tag::kLinkType, Tag::kLinkedObjectIdentifier});
    case Tag::kApplicationSpecificInformation:
      return Members(attribute, {Tag::kApplicationNamespace, Tag::kApplicationData});
    case Tag::kX_509CertificateIdentifier:
      return Members(attribute, {Tag::kIssuerDistinguishedName, Tag::kCertificateSerialNumber});
    case Tag::kX_509CertificateSubject:
      return Members(attribute, {Tag::kSubjectDistinguishedName});
    case Tag::kObjectGroup:
    case Tag::kAttribute:
    case Tag::kPKCS_12FriendlyName:
    case Tag::kCertificateSubjectCN:
    case Tag::kCertificateSubjectSerialNumber:
      return std::string(AsText(attribute.View().value));
    default:
      return {};
  }
}

}  // namespace

std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::Attribute& attribute) {
  std::string key = KeyOf(attribute);
  if (key.empty() || key.size() > store::kMaxIndexKey) return {};
  return {{.tag = static_cast<std::uint32_t>(attribute.tag),
           .key = std::move(key),
           .scope = owner,
           .unique = attribute.tag == Tag::kName}};
}

std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::AttributeSet& attributes) {
  std::vector<store::IndexEntry> entries;
  const auto state = attributes.Enum<kmip::State>(Tag::kState).value_or(kmip::State::kPreActive);
  const bool destroyed = IsDestroyed(state);
  for (const kmip::Attribute& attribute : attributes.all()) {
    // What is destroyed keeps its name as an attribute, and leaves it to a successor.
    if (destroyed && attribute.tag == Tag::kName) continue;
    for (store::IndexEntry& entry : IndexEntriesOf(owner, attribute)) {
      entries.push_back(std::move(entry));
    }
  }
  if (const auto interval = RotationInterval(attributes, state)) {
    entries.push_back({.tag = static_cast<std::uint32_t>(Tag::kRotateInterval),
                       .key = RotationKey(*interval),
                       .scope = owner});
  }
  return entries;
}

}  // namespace dare::engine
