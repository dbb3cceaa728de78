#pragma once

#include <string>
#include <vector>

#include "kmip/attributes.h"
#include "store/object_store.h"

namespace dare::engine {

// What the store may look an object up by: names (unique for an owner), groups, links, and vendor
// attributes.
std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::AttributeSet& attributes);

// The entry that an object with this attribute would have; nothing when the attribute is not
// indexed. Locate asks the store with it.
std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::Attribute& attribute);

}  // namespace dare::engine
