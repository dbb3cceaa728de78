#include "engine/operations/adjust_attribute.h"

#include <limits>
#include <optional>
#include <utility>

#include "engine/attribute_change.h"
#include "kmip/attribute_table.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::AdjustmentType;
using kmip::Attribute;
using kmip::AttributeReference;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;
using ttlv::Type;

// A number or date, widened; what its type can hold.
struct Numeric {
  Type type{};
  std::int64_t value = 0;
  std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  std::int64_t highest = std::numeric_limits<std::int64_t>::max();
};

Error WrongType() {
  return Reject(ResultReason::kInvalidDataType, "an attribute of this type cannot be adjusted so");
}

Result<Numeric> Widen(Type type, const std::optional<ttlv::Item>& item) {
  Numeric number{.type = type};
  switch (type) {
    case Type::kInteger:
      number.lowest = std::numeric_limits<std::int32_t>::min();
      number.highest = std::numeric_limits<std::int32_t>::max();
      if (item) number.value = TRY(item->AsInteger());
      return number;
    case Type::kLongInteger:
      if (item) number.value = TRY(item->AsLongInteger());
      return number;
    case Type::kInterval:
      number.lowest = 0;
      number.highest = std::numeric_limits<std::uint32_t>::max();
      if (item) number.value = TRY(item->AsInterval());
      return number;
    case Type::kDateTime:
      if (item) number.value = TRY(item->AsDateTime());
      return number;
    case Type::kDateTimeExtended:
      if (item) number.value = TRY(item->AsDateTimeExtended());
      return number;
    default:
      return WrongType();
  }
}

void Write(ttlv::Writer& out, Tag tag, const Numeric& number) {
  switch (number.type) {
    case Type::kInteger:
      return out.Integer(tag, static_cast<std::int32_t>(number.value));
    case Type::kLongInteger:
      return out.LongInteger(tag, number.value);
    case Type::kInterval:
      return out.Interval(tag, static_cast<std::uint32_t>(number.value));
    case Type::kDateTime:
      return out.DateTime(tag, number.value);
    default:
      return out.DateTimeExtended(tag, number.value);
  }
}

// kmip-2.1 11.1 Adjustment Type: Increment and Decrement for numbers, intervals and dates, Negate
// for numbers (and Booleans).
Result<void> Compute(Numeric& number, AdjustmentType type, std::int64_t by) {
  bool overflow = false;
  switch (type) {
    case AdjustmentType::kIncrement:
      overflow = __builtin_add_overflow(number.value, by, &number.value);
      break;
    case AdjustmentType::kDecrement:
      overflow = __builtin_sub_overflow(number.value, by, &number.value);
      break;
    case AdjustmentType::kNegate:
      if (number.type != Type::kInteger && number.type != Type::kLongInteger) return WrongType();
      overflow = __builtin_sub_overflow(std::int64_t{0}, number.value, &number.value);
      break;
    default:
      return Reject(ResultReason::kInvalidField, "unknown Adjustment Type");
  }
  if (overflow || number.value < number.lowest || number.value > number.highest) {
    return Reject(ResultReason::kNumericRange, "the attribute cannot hold the result");
  }
  return {};
}

// The value inside of a vendor attribute; the whole item of any other.
Result<ttlv::Item> ValueOf(const Attribute& attribute) {
  const ttlv::Item item = attribute.View();
  if (attribute.tag != Tag::kAttribute) return item;
  ttlv::Reader members = TRY(item.Members());
  TRY(members.Text(Tag::kVendorIdentification));
  TRY(members.Text(Tag::kAttributeName));
  return members.Any(Tag::kAttributeValue);
}

// `write` writes the value under the tag it is given, in place of the one in `reference`.
template <typename WriteValue>
Attribute MakeValue(const AttributeReference& reference, WriteValue write) {
  ttlv::Writer out;
  if (reference.tag == Tag::kAttribute) {
    out.Structure(Tag::kAttribute, [&] {
      out.Text(Tag::kVendorIdentification, reference.vendor);
      out.Text(Tag::kAttributeName, reference.name);
      write(out, Tag::kAttributeValue);
    });
  } else {
    write(out, reference.tag);
  }
  Attribute attribute;
  attribute.tag = reference.tag;
  attribute.item = ToBytes(out.bytes());
  return attribute;
}

//= kmip-2.1 6.1.3 Adjust Attribute
//# If the object did not have value for the attribute, the previous value is assumed to be a 0 for
//# numeric types and intervals, or false for Boolean, otherwise an error is raised.
Result<Type> TypeWithoutValue(const kmip::AdjustAttributeRequest& request,
                              kmip::ProtocolVersion version) {
  const AttributeReference& reference = request.reference;
  if (reference.tag == Tag::kAttribute) {
    if (!request.value) {
      return Reject(ResultReason::kItemNotFound, "the object has no such attribute");
    }
    return request.value->type;
  }
  const kmip::AttributeRule* rule = kmip::AttributeByTag(reference.tag);
  if (rule == nullptr || !rule->ExistsIn(version)) {
    return Reject(ResultReason::kUnsupportedAttribute, "no such attribute");
  }
  if (rule->type == Type::kDateTime || rule->type == Type::kDateTimeExtended) {
    return Reject(ResultReason::kItemNotFound, "the object has no such date");
  }
  return rule->type;
}

Result<Attribute> Adjusted(const kmip::AdjustAttributeRequest& request,
                           const std::optional<ttlv::Item>& before, Type type) {
  if (type == Type::kBoolean) {
    if (request.type != AdjustmentType::kNegate) return WrongType();
    const bool value = before ? TRY(before->AsBoolean()) : false;
    return MakeValue(request.reference,
                     [&](ttlv::Writer& out, Tag tag) { out.Boolean(tag, !value); });
  }
  Numeric number = TRY(Widen(type, before));
  std::int64_t by = 1;
  if (request.value) {
    // A date is moved by a number of seconds, or by what its own type can say.
    const Type value_type = request.value->type;
    if (value_type != type && !(type == Type::kDateTime && value_type == Type::kInterval)) {
      return WrongType();
    }
    by = TRY(Widen(value_type, request.value)).value;
  }
  TRY(Compute(number, request.type, by));
  return MakeValue(request.reference, [&](ttlv::Writer& out, Tag tag) { Write(out, tag, number); });
}

}  // namespace

Result<kmip::AdjustAttributeResponse> AdjustAttribute(const kmip::AdjustAttributeRequest& request,
                                                      OperationContext& context) {
  const ObjectPointer stored = TRY(context.Open(request.id));
  AttributeChange change(*stored, context);
  const std::size_t count = change.attributes().Count(request.reference);
  if (count > 1) {
    return Reject(ResultReason::kMultiValuedAttribute, "the attribute has several values");
  }
  std::optional<ttlv::Item> before;
  Attribute held;
  if (count == 1) {
    for (const Attribute& attribute : change.attributes().all()) {
      if (request.reference.Names(attribute)) held = attribute;
    }
    before = TRY(ValueOf(held));
  }
  const Type type = before ? before->type : TRY(TypeWithoutValue(request, context.version()));
  Attribute value = TRY(Adjusted(request, before, type));
  TRY(change.Adjust(request.reference, std::move(value)));
  TRY(change.Store());
  context.Answered(stored->object.id);
  return kmip::AdjustAttributeResponse{.id = stored->object.id};
}

}  // namespace dare::engine
