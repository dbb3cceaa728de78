#pragma once

#include "ttlv/vocabulary.h"

namespace dare::ttlv {

// A language of eight words, so that this folder's tests need no KMIP.
class VocabularyForTest : public Vocabulary {
 public:
  static constexpr auto kBox = static_cast<kmip::Tag>(0x420001);
  static constexpr auto kColour = static_cast<kmip::Tag>(0x420002);    // Red 1, Green 2, 3D 3
  static constexpr auto kUses = static_cast<kmip::Tag>(0x420003);      // Read 1, Write 2
  static constexpr auto kLabel = static_cast<kmip::Tag>(0x420004);     // names a field
  static constexpr auto kAnything = static_cast<kmip::Tag>(0x420005);  // has that field's value
  static constexpr auto kNumber = static_cast<kmip::Tag>(0x420006);
  static constexpr auto kNameless = static_cast<kmip::Tag>(0x540001);

  std::string_view TagName(kmip::Tag tag) const override {
    for (const auto& word : kWords) {
      if (word.tag == tag) return word.name;
    }
    return {};
  }
  std::optional<kmip::Tag> TagByName(std::string_view name) const override {
    for (const auto& word : kWords) {
      if (word.name == name) return word.tag;
    }
    return std::nullopt;
  }
  kmip::Tag NamedField(kmip::Tag tag, std::string_view text) const override {
    return tag == kLabel ? TagByName(text).value_or(kmip::Tag{}) : kmip::Tag{};
  }
  kmip::Tag FieldOf(kmip::Tag tag, kmip::Tag named) const override {
    return tag == kAnything ? named : tag;
  }
  std::string_view EnumName(kmip::Tag field, std::uint32_t value) const override {
    if (field != kColour) return {};
    return value == 1 ? "Red" : value == 2 ? "Green" : value == 3 ? "3D" : "";
  }
  std::optional<std::uint32_t> EnumByName(kmip::Tag field, std::string_view name) const override {
    for (std::uint32_t value = 1; value <= 3; ++value) {
      if (field == kColour && EnumName(field, value) == name) return value;
    }
    return std::nullopt;
  }
  bool IsMask(kmip::Tag field) const override { return field == kUses; }
  std::string_view MaskName(kmip::Tag field, std::uint32_t bit) const override {
    if (field != kUses) return {};
    return bit == 1 ? "Read" : bit == 2 ? "Write" : "";
  }
  std::optional<std::uint32_t> MaskByName(kmip::Tag field, std::string_view name) const override {
    if (field != kUses) return std::nullopt;
    if (name == "Read") return 1;
    if (name == "Write") return 2;
    return std::nullopt;
  }

 private:
  struct Word {
    kmip::Tag tag;
    std::string_view name;
  };
  static constexpr Word kWords[] = {{kBox, "Box"},       {kColour, "Colour"},
                                    {kUses, "Uses"},     {kLabel, "Label"},
                                    {kNumber, "Number"}, {kAnything, "Anything"}};
};

}  // namespace dare::ttlv
