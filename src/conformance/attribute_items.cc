#include "conformance/attribute_items.h"

#include "conformance/value_text.h"

namespace dare::conformance {

using kmip::Tag;

std::string AttributeNameOf(const Node& item) {
  switch (item.tag) {
    case Tag::kAttribute: {
      const Node* name = item.Child(Tag::kAttributeName);
      const Node* vendor = item.Child(Tag::kVendorIdentification);
      if (name == nullptr) break;
      return (vendor != nullptr ? vendor->value.octets + "-" : "") + name->value.octets;
    }
    case Tag::kAttributeName:
      return item.value.octets;
    case Tag::kAttributeReference: {
      if (!item.is_structure()) return EnumerationText(item.tag, "", item.value.number);
      std::string joined;
      for (const Node& member : item.members) {
        joined += (joined.empty() ? "" : "-") + member.value.octets;
      }
      return joined;
    }
    default:
      break;
  }
  return TagText(item.tag);
}

std::string LabelOf(const Node& item) {
  std::string label = TagText(item.tag);
  if (item.is_structure()) {
    for (const Node& member : item.members) {
      if (member.tag == Tag::kAttributeName || member.tag == Tag::kVendorIdentification) {
        label += ' ' + member.value.octets;
      }
    }
  } else if (item.tag == Tag::kAttributeName || item.tag == Tag::kOperation ||
             item.tag == Tag::kObjectType) {
    label += ' ' + WriteValue(item, "");
  }
  return label;
}

std::string Describe(const Node* item) {
  if (item == nullptr) return "nothing";
  const std::string name = TagText(item->tag);
  if (!item->is_structure()) return name + ' ' + ShowValue(*item, "");
  const std::string inner = AttributeNameOf(*item);
  return inner == name ? name : name + ' ' + inner;
}

}  // namespace dare::conformance
