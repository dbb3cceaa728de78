#pragma once

#include <string>
#include <vector>

#include "kmip/attributes.h"
#include "store/object_store.h"

namespace dare::engine {

// What the store may look an object up by: names (unique for an owner), groups, links, vendor
// attributes, alternative and friendly names, application data, and who a certificate is of and
// from; and which the server rotates by itself, by their interval. Each costs a row, so only what
// people search by, and nothing that every object has. Never the Digest: the store must not see
// hashes of key material.
std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::AttributeSet& attributes);

// The entry that an object with this attribute would have; nothing when the attribute is not
// indexed, or not given in full. Locate asks the store with it: whatever matches the attribute has
// the entry.
std::vector<store::IndexEntry> IndexEntriesOf(const std::string& owner,
                                              const kmip::Attribute& attribute);

}  // namespace dare::engine
