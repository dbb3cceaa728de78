#include "kmip/constraint.h"

#include <utility>

#include "kmip/dialect.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

Result<Constraint> ReadConstraint(ttlv::Reader& in, ProtocolVersion version) {
  ttlv::Reader members = TRY(in.Structure(Tag::kConstraint));
  Constraint constraint;
  if (members.At(Tag::kObjectTypes)) {
    ttlv::Reader types = TRY(members.Structure(Tag::kObjectTypes));
    while (!types.AtEnd()) {
      constraint.object_types.push_back(TRY(types.Enum<ObjectType>(Tag::kObjectType)));
    }
  }
  if (members.At(Tag::kObjectGroups)) {
    ttlv::Reader groups = TRY(members.Structure(Tag::kObjectGroups));
    while (!groups.AtEnd()) {
      constraint.object_groups.emplace_back(TRY(groups.Text(Tag::kObjectGroup)));
    }
  }
  if (members.At(Tag::kAttributes)) {
    constraint.attributes = TRY(ReadAttributes(members, version)).attributes;
  }
  TRY(members.End());
  return constraint;
}

void WriteConstraint(ttlv::Writer& out, const Constraint& constraint, ProtocolVersion version) {
  out.Structure(Tag::kConstraint, [&] {
    if (!constraint.object_types.empty()) {
      out.Structure(Tag::kObjectTypes, [&] {
        for (const ObjectType type : constraint.object_types) out.Enum(Tag::kObjectType, type);
      });
    }
    if (!constraint.object_groups.empty()) {
      out.Structure(Tag::kObjectGroups, [&] {
        for (const std::string& group : constraint.object_groups) {
          out.Text(Tag::kObjectGroup, group);
        }
      });
    }
    if (!constraint.attributes.empty()) WriteAttributes(out, version, constraint.attributes);
  });
}

}  // namespace

Result<std::vector<Constraint>> ReadConstraints(ttlv::Reader& in, ProtocolVersion version) {
  ttlv::Reader members = TRY(in.Structure(Tag::kConstraints));
  std::vector<Constraint> constraints;
  while (!members.AtEnd()) {
    constraints.push_back(TRY(ReadConstraint(members, version)));
    if (constraints.size() > kMostConstraints) {
      return Reject(ResultReason::kInvalidField, "too many Constraints");
    }
  }
  return constraints;
}

void WriteConstraints(ttlv::Writer& out, const std::vector<Constraint>& constraints,
                      ProtocolVersion version) {
  out.Structure(Tag::kConstraints, [&] {
    for (const Constraint& constraint : constraints) WriteConstraint(out, constraint, version);
  });
}

}  // namespace dare::kmip
