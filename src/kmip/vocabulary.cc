#include "kmip/vocabulary.h"

#include "kmip/names.h"
#include "kmip/pkcs11_names.h"

namespace dare::kmip {
namespace {

class KmipVocabulary : public ttlv::Vocabulary {
 public:
  std::string_view TagName(Tag tag) const override { return kmip::TagName(tag); }
  std::optional<Tag> TagByName(std::string_view name) const override {
    return kmip::TagByName(name);
  }

  // Attribute { Attribute Name, Attribute Index, Attribute Value } of 1.x. In 2.x only vendor
  // attributes look like that, and a Vendor Identification stands before the name.
  Tag NamedField(Tag tag, std::string_view text) const override {
    if (tag != Tag::kAttributeName) return Tag{};
    return TagBySpecName(text).value_or(Tag{});
  }

  Tag FieldOf(Tag tag, Tag named) const override {
    switch (tag) {
      case Tag::kAttributeValue:
        return named;
      // kmip-2.1 4.31 Link, table 90: an Enumeration here is the Unique Identifier Enumeration.
      case Tag::kLinkedObjectIdentifier:
        return Tag::kUniqueIdentifier;
      default:
        return tag;
    }
  }

  std::string_view EnumName(Tag field, std::uint32_t value) const override {
    switch (field) {
      case Tag::kAttributeReference:
        return kmip::TagName(static_cast<Tag>(value));
      case Tag::kPKCS_11Function:
        return Pkcs11FunctionName(value);
      case Tag::kPKCS_11ReturnCode:
        return Pkcs11ReturnCodeName(value);
      default:
        return kmip::EnumName(field, value);
    }
  }

  std::optional<std::uint32_t> EnumByName(Tag field, std::string_view name) const override {
    switch (field) {
      case Tag::kAttributeReference: {
        const auto tag = kmip::TagByName(name);
        if (!tag) return std::nullopt;
        return static_cast<std::uint32_t>(*tag);
      }
      case Tag::kPKCS_11Function:
        return Pkcs11FunctionByName(name);
      case Tag::kPKCS_11ReturnCode:
        return Pkcs11ReturnCodeByName(name);
      default:
        return kmip::EnumByName(field, name);
    }
  }

  bool IsMask(Tag field) const override { return kmip::IsMask(field); }
  std::string_view MaskName(Tag field, std::uint32_t bit) const override {
    return kmip::MaskName(field, bit);
  }
  std::optional<std::uint32_t> MaskByName(Tag field, std::string_view name) const override {
    return kmip::MaskByName(field, name);
  }
};

}  // namespace

const ttlv::Vocabulary& Vocabulary() {
  static const KmipVocabulary vocabulary;
  return vocabulary;
}

}  // namespace dare::kmip
