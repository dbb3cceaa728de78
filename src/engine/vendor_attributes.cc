#include "engine/vendor_attributes.h"

#include <string>
#include <vector>

#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {

using kmip::Tag;

kmip::AttributeReference ClientAttribute(std::string_view name) {
  return {Tag::kAttribute, std::string(kClientVendor), std::string(name)};
}

kmip::AttributeReference ServerAttribute(std::string_view name) {
  return {Tag::kAttribute, std::string(kServerVendor), std::string(name)};
}

kmip::Attribute MakeServerAttribute(std::string_view name, std::string_view text) {
  ttlv::Writer out;
  out.Structure(Tag::kAttribute, [&] {
    out.Text(Tag::kVendorIdentification, kServerVendor);
    out.Text(Tag::kAttributeName, name);
    out.Text(Tag::kAttributeValue, text);
  });
  return kmip::Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

void RemoveServerAttributes(kmip::AttributeSet& attributes) {
  const std::vector<kmip::Attribute> all = attributes.all();
  for (const kmip::Attribute& attribute : all) {
    const kmip::AttributeReference reference = kmip::ReferenceTo(attribute);
    if (reference.tag == Tag::kAttribute && reference.vendor == kServerVendor &&
        reference.name.starts_with(kOurAttributes)) {
      attributes.Remove(reference, attribute.index);
    }
  }
}

}  // namespace dare::engine
