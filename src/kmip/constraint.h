#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "kmip/attributes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Constraint (kmip-2.1 7.6): what new objects of some types, in some groups, must be like.
struct Constraint {
  std::vector<ObjectType> object_types;    // empty: of all
  std::vector<std::string> object_groups;  // empty: whatever their groups
  AttributeSet attributes;
};

inline constexpr std::size_t kMostConstraints = 64;

// Constraints; Invalid Field over kMostConstraints of them.
Result<std::vector<Constraint>> ReadConstraints(ttlv::Reader& in, ProtocolVersion version);
void WriteConstraints(ttlv::Writer& out, const std::vector<Constraint>& constraints,
                      ProtocolVersion version);

}  // namespace dare::kmip
