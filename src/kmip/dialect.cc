#include "kmip/dialect.h"

#include <utility>

#include "kmip/attribute_table.h"
#include "kmip/enums.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

constexpr std::string_view kClientVendor = "x";  // 1.x: custom attributes "x-…" and "y-…"
constexpr std::string_view kServerVendor = "y";

Error BadAttribute(ProtocolVersion version, std::string message) {
  return Reject(
      IsVersion1(version) ? ResultReason::kInvalidField : ResultReason::kInvalidAttributeValue,
      std::move(message));
}

// "x-ID" -> vendor x, name ID. Nothing for a name without one of the two prefixes.
std::optional<AttributeReference> CustomName(std::string_view name) {
  for (std::string_view vendor : {kClientVendor, kServerVendor}) {
    if (name.size() > 2 && name.starts_with(vendor) && name[1] == '-') {
      return AttributeReference{Tag::kAttribute, std::string(vendor), std::string(name.substr(2))};
    }
  }
  return std::nullopt;
}

Attribute VendorAttribute(const AttributeReference& reference, const ttlv::Item& value,
                          std::int32_t index) {
  WipingBytes buffer;
  ttlv::Writer out(buffer);
  out.Structure(Tag::kAttribute, [&] {
    out.Text(Tag::kVendorIdentification, reference.vendor);
    out.Text(Tag::kAttributeName, reference.name);
    out.Retagged(Tag::kAttributeValue, value);
  });
  Attribute attribute;
  attribute.tag = Tag::kAttribute;
  attribute.index = index;
  attribute.item.assign(buffer.begin(), buffer.end());
  return attribute;
}

Result<void> CheckType(const ttlv::Item& item, Tag tag, ProtocolVersion version) {
  const AttributeRule* rule = AttributeByTag(tag);
  if (rule == nullptr || RulesFor(tag, version) == nullptr) {
    return BadAttribute(version, "no such attribute in this version of KMIP");
  }
  if (item.type != rule->type) {
    return BadAttribute(version, "attribute " + std::string(rule->name) + " has the wrong type");
  }
  return {};
}

// Adds what a request gives, up to the limit.
Result<void> AddGiven(AttributeSet& set, Attribute attribute) {
  if (set.all().size() >= kMostAttributesInRequest) {
    return Error(Code::kTooLarge, "too many attributes in one request");
  }
  set.Add(std::move(attribute));
  return {};
}

// True for the structure of Cryptographic Parameters, which no other attribute resembles.
bool LooksLikeCryptographicParameters(const ttlv::Item& value) {
  Result<ttlv::Reader> fields = value.Members();
  if (!fields || fields->AtEnd()) return false;
  while (!fields->AtEnd()) {
    const Tag tag = fields->tag();
    if (tag != Tag::kBlockCipherMode && tag != Tag::kPaddingMethod &&
        tag != Tag::kHashingAlgorithm && tag != Tag::kKeyRoleType &&
        tag != Tag::kDigitalSignatureAlgorithm && tag != Tag::kCryptographicAlgorithm) {
      return false;
    }
    if (!fields->Skip()) return false;
  }
  return true;
}

// The name of a 1.x attribute. Mandatory cases of 1.2 (CS-AC-M-3, CS-AC-M-8) leave it out of
// Cryptographic Parameters, which are known without it; every other attribute must have one.
Result<std::string_view> ReadAttributeName(ttlv::Reader& members) {
  if (members.At(Tag::kAttributeValue)) {
    const Result<ttlv::Item> value = members.Peek();
    if (value && LooksLikeCryptographicParameters(*value)) return "Cryptographic Parameters";
  }
  return members.Text(Tag::kAttributeName);
}

// The body of a 1.x Attribute structure.
Result<AttributeIn> ReadAttribute1(ttlv::Reader& in, ProtocolVersion version) {
  ttlv::Reader members = TRY(in.Structure(Tag::kAttribute));
  const std::string_view name = TRY(ReadAttributeName(members));
  const std::optional<std::int32_t> index = TRY(members.OptionalInteger(Tag::kAttributeIndex));
  if (index && *index < 0) return BadAttribute(version, "negative Attribute Index");
  if (!members.At(Tag::kAttributeValue)) {
    return Reject(ResultReason::kInvalidMessage, "an Attribute without Attribute Value");
  }
  const ttlv::Item value = TRY(members.Next());
  TRY(members.End());

  AttributeIn read;
  read.index_given = index.has_value();
  if (const auto custom = CustomName(name)) {
    read.attribute = VendorAttribute(*custom, value, index.value_or(0));
    return read;
  }
  const AttributeRule* rule = AttributeByName(name);
  if (rule == nullptr) return BadAttribute(version, "unknown attribute " + std::string(name));
  TRY(CheckType(value, rule->tag, version));
  WipingBytes buffer;
  ttlv::Writer out(buffer);
  out.Retagged(rule->tag, value);
  read.attribute.tag = rule->tag;
  read.attribute.index = index.value_or(0);
  read.attribute.item.assign(buffer.begin(), buffer.end());
  return read;
}

