#include "kmip/attributes.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {
namespace {

template <typename WriteValue>
Attribute Make(Tag tag, WriteValue write) {
  WipingBytes buffer;
  ttlv::Writer out(buffer);
  write(out);
  Attribute attribute;
  attribute.tag = tag;
  attribute.item.assign(buffer.begin(), buffer.end());
  return attribute;
}

// The vendor and the name of a vendor attribute's item; empty for any other.
std::pair<std::string_view, std::string_view> VendorName(const Attribute& attribute) {
  if (attribute.tag != Tag::kAttribute) return {};
  auto members = attribute.View().Members();
  if (!members) return {};
  auto vendor = members->Text(Tag::kVendorIdentification);
  if (!vendor) return {};
  auto name = members->Text(Tag::kAttributeName);
  if (!name) return {};
  return {*vendor, *name};
}

}  // namespace

ttlv::Item Attribute::View() const {
  ttlv::Reader reader = ttlv::Reader::Members(item);
  auto view = reader.Next();
  CHECK(view.has_value());
  return *view;
}

Attribute Attribute::OfInteger(Tag tag, std::int32_t value) {
  return Make(tag, [&](ttlv::Writer& out) { out.Integer(tag, value); });
}
Attribute Attribute::OfLongInteger(Tag tag, std::int64_t value) {
  return Make(tag, [&](ttlv::Writer& out) { out.LongInteger(tag, value); });
}
Attribute Attribute::OfEnumeration(Tag tag, std::uint32_t value) {
  return Make(tag, [&](ttlv::Writer& out) { out.Enumeration(tag, value); });
}
Attribute Attribute::OfBoolean(Tag tag, bool value) {
  return Make(tag, [&](ttlv::Writer& out) { out.Boolean(tag, value); });
}
Attribute Attribute::OfText(Tag tag, std::string_view value) {
  return Make(tag, [&](ttlv::Writer& out) { out.Text(tag, value); });
}
Attribute Attribute::OfBytes(Tag tag, ByteView value) {
  return Make(tag, [&](ttlv::Writer& out) { out.ByteString(tag, value); });
}
Attribute Attribute::OfDate(Tag tag, std::int64_t posix_seconds) {
  return Make(tag, [&](ttlv::Writer& out) { out.DateTime(tag, posix_seconds); });
}
Attribute Attribute::OfInterval(Tag tag, std::uint32_t seconds) {
  return Make(tag, [&](ttlv::Writer& out) { out.Interval(tag, seconds); });
}

Attribute Attribute::OfItem(const ttlv::Item& item, std::int32_t index) {
  Attribute attribute;
  attribute.tag = item.tag;
  attribute.index = index;
  attribute.item = ToBytes(item.whole);
  return attribute;
}

Attribute Attribute::OfName(std::string_view value, std::uint32_t name_type) {
  return Make(Tag::kName, [&](ttlv::Writer& out) {
    out.Structure(Tag::kName, [&] {
      out.Text(Tag::kNameValue, value);
      out.Enumeration(Tag::kNameType, name_type);
    });
  });
}

Attribute Attribute::OfLink(std::uint32_t link_type, std::string_view linked_object_id) {
  return Make(Tag::kLink, [&](ttlv::Writer& out) {
    out.Structure(Tag::kLink, [&] {
      out.Enumeration(Tag::kLinkType, link_type);
      out.Text(Tag::kLinkedObjectIdentifier, linked_object_id);
    });
  });
}

bool AttributeReference::Names(const Attribute& attribute) const {
  if (attribute.tag != tag) return false;
  if (tag != Tag::kAttribute) return true;
  const auto [attribute_vendor, attribute_name] = VendorName(attribute);
  return attribute_vendor == vendor && attribute_name == name;
}

AttributeReference ReferenceTo(const Attribute& attribute) {
  const auto [vendor, name] = VendorName(attribute);
  return {attribute.tag, std::string(vendor), std::string(name)};
}

const Attribute* AttributeSet::Find(Tag tag) const {
  for (const Attribute& attribute : attributes_) {
    if (attribute.tag == tag) return &attribute;
  }
  return nullptr;
}

const Attribute* AttributeSet::Find(const AttributeReference& reference, std::int32_t index) const {
  for (const Attribute& attribute : attributes_) {
    if (attribute.index == index && reference.Names(attribute)) return &attribute;
  }
  return nullptr;
}

std::size_t AttributeSet::Count(const AttributeReference& reference) const {
  return static_cast<std::size_t>(
      std::count_if(attributes_.begin(), attributes_.end(),
                    [&](const Attribute& attribute) { return reference.Names(attribute); }));
}

