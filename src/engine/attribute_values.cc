#include "engine/attribute_values.h"

#include <algorithm>
#include <string>

#include "base/uuid.h"
#include "engine/object_policy.h"
#include "engine/refusal.h"
#include "kmip/attribute_table.h"
#include "kmip/cryptographic_parameters.h"
#include "kmip/names.h"
#include "kmip/payloads/query.h"
#include "kmip/tags.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::ResultReason;
using kmip::Tag;

constexpr std::uint32_t kFirstExtension = 0x80000000;  // of every enumeration: a vendor's own

Error BadValue(kmip::ProtocolVersion version, std::string message) {
  return RejectIn(version, ResultReason::kInvalidField, ResultReason::kInvalidAttributeValue,
                  std::move(message));
}

Error BadValueOf(Tag tag, kmip::ProtocolVersion version) {
  return BadValue(version, "not a lawful value of " + std::string(kmip::TagSpecName(tag)));
}

// A structure of one Text String and one Enumeration: Name, Alternative Name, Key Value Location.
Result<void> CheckTextAndType(const Attribute& given, Tag text, Tag type,
                              kmip::ProtocolVersion version) {
  const auto read = [&]() -> Result<void> {
    ttlv::Reader members = TRY(given.View().Members());
    const std::string_view value = TRY(members.Text(text));
    const std::uint32_t kind = TRY(members.Enumeration(type));
    TRY(members.End());
    const bool known = kind >= kFirstExtension || kmip::EnumExists(type, kind, version);
    if (value.empty() || value.size() > store::kMaxIndexKey || !known) {
      return BadValueOf(given.tag, version);
    }
    return {};
  };
  const Result<void> done = read();
  return done ? done : BadValueOf(given.tag, version);
}

Result<void> CheckText(const Attribute& given, kmip::ProtocolVersion version) {
  const std::string_view text = TRY(given.View().AsText());
  if (text.empty() || text.size() > store::kMaxIndexKey) return BadValueOf(given.tag, version);
  return {};
}

Result<void> CheckEnumeration(const Attribute& given, kmip::ProtocolVersion version) {
  const std::uint32_t value = TRY(given.View().AsEnumeration());
  if (!kmip::IsEnumeration(given.tag) || kmip::EnumExists(given.tag, value, version)) return {};
  if (given.tag == Tag::kOpaqueDataType && value >= kFirstExtension) return {};
  return BadValueOf(given.tag, version);
}

Result<void> CheckInteger(const Attribute& given, kmip::ProtocolVersion version) {
  const std::int32_t value = TRY(given.View().AsInteger());
  if (kmip::IsMask(given.tag)) {
    std::uint32_t known = kmip::MaskBits(given.tag, version);
    // 2.0 reserves the bits of Content Commitment, which its published cases set
    // (TC-CERTATTR-1-20), and of Export, which clients of several versions still send (kmipclient).
    if (given.tag == Tag::kCryptographicUsageMask) {
      known |= kmip::MaskBits(given.tag, kmip::kVersion1_4);
    }
    if ((static_cast<std::uint32_t>(value) & ~known) != 0) {
      return BadValueOf(given.tag, version);
    }
  } else if (value < 0) {
    return BadValueOf(given.tag, version);
  }
  return {};
}

//= kmip-1.4 3.36 Application Specific Information
//# Clients MAY request to set [...] an instance of this attribute with a particular Application
//# Namespace while omitting Application Data. In that case, if the server supports this namespace
//# [...], then it SHALL return a suitable Application Data value.
Result<Attribute> CheckedApplicationInformation(const Attribute& given,
                                                const OperationContext& context) {
  ttlv::Reader members = TRY(given.View().Members());
  const Result<std::string_view> name_space = members.Text(Tag::kApplicationNamespace);
  if (!name_space || name_space->empty()) return BadValueOf(given.tag, context.version());
  if (!members.AtEnd()) {
    if (members.Text(Tag::kApplicationData) && members.End()) return given;
    return BadValueOf(given.tag, context.version());
  }
  if (std::ranges::find(context.objects().application_namespaces, *name_space) ==
      context.objects().application_namespaces.end()) {
    return kmip::Reject(ResultReason::kApplicationNamespaceNotSupported,
                        "this server makes no Application Data of this name space");
  }
  const std::string data = TRY(NewUuid());
  ttlv::Writer out;
  out.Structure(Tag::kApplicationSpecificInformation, [&] {
    out.Text(Tag::kApplicationNamespace, *name_space);
    out.Text(Tag::kApplicationData, data);
  });
  return Attribute::OfItem(TRY(ttlv::ParseItem(out.bytes())));
}