// One member of a 2.x Attributes structure.
Result<Attribute> ReadAttribute2(ttlv::Reader& in, ProtocolVersion version) {
  const ttlv::Item item = TRY(in.Next());
  if (item.tag != Tag::kAttribute) {
    TRY(CheckType(item, item.tag, version));
    return Attribute::OfItem(item);
  }
  ttlv::Reader members = TRY(item.Members());
  TRY(members.Text(Tag::kVendorIdentification));
  TRY(members.Text(Tag::kAttributeName));
  if (!members.At(Tag::kAttributeValue)) {
    return Reject(ResultReason::kInvalidMessage, "an Attribute without Attribute Value");
  }
  TRY(members.Next());
  TRY(members.End());
  return Attribute::OfItem(item);
}

// The name by which 1.x calls this attribute; nothing when it cannot.
std::optional<std::string> Name1(const AttributeReference& reference, ProtocolVersion version) {
  if (reference.tag == Tag::kAttribute) {
    if (reference.vendor != kClientVendor && reference.vendor != kServerVendor) return std::nullopt;
    return reference.vendor + "-" + reference.name;
  }
  const AttributeRule* rule = AttributeByTag(reference.tag);
  if (rule == nullptr || RulesFor(reference.tag, version) == nullptr) return std::nullopt;
  return std::string(rule->name);
}

// Key Format Type joined the Digest in KMIP 1.1 (kmip-1.0 3.12, kmip-1.1 3.17).
void WriteDigestOf1_0(ttlv::Writer& out, const ttlv::Item& value) {
  out.Structure(Tag::kAttributeValue, [&] {
    auto members = value.Members();
    while (members && !members->AtEnd()) {
      const auto member = members->Next();
      if (!member) return;
      if (member->tag != Tag::kKeyFormatType) out.Retagged(member->tag, *member);
    }
  });
}

void WriteAttribute1(ttlv::Writer& out, ProtocolVersion version, const Attribute& attribute) {
  const auto name = Name1(ReferenceTo(attribute), version);
  if (!name) return;
  ttlv::Item value = attribute.View();
  if (attribute.tag == Tag::kAttribute) {
    auto members = value.Members();
    if (!members) return;
    while (!members->AtEnd() && !members->At(Tag::kAttributeValue)) {
      if (!members->Skip()) return;
    }
    auto inner = members->Next();
    if (!inner) return;
    value = *inner;
  }
  out.Structure(Tag::kAttribute, [&] {
    out.Text(Tag::kAttributeName, *name);
    if (attribute.index != 0) out.Integer(Tag::kAttributeIndex, attribute.index);
    if (attribute.tag == Tag::kDigest && version < kVersion1_1) return WriteDigestOf1_0(out, value);
    out.Retagged(Tag::kAttributeValue, value);
  });
}

void WriteMember2(ttlv::Writer& out, ProtocolVersion version, const Attribute& attribute) {
  if (AttributeKnown(ReferenceTo(attribute), version)) out.Raw(attribute.item);
}

void WriteEach(ttlv::Writer& out, ProtocolVersion version, const std::vector<Attribute>& list) {
  for (const Attribute& attribute : list) {
    if (IsVersion1(version)) {
      WriteAttribute1(out, version, attribute);
    } else {
      WriteMember2(out, version, attribute);
    }
  }
}

}  // namespace

bool AttributeKnown(const AttributeReference& reference, ProtocolVersion version) {
  if (IsVersion1(version)) return Name1(reference, version).has_value();
  return reference.tag == Tag::kAttribute || RulesFor(reference.tag, version) != nullptr;
}

bool AtAttributes(const ttlv::Reader& in, ProtocolVersion version) {
  return in.At(IsVersion1(version) ? Tag::kTemplateAttribute : Tag::kAttributes);
}

Result<AttributesIn> ReadAttributes(ttlv::Reader& in, ProtocolVersion version,
                                    AttributesTags tags) {
  AttributesIn read;
  if (!IsVersion1(version)) {
    ttlv::Reader members = TRY(in.Structure(tags.version_2));
    while (!members.AtEnd()) {
      Attribute attribute = TRY(ReadAttribute2(members, version));
      TRY(AddGiven(read.attributes, std::move(attribute)));
    }
    return read;
  }
  ttlv::Reader members = TRY(in.Structure(tags.version_1));
  while (members.At(Tag::kName)) {
    ttlv::Reader name = TRY(members.Structure(Tag::kName));
    read.template_names.emplace_back(TRY(name.Text(Tag::kNameValue)));
    TRY(name.Enumeration(Tag::kNameType));
    TRY(name.End());
  }
  while (members.At(Tag::kAttribute)) {
    AttributeIn given = TRY(ReadAttribute1(members, version));
    TRY(AddGiven(read.attributes, std::move(given.attribute)));
  }
  TRY(members.End());
  return read;
}

