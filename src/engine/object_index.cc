#include "engine/object_index.h"

#include "engine/lifecycle.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::engine {

using kmip::Tag;

std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::Attribute& attribute) {
  std::string key;
  switch (attribute.tag) {
    case Tag::kName: {
      auto members = attribute.View().Members();
      if (!members) return {};
      auto value = members->Text(Tag::kNameValue);
      if (!value) return {};
      key = std::string(*value);
      break;
    }
    case Tag::kObjectGroup:
    case Tag::kLink:
    case Tag::kAttribute: {
      const ByteView value = attribute.View().value;
      key = std::string(AsText(value));
      break;
    }
    default:
      return {};
  }
  if (key.empty() || key.size() > store::kMaxIndexKey) return {};
  return {{.tag = static_cast<std::uint32_t>(attribute.tag),
           .key = std::move(key),
           .scope = owner,
           .unique = attribute.tag == Tag::kName}};
}

std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::AttributeSet& attributes) {
  std::vector<store::IndexEntry> entries;
  const bool destroyed =
      IsDestroyed(attributes.Enum<kmip::State>(Tag::kState).value_or(kmip::State::kPreActive));
  for (const kmip::Attribute& attribute : attributes.all()) {
    // What is destroyed keeps its name as an attribute, and leaves it to a successor.
    if (destroyed && attribute.tag == Tag::kName) continue;
    for (store::IndexEntry& entry : IndexEntriesOf(owner, attribute)) {
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

}  // namespace dare::engine