Result<void> CheckParameters(const Attribute& given, kmip::ProtocolVersion version) {
  ttlv::Reader reader = ttlv::Reader::Members(given.item);
  if (!kmip::ReadCryptographicParameters(reader)) return BadValueOf(given.tag, version);
  return {};
}

Result<void> CheckRng(const Attribute& given, kmip::ProtocolVersion version) {
  ttlv::Reader reader = ttlv::Reader::Members(given.item);
  if (!kmip::ReadRngParameters(reader, Tag::kRandomNumberGenerator)) {
    return BadValueOf(given.tag, version);
  }
  return {};
}

// The digest of an imported object.
Result<void> CheckDigest(const Attribute& given, kmip::ProtocolVersion version) {
  ttlv::Reader members = TRY(given.View().Members());
  if (!members.Enumeration(Tag::kHashingAlgorithm) || !members.ByteString(Tag::kDigestValue) ||
      !members.OptionalEnumeration(Tag::kKeyFormatType) || !members.End()) {
    return BadValueOf(given.tag, version);
  }
  return {};
}

// kmip-2.1 4.31 Link: the Linked Object Identifier is a Text String, Enumeration or Integer.
Result<Attribute> CheckedLink(const Attribute& given, const OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  ttlv::Reader members = TRY(given.View().Members());
  const auto type = members.Enumeration(Tag::kLinkType);
  if (!type || !members.At(Tag::kLinkedObjectIdentifier)) return BadValueOf(given.tag, version);
  if (*type < kFirstExtension && !kmip::EnumExists(Tag::kLinkType, *type, version)) {
    return BadValueOf(given.tag, version);
  }
  const ttlv::Item linked = TRY(members.Next());
  if (!members.End()) return BadValueOf(given.tag, version);
  kmip::Identifier identifier;
  if (linked.type == ttlv::Type::kTextString) {
    identifier.value = std::string(TRY(linked.AsText()));
  } else if (!kmip::IsVersion1(version) && linked.type == ttlv::Type::kEnumeration) {
    identifier.value = static_cast<kmip::UniqueIdentifier>(TRY(linked.AsEnumeration()));
  } else if (!kmip::IsVersion1(version) && linked.type == ttlv::Type::kInteger) {
    identifier.value = TRY(linked.AsInteger());
  } else {
    return BadValueOf(given.tag, version);
  }
  const std::string id = TRY(context.Resolve(identifier));
  if (id.empty() || id.size() > store::kMaxObjectId) return BadValueOf(given.tag, version);
  return Attribute::OfLink(*type, id);
}

//= kmip-1.4 3.21 Usage Limits
//# The server SHALL ignore the Usage Limits Count value if the attribute is specified in an
//# operation that creates a new object. [...] The Usage Limits Count value SHALL NOT be set or
//# modified by the client via the Add Attribute or Modify Attribute operations.
Result<Attribute> CheckedUsageLimits(const Attribute& given, Giving giving,
                                     kmip::ProtocolVersion version) {
  const auto read = [&]() -> Result<UsageLimits> {
    ttlv::Reader members = TRY(given.View().Members());
    UsageLimits limits;
    limits.total = TRY(members.LongInteger(Tag::kUsageLimitsTotal));
    limits.count = TRY(members.OptionalLongInteger(Tag::kUsageLimitsCount)).value_or(limits.total);
    limits.unit = TRY(members.Enum<kmip::UsageLimitsUnit>(Tag::kUsageLimitsUnit));
    TRY(members.End());
    return limits;
  };
  Result<UsageLimits> limits = read();
  if (limits && giving == Giving::kToNewObject) limits->count = limits->total;
  const bool count_is_lawful = limits && (limits->count == limits->total ||
                                          (giving == Giving::kWithImportedObject &&
                                           limits->count >= 0 && limits->count < limits->total));
  if (!limits || limits->total < 0 || !count_is_lawful ||
      !kmip::EnumExists(Tag::kUsageLimitsUnit, static_cast<std::uint32_t>(limits->unit), version)) {
    return BadValueOf(given.tag, version);
  }
  return MakeUsageLimits(*limits);
}

