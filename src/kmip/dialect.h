#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "kmip/attributes.h"
#include "kmip/protocol_version.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

// The whole difference between KMIP 1.x and 2.x in how attributes travel:
//   1.x  Template-Attribute { Name*, Attribute* }, Attribute { Attribute Name, Attribute Index,
//   Attribute Value }   (kmip-1.4 2.1.1, 2.1.8) 2.x  Attributes { the attribute's own tag … }, New
//   Attribute, Current Attribute, Attribute Reference            (kmip-2.1 6, 7)
// Inside, there is only the 2.x form. Values are checked against the attribute table (type,
// existence in the version); who may set what is the engine's business.
namespace dare::kmip {

// More than any request needs. Attributes are compared each with each, so that a message full of
// them would cost its square.
inline constexpr std::size_t kMostAttributesInRequest = 256;

inline bool IsVersion1(ProtocolVersion version) { return version.major == 1; }

// Attributes of a request, and the names of the templates (1.x) it refers to.
struct AttributesIn {
  AttributeSet attributes;
  std::vector<std::string> template_names;
};

// The structures that carry them: by default Template-Attribute (1.x) and Attributes (2.x); the
// operations on key pairs have three of their own.
struct AttributesTags {
  Tag version_1 = Tag::kTemplateAttribute;
  Tag version_2 = Tag::kAttributes;

  Tag For(ProtocolVersion version) const { return IsVersion1(version) ? version_1 : version_2; }
};

// Rejects unknown or ill-typed attributes with Invalid Field (1.x) or Invalid Attribute Value
// (2.x).
Result<AttributesIn> ReadAttributes(ttlv::Reader& in, ProtocolVersion version,
                                    AttributesTags tags = {});
bool AtAttributes(const ttlv::Reader& in, ProtocolVersion version);
// Locate: Attribute* (1.x) or Attributes (2.x). Several instances of one attribute are kept.
Result<AttributeSet> ReadSearchAttributes(ttlv::Reader& in, ProtocolVersion version);
void WriteSearchAttributes(ttlv::Writer& out, ProtocolVersion version, const AttributeSet& set);

// One attribute to add, set or change: Attribute (1.x), or the one member of `structure_2x` (2.x:
// New Attribute, Current Attribute). In 1.x `index_given` tells whether an Attribute Index stood
// there; it is in Attribute::index.
struct AttributeIn {
  Attribute attribute;
  bool index_given = false;
};
Result<AttributeIn> ReadAttribute(ttlv::Reader& in, ProtocolVersion version, Tag structure_2x);

// Attribute Name (1.x, text) or Attribute Reference (2.x). An unknown name is a reference that
// names nothing (tag 0), because Get Attributes leaves unknown names out silently.
Result<AttributeReference> ReadReference(ttlv::Reader& in, ProtocolVersion version);
bool AtReference(const ttlv::Reader& in, ProtocolVersion version);

// Writers. Attributes that `version` does not know are left out.
void WriteAttributes(ttlv::Writer& out, ProtocolVersion version,
                     const AttributeSet& set);  // Template-Attribute or Attributes
void WriteAttributes(ttlv::Writer& out, ProtocolVersion version, const AttributesIn& attributes,
                     AttributesTags tags = {});
// Get Attributes: each instance keeps the Attribute Index it came with.
Result<std::vector<Attribute>> ReadAttributeList(ttlv::Reader& in, ProtocolVersion version);
void WriteAttributeList(
    ttlv::Writer& out, ProtocolVersion version,
    const std::vector<Attribute>& list);  // Get Attributes: Attribute* or Attributes
void WriteAttribute(ttlv::Writer& out, ProtocolVersion version, const Attribute& attribute,
                    Tag structure_2x);
void WriteReference(ttlv::Writer& out, ProtocolVersion version,
                    const AttributeReference& reference);

// True when `version` has this attribute; vendor attributes exist in all.
bool AttributeKnown(const AttributeReference& reference, ProtocolVersion version);

}  // namespace dare::kmip
