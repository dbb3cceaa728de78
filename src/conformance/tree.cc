#include "conformance/tree.h"

#include <fmt/format.h>

#include <array>

#include "kmip/names.h"

namespace dare::conformance {
namespace {

using kmip::Tag;

constexpr std::array<std::string_view, 15> kTypeNames = {
    "",           "Structure",  "Integer",      "LongInteger", "BigInteger", "Enumeration",
    "Boolean",    "TextString", "ByteString",   "DateTime",    "Interval",   "DateTimeExtended",
    "Identifier", "Reference",  "NameReference"};

}  // namespace

std::string_view TypeName(Type type) {
  const auto number = static_cast<std::size_t>(type);
  return number < kTypeNames.size() ? kTypeNames[number] : std::string_view();
}

bool TypeByName(std::string_view name, Type& type) {
  for (std::size_t i = 1; i < kTypeNames.size(); ++i) {
    if (kTypeNames[i] != name) continue;
    type = static_cast<Type>(i);
    return true;
  }
  return false;
}

bool IsText(Type type) {
  return type == Type::kTextString || type == Type::kReference || type == Type::kIdentifier ||
         type == Type::kNameReference;
}

bool HasOctets(Type type) {
  return IsText(type) || type == Type::kByteString || type == Type::kBigInteger;
}

const Node* Node::Child(Tag wanted) const {
  for (const Node& member : members) {
    if (member.tag == wanted) return &member;
  }
  return nullptr;
}

Node* Node::Child(Tag wanted) {
  for (Node& member : members) {
    if (member.tag == wanted) return &member;
  }
  return nullptr;
}

std::vector<const Node*> Node::Children(Tag wanted) const {
  std::vector<const Node*> found;
  for (const Node& member : members) {
    if (member.tag == wanted) found.push_back(&member);
  }
  return found;
}

std::string TagText(Tag tag) {
  const std::string_view name = kmip::TagName(tag);
  return name.empty() ? fmt::format("0x{:06X}", static_cast<std::uint32_t>(tag))
                      : std::string(name);
}

}  // namespace dare::conformance