// The value inside, for attributes whose type alone does not say enough.
Result<void> CheckByTag(const Attribute& given, kmip::ProtocolVersion version) {
  switch (given.tag) {
    case Tag::kName:
      return CheckTextAndType(given, Tag::kNameValue, Tag::kNameType, version);
    case Tag::kAlternativeName:
      return CheckTextAndType(given, Tag::kAlternativeNameValue, Tag::kAlternativeNameType,
                              version);
    case Tag::kKeyValueLocation:
      return CheckTextAndType(given, Tag::kKeyValueLocationValue, Tag::kKeyValueLocationType,
                              version);
    case Tag::kCryptographicParameters:
      return CheckParameters(given, version);
    case Tag::kRandomNumberGenerator:
      return CheckRng(given, version);
    case Tag::kRotateName:
      return CheckTextAndType(given, Tag::kRotateNameValue, Tag::kRotateNameType, version);
    case Tag::kDigest:
      return CheckDigest(given, version);
    default:
      break;
  }
  switch (given.View().type) {
    case ttlv::Type::kEnumeration:
      return CheckEnumeration(given, version);
    case ttlv::Type::kInteger:
      return CheckInteger(given, version);
    case ttlv::Type::kTextString:
      return CheckText(given, version);
    default:
      return {};
  }
}

}  // namespace

Result<Attribute> CheckedValue(const Attribute& given, Giving giving,
                               const OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  if (given.item.size() > kMostAttributeBytes) {
    return BadValue(version, "an attribute value is too long");
  }
  if (given.tag == Tag::kLink) return CheckedLink(given, context);
  if (given.tag == Tag::kApplicationSpecificInformation) {
    return CheckedApplicationInformation(given, context);
  }
  if (given.tag == Tag::kUsageLimits) return CheckedUsageLimits(given, giving, version);
  if (given.tag == Tag::kAttribute) {
    const kmip::AttributeReference reference = kmip::ReferenceTo(given);
    if (reference.vendor.empty() || reference.name.empty()) {
      return BadValue(version, "a vendor attribute needs a vendor and a name");
    }
    return given;
  }
  TRY(CheckByTag(given, version));
  return given;
}

Result<void> CheckDates(const AttributeSet& attributes, kmip::ProtocolVersion version) {
  const auto in_order = [&](Tag first, Tag second) {
    const auto a = attributes.Date(first);
    const auto b = attributes.Date(second);
    return !a || !b || *a <= *b;
  };
  if (!in_order(Tag::kActivationDate, Tag::kDeactivationDate) ||
      !in_order(Tag::kActivationDate, Tag::kProcessStartDate) ||
      !in_order(Tag::kProtectStopDate, Tag::kDeactivationDate)) {
    return BadValue(version, "the dates of the object would not be in their order");
  }
  return {};
}

Result<void> CheckAmount(const AttributeSet& attributes, kmip::ProtocolVersion version) {
  std::size_t bytes = 0;
  for (const Attribute& attribute : attributes.all()) bytes += attribute.item.size();
  bool too_much = bytes > kMostAttributesBytes;
  if (attributes.all().size() > kMostInstances) {
    for (const Attribute& attribute : attributes.all()) {
      too_much |= attributes.Count(kmip::ReferenceTo(attribute)) > kMostInstances;
      if (too_much) break;
    }
  }
  if (!too_much) return {};
  return RejectIn(version, ResultReason::kIndexOutOfBounds, ResultReason::kServerLimitExceeded,
                  "too many or too large attributes on one object");
}

Result<UsageLimits> ReadUsageLimits(const Attribute& attribute) {
  ttlv::Reader members = TRY(attribute.View().Members());
  UsageLimits limits;
  limits.total = TRY(members.LongInteger(Tag::kUsageLimitsTotal));
  limits.count = TRY(members.LongInteger(Tag::kUsageLimitsCount));
  limits.unit = TRY(members.Enum<kmip::UsageLimitsUnit>(Tag::kUsageLimitsUnit));
  TRY(members.End());
  return limits;
}

Attribute MakeUsageLimits(const UsageLimits& limits) {
  ttlv::Writer out;
  out.Structure(Tag::kUsageLimits, [&] {
    out.LongInteger(Tag::kUsageLimitsTotal, limits.total);
    out.LongInteger(Tag::kUsageLimitsCount, limits.count);
    out.Enum(Tag::kUsageLimitsUnit, limits.unit);
  });
  Attribute attribute;
  attribute.tag = Tag::kUsageLimits;
  attribute.item = ToBytes(out.bytes());
  return attribute;
}

}  // namespace dare::engine
