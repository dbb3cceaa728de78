#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ttlv/tag.h"

namespace dare::ttlv {

// A Vocabulary tells the text encodings (XML, JSON) the names they write instead of numbers. This
// folder knows none: src/kmip has KMIP's. Names are the normalised ones of the encodings
// ("UniqueIdentifier", "AES", "WrapKey"). Thread-safe.
//
// A *field* is the tag under which a value's names are listed, mostly the item's own. Some items
// carry the value of another field: one that the first member of their structure names (Attribute
// Value behind Attribute Name), or always the same.
class Vocabulary {
 public:
  virtual ~Vocabulary() = default;

  // Empty when the tag has none.
  virtual std::string_view TagName(kmip::Tag tag) const = 0;
  virtual std::optional<kmip::Tag> TagByName(std::string_view name) const = 0;

  // The field that the text item `tag` with the value `text` names, as the first member of a
  // structure, for the members behind it; tag 0 when it names none.
  virtual kmip::Tag NamedField(kmip::Tag tag, std::string_view text) const = 0;
  // The field whose names the values of `tag` have. `named` is what NamedField gave, or tag 0.
  virtual kmip::Tag FieldOf(kmip::Tag tag, kmip::Tag named) const = 0;

  // Of an enumeration's value. Empty or nothing when there is none.
  virtual std::string_view EnumName(kmip::Tag field, std::uint32_t value) const = 0;
  virtual std::optional<std::uint32_t> EnumByName(kmip::Tag field, std::string_view name) const = 0;

  // True when the Integers of `field` are sets of named bits.
  virtual bool IsMask(kmip::Tag field) const = 0;
  // Of a single bit.
  virtual std::string_view MaskName(kmip::Tag field, std::uint32_t bit) const = 0;
  virtual std::optional<std::uint32_t> MaskByName(kmip::Tag field, std::string_view name) const = 0;
};

}  // namespace dare::ttlv