Result<AttributeSet> ReadSearchAttributes(ttlv::Reader& in, ProtocolVersion version) {
  if (!IsVersion1(version)) return TRY(ReadAttributes(in, version)).attributes;
  AttributeSet set;
  while (in.At(Tag::kAttribute)) {
    AttributeIn given = TRY(ReadAttribute1(in, version));
    TRY(AddGiven(set, std::move(given.attribute)));
  }
  return set;
}

Result<AttributeIn> ReadAttribute(ttlv::Reader& in, ProtocolVersion version, Tag structure_2x) {
  if (IsVersion1(version)) return ReadAttribute1(in, version);
  ttlv::Reader members = TRY(in.Structure(structure_2x));
  AttributeIn read;
  read.attribute = TRY(ReadAttribute2(members, version));
  TRY(members.End());
  return read;
}

bool AtReference(const ttlv::Reader& in, ProtocolVersion version) {
  return in.At(IsVersion1(version) ? Tag::kAttributeName : Tag::kAttributeReference);
}

Result<AttributeReference> ReadReference(ttlv::Reader& in, ProtocolVersion version) {
  if (IsVersion1(version)) {
    const std::string_view name = TRY(in.Text(Tag::kAttributeName));
    if (const auto custom = CustomName(name)) return *custom;
    const AttributeRule* rule = AttributeByName(name);
    if (rule == nullptr) return AttributeReference{};
    return AttributeReference{rule->tag, "", ""};
  }
  //= kmip-2.1 7.5 Attribute Reference: a structure for vendor attributes, or the enumeration Tag
  const ttlv::Item item = TRY(in.Next());
  if (item.tag != Tag::kAttributeReference) {
    return Error(Code::kMalformed, "an Attribute Reference was expected");
  }
  if (item.type == ttlv::Type::kEnumeration) {
    return AttributeReference{static_cast<Tag>(TRY(item.AsEnumeration())), "", ""};
  }
  ttlv::Reader members = TRY(item.Members());
  AttributeReference reference;
  reference.tag = Tag::kAttribute;
  reference.vendor = TRY(members.Text(Tag::kVendorIdentification));
  reference.name = TRY(members.Text(Tag::kAttributeName));
  TRY(members.End());
  return reference;
}

void WriteAttributes(ttlv::Writer& out, ProtocolVersion version, const AttributeSet& set) {
  out.Structure(IsVersion1(version) ? Tag::kTemplateAttribute : Tag::kAttributes,
                [&] { WriteEach(out, version, set.all()); });
}

void WriteAttributes(ttlv::Writer& out, ProtocolVersion version, const AttributesIn& attributes,
                     AttributesTags tags) {
  out.Structure(tags.For(version), [&] {
    if (IsVersion1(version)) {
      for (const std::string& name : attributes.template_names) {
        out.Raw(Attribute::OfName(name).item);
      }
    }
    WriteEach(out, version, attributes.attributes.all());
  });
}

void WriteSearchAttributes(ttlv::Writer& out, ProtocolVersion version, const AttributeSet& set) {
  if (!IsVersion1(version)) return WriteAttributes(out, version, set);
  for (Attribute attribute : set.all()) {
    attribute.index = 0;  // of the set, not of any object
    WriteAttribute1(out, version, attribute);
  }
}

Result<std::vector<Attribute>> ReadAttributeList(ttlv::Reader& in, ProtocolVersion version) {
  std::vector<Attribute> list;
  if (IsVersion1(version)) {
    while (in.At(Tag::kAttribute)) list.push_back(TRY(ReadAttribute1(in, version)).attribute);
    return list;
  }
  ttlv::Reader members = TRY(in.Structure(Tag::kAttributes));
  while (!members.AtEnd()) list.push_back(TRY(ReadAttribute2(members, version)));
  return list;
}

void WriteAttributeList(ttlv::Writer& out, ProtocolVersion version,
                        const std::vector<Attribute>& list) {
  if (IsVersion1(version)) return WriteEach(out, version, list);
  out.Structure(Tag::kAttributes, [&] { WriteEach(out, version, list); });
}

void WriteAttribute(ttlv::Writer& out, ProtocolVersion version, const Attribute& attribute,
                    Tag structure_2x) {
  if (IsVersion1(version)) return WriteAttribute1(out, version, attribute);
  out.Structure(structure_2x, [&] { out.Raw(attribute.item); });
}

void WriteReference(ttlv::Writer& out, ProtocolVersion version,
                    const AttributeReference& reference) {
  if (IsVersion1(version)) {
    if (const auto name = Name1(reference, version)) out.Text(Tag::kAttributeName, *name);
    return;
  }
  if (!AttributeKnown(reference, version)) return;
  if (reference.tag != Tag::kAttribute) {
    out.Enumeration(Tag::kAttributeReference, static_cast<std::uint32_t>(reference.tag));
    return;
  }
  out.Structure(Tag::kAttributeReference, [&] {
    out.Text(Tag::kVendorIdentification, reference.vendor);
    out.Text(Tag::kAttributeName, reference.name);
  });
}

}  // namespace dare::kmip