namespace {
template <typename T>
std::optional<T> Value(Result<T> result) {
  return result ? std::optional<T>(*result) : std::nullopt;
}
}  // namespace

std::optional<std::int32_t> AttributeSet::Integer(Tag tag) const {
  const Attribute* found = Find(tag);
  return found ? Value(found->View().AsInteger()) : std::nullopt;
}
std::optional<std::int64_t> AttributeSet::LongInteger(Tag tag) const {
  const Attribute* found = Find(tag);
  return found ? Value(found->View().AsLongInteger()) : std::nullopt;
}
std::optional<std::uint32_t> AttributeSet::Enumeration(Tag tag) const {
  const Attribute* found = Find(tag);
  return found ? Value(found->View().AsEnumeration()) : std::nullopt;
}
std::optional<bool> AttributeSet::Boolean(Tag tag) const {
  const Attribute* found = Find(tag);
  return found ? Value(found->View().AsBoolean()) : std::nullopt;
}
std::optional<std::string_view> AttributeSet::Text(Tag tag) const {
  const Attribute* found = Find(tag);
  return found ? Value(found->View().AsText()) : std::nullopt;
}
std::optional<std::int64_t> AttributeSet::Date(Tag tag) const {
  const Attribute* found = Find(tag);
  return found ? Value(found->View().AsDateTime()) : std::nullopt;
}

std::vector<std::string> AttributeSet::Names() const {
  std::vector<std::string> names;
  for (const Attribute& attribute : attributes_) {
    if (attribute.tag != Tag::kName) continue;
    auto members = attribute.View().Members();
    if (!members) continue;
    auto value = members->Text(Tag::kNameValue);
    if (value) names.emplace_back(*value);
  }
  return names;
}

void AttributeSet::Add(Attribute attribute) {
  const AttributeReference reference = ReferenceTo(attribute);
  std::int32_t next = 0;
  for (const Attribute& other : attributes_) {
    if (reference.Names(other)) next = std::max(next, other.index + 1);
  }
  attribute.index = next;
  attributes_.push_back(std::move(attribute));
}

void AttributeSet::Set(Attribute attribute) {
  const AttributeReference reference = ReferenceTo(attribute);
  attribute.index = 0;
  for (auto it = attributes_.begin(); it != attributes_.end(); ++it) {
    if (!reference.Names(*it)) continue;
    *it = std::move(attribute);
    attributes_.erase(
        std::remove_if(it + 1, attributes_.end(),
                       [&](const Attribute& other) { return reference.Names(other); }),
        attributes_.end());
    return;
  }
  attributes_.push_back(std::move(attribute));
}

bool AttributeSet::Replace(const AttributeReference& reference, std::int32_t index,
                           Attribute attribute) {
  for (Attribute& other : attributes_) {
    if (other.index != index || !reference.Names(other)) continue;
    attribute.index = index;
    other = std::move(attribute);
    return true;
  }
  return false;
}

bool AttributeSet::Remove(const AttributeReference& reference, std::int32_t index) {
  const auto found =
      std::find_if(attributes_.begin(), attributes_.end(), [&](const Attribute& attribute) {
        return attribute.index == index && reference.Names(attribute);
      });
  if (found == attributes_.end()) return false;
  attributes_.erase(found);
  return true;
}

void AttributeSet::RemoveAll(Tag tag) {
  std::erase_if(attributes_, [&](const Attribute& attribute) { return attribute.tag == tag; });
}

Bytes AttributeSet::Serialize() const {
  Bytes out;
  std::size_t size = 0;
  for (const Attribute& attribute : attributes_) size += 4 + attribute.item.size();
  out.reserve(size);
  for (const Attribute& attribute : attributes_) {
    std::uint8_t index[4];
    PutU32(index, static_cast<std::uint32_t>(attribute.index));
    Append(out, index);
    Append(out, attribute.item);
  }
  return out;
}

Result<AttributeSet> AttributeSet::Parse(ByteView serialized) {
  AttributeSet set;
  while (!serialized.empty()) {
    if (serialized.size() < 12) return Error(Code::kMalformed, "attributes cut short");
    const auto index = static_cast<std::int32_t>(GetU32(serialized.data()));
    ttlv::Reader reader = ttlv::Reader::Members(serialized.subspan(4));
    const ttlv::Item item = TRY(reader.Next());
    set.attributes_.push_back(Attribute::OfItem(item, index));
    serialized = serialized.subspan(4 + item.whole.size());
  }
  return set;
}

}  // namespace dare::kmip
