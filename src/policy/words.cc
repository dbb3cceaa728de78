#include <algorithm>
#include <array>
#include <utility>

#include "kmip/names.h"
#include "policy/document.h"

namespace dare::policy {
namespace {

using Kind = OperationWord::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> kSets = {{{"read", Kind::kRead},
                                                                     {"use", Kind::kUse},
                                                                     {"manage", Kind::kManage},
                                                                     {"make", Kind::kMake},
                                                                     {"all", Kind::kAll}}};
constexpr std::string_view kPrincipal = "principal:", kGroup = "group:", kRole = "role:";

Error Unknown(std::string_view text, std::string_view what) {
  return Error(Code::kInvalidArgument,
               "'" + std::string(text.substr(0, 64)) + "' is " + std::string(what));
}

}  // namespace

Result<OperationWord> ParseOperationWord(std::string_view text) {
  for (const auto& [word, kind] : kSets) {
    if (word == text) return OperationWord{.kind = kind};
  }
  const auto number = kmip::EnumByName(kmip::Tag::kOperation, text);
  if (!number) return Unknown(text, "no operation, nor read, use, manage, make or all");
  const auto operation = static_cast<kmip::Operation>(*number);
  const OperationClass what = ClassOf(operation);
  if (what == OperationClass::kUnknown) return Unknown(text, "an operation that is not offered");
  if (what == OperationClass::kSession) {
    return Unknown(text, "an operation that every principal may ask for");
  }
  return OperationWord{.kind = Kind::kOne, .operation = operation};
}

std::string TextOf(const OperationWord& word) {
  for (const auto& [text, kind] : kSets) {
    if (kind == word.kind) return std::string(text);
  }
  return std::string(
      kmip::EnumName(kmip::Tag::kOperation, static_cast<std::uint32_t>(word.operation)));
}

Result<Subject> ParseSubject(std::string_view text) {
  Subject subject;
  if (text.starts_with(kRole)) {
    const auto role = RoleByName(text.substr(kRole.size()));
    if (!role) return Unknown(text, "no role");
    subject.kind = Subject::Kind::kRole;
    subject.role = *role;
    return subject;
  }
  if (text.starts_with(kGroup)) {
    subject.kind = Subject::Kind::kGroup;
    subject.name = TRY(NamePattern::Parse(text.substr(kGroup.size())));
    if (!subject.name.exact()) return Unknown(text, "a pattern, and groups are named exactly");
    return subject;
  }
  if (!text.starts_with(kPrincipal)) {
    return Unknown(text, "neither principal:NAME, group:NAME nor role:NAME");
  }
  subject.name = TRY(NamePattern::Parse(text.substr(kPrincipal.size())));
  return subject;
}

std::string TextOf(const Subject& subject) {
  switch (subject.kind) {
    case Subject::Kind::kRole:
      return std::string(kRole) + std::string(RoleName(subject.role));
    case Subject::Kind::kGroup:
      return std::string(kGroup) + subject.name.text();
    case Subject::Kind::kPrincipal:
      break;
  }
  return std::string(kPrincipal) + subject.name.text();
}

}  // namespace dare::policy
