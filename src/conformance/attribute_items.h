#pragma once

#include <string>

#include "conformance/tree.h"

namespace dare::conformance {

// What an item of an attribute list is called.

// The attribute an item is or names: "Cryptographic Length" of an Attribute or Attribute Name,
// "vendor-name" of a vendor's, else the name of the tag.
std::string AttributeNameOf(const Node& item);
// What tells one item of a set from another: its tag, and the name or number it goes by.
std::string LabelOf(const Node& item);
// The item for a person; "nothing" for null.
std::string Describe(const Node* item);

}  // namespace dare::conformance
