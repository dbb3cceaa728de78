#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "ttlv/item.h"
#include "ttlv/tag.h"

namespace dare::kmip {

// One attribute instance, in the form of KMIP 2.x: a whole TTLV item under the attribute's own tag.
// A vendor (1.x: custom) attribute is an item under Tag::kAttribute: Vendor Identification,
// Attribute Name, Attribute Value.
struct Attribute {
  Tag tag{};
  std::int32_t index =
      0;       // Attribute Index of 1.x; an instance keeps its own for life (kmip-1.4 2.1.1)
  Bytes item;  // header, value and padding

  // The item, borrowed from `item`, which is well-formed by construction.
  ttlv::Item View() const;

  static Attribute OfInteger(Tag tag, std::int32_t value);
  static Attribute OfLongInteger(Tag tag, std::int64_t value);
  static Attribute OfEnumeration(Tag tag, std::uint32_t value);
  static Attribute OfBoolean(Tag tag, bool value);
  static Attribute OfText(Tag tag, std::string_view value);
  static Attribute OfBytes(Tag tag, ByteView value);
  static Attribute OfDate(Tag tag, std::int64_t posix_seconds);
  static Attribute OfInterval(Tag tag, std::uint32_t seconds);
  // Copies `item`, an item in 2.x form, as it is.
  static Attribute OfItem(const ttlv::Item& item, std::int32_t index = 0);
  // Name {Name Value, Name Type}; type 1 is Uninterpreted Text String.
  static Attribute OfName(std::string_view value, std::uint32_t name_type = 1);
  // Link {Link Type, Linked Object Identifier}.
  static Attribute OfLink(std::uint32_t link_type, std::string_view linked_object_id);

  bool operator==(const Attribute& other) const { return tag == other.tag && item == other.item; }
};

// Names one kind of attribute: a tag, or a vendor's own (then tag is Tag::kAttribute).
struct AttributeReference {
  Tag tag{};
  std::string vendor;  // "x" client, "y" server, or any of 2.x; empty for standard attributes
  std::string name;    // of a vendor attribute, without the prefix of 1.x

  bool Names(const Attribute& attribute) const;
  bool operator==(const AttributeReference&) const = default;
};
AttributeReference ReferenceTo(const Attribute& attribute);

// The attributes of one managed object, or of one request. Keeps the order in which they came.
// A value type; not thread-safe for writing.
class AttributeSet {
 public:
  const std::vector<Attribute>& all() const { return attributes_; }
  bool empty() const { return attributes_.empty(); }

  // The first instance, or null.
  const Attribute* Find(Tag tag) const;
  const Attribute* Find(const AttributeReference& reference, std::int32_t index) const;
  bool Has(Tag tag) const { return Find(tag) != nullptr; }
  std::size_t Count(const AttributeReference& reference) const;

  // The first instance's value; nothing when absent.
  std::optional<std::int32_t> Integer(Tag tag) const;
  std::optional<std::int64_t> LongInteger(Tag tag) const;
  std::optional<std::uint32_t> Enumeration(Tag tag) const;
  std::optional<bool> Boolean(Tag tag) const;
  std::optional<std::string_view> Text(Tag tag) const;  // borrowed from this set
  std::optional<std::int64_t> Date(Tag tag) const;
  template <typename E>
  std::optional<E> Enum(Tag tag) const {
    const auto value = Enumeration(tag);
    return value ? std::optional<E>(static_cast<E>(*value)) : std::nullopt;
  }
  // Name Values, in order.
  std::vector<std::string> Names() const;

  // Appends an instance with the next free index of its kind.
  void Add(Attribute attribute);
  // Makes `attribute` the only instance of its kind.
  void Set(Attribute attribute);
  // Replaces the instance with `reference` and `index`; false when there is none.
  bool Replace(const AttributeReference& reference, std::int32_t index, Attribute attribute);
  bool Remove(const AttributeReference& reference, std::int32_t index);
  void RemoveAll(Tag tag);

  // How records and caches keep a set: for each attribute u32 index || item
  // (docs/formats/record.md).
  Bytes Serialize() const;
  static Result<AttributeSet> Parse(ByteView serialized);

 private:
  std::vector<Attribute> attributes_;
};

}  // namespace dare::kmip
