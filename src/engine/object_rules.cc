#include "engine/object_rules.h"

#include <algorithm>
#include <string>
#include <utility>

#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::Constraint;
using kmip::ObjectDefaults;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr char kConstraintsKind[] = "constraints";
constexpr char kDefaultsKind[] = "defaults";

std::vector<std::string> GroupsOf(const AttributeSet& attributes) {
  std::vector<std::string> groups;
  for (const Attribute& attribute : attributes.all()) {
    if (attribute.tag != Tag::kObjectGroup) continue;
    if (const auto group = attribute.View().AsText()) groups.emplace_back(*group);
  }
  return groups;
}

bool ForType(const std::vector<ObjectType>& types, ObjectType type) {
  return types.empty() || std::ranges::find(types, type) != types.end();
}

bool Share(const std::vector<std::string>& wanted, const std::vector<std::string>& groups) {
  return std::ranges::any_of(wanted, [&](const std::string& group) {
    return std::ranges::find(groups, group) != groups.end();
  });
}

bool Satisfies(const AttributeSet& attributes, const Constraint& constraint) {
  return std::ranges::all_of(constraint.attributes.all(), [&](const Attribute& wanted) {
    return std::ranges::find(attributes.all(), wanted) != attributes.all().end();
  });
}

}  // namespace

Result<std::vector<Constraint>> LoadConstraints(const OperationContext& context) {
  const std::optional<Bytes> kept = TRY(context.LoadRules(kConstraintsKind));
  if (!kept) return std::vector<Constraint>();
  ttlv::Reader in = ttlv::Reader::Members(*kept);
  return kmip::ReadConstraints(in, kmip::kVersion2_1);
}

Result<void> SaveConstraints(const std::vector<Constraint>& constraints,
                             OperationContext& context) {
  ttlv::Writer out;
  if (!constraints.empty()) kmip::WriteConstraints(out, constraints, kmip::kVersion2_1);
  return context.SaveRules(kConstraintsKind, out.bytes());
}

Result<std::vector<ObjectDefaults>> LoadDefaults(const OperationContext& context) {
  const std::optional<Bytes> kept = TRY(context.LoadRules(kDefaultsKind));
  if (!kept) return std::vector<ObjectDefaults>();
  ttlv::Reader in = ttlv::Reader::Members(*kept);
  return kmip::ReadDefaultsInformation(in, kmip::kVersion2_1);
}

Result<void> SaveDefaults(const std::vector<ObjectDefaults>& defaults, OperationContext& context) {
  ttlv::Writer out;
  if (!defaults.empty()) kmip::WriteDefaultsInformation(out, defaults, kmip::kVersion2_1);
  return context.SaveRules(kDefaultsKind, out.bytes());
}

Result<void> CheckConstraints(const kmip::ManagedObject& object, const OperationContext& context) {
  std::vector<Constraint> constraints = TRY(LoadConstraints(context));
  const std::vector<std::string> groups = GroupsOf(object.attributes);
  std::erase_if(constraints, [&](const Constraint& constraint) {
    return !ForType(constraint.object_types, object.type) ||
           (!constraint.object_groups.empty() && !Share(constraint.object_groups, groups));
  });
  const bool specific = std::ranges::any_of(
      constraints, [](const Constraint& constraint) { return !constraint.object_groups.empty(); });
  for (const Constraint& constraint : constraints) {
    if (specific && constraint.object_groups.empty()) continue;
    if (Satisfies(object.attributes, constraint)) continue;
    return Reject(ResultReason::kConstraintViolation, "a constraint on new objects is not met");
  }
  return {};
}

Result<AttributeSet> WithDefaults(AttributeSet given, ObjectType type,
                                  const OperationContext& context) {
  const std::vector<ObjectDefaults> defaults = TRY(LoadDefaults(context));
  const std::vector<std::string> groups = GroupsOf(given);
  const AttributeSet asked = given;
  for (const ObjectDefaults& one : defaults) {
    if (!ForType(one.object_types, type)) continue;
    if (!one.object_groups.empty() && !Share(one.object_groups, groups)) continue;
    for (const Attribute& attribute : one.attributes.all()) {
      const kmip::AttributeReference reference = kmip::ReferenceTo(attribute);
      if (asked.Count(reference) == 0) given.Add(attribute);
    }
  }
  return given;
}

}  // namespace dare::engine
