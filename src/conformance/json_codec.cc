#include "conformance/json_codec.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "conformance/value_text.h"
#include "kmip/names.h"

namespace dare::conformance {
namespace {

namespace json = boost::json;
using kmip::Tag;

constexpr int kDeepest = 64;
// Numbers from here on lose digits in readers that keep them as floating point.
constexpr std::int64_t kLargestPlainNumber = std::int64_t{1} << 52;

std::string_view View(const json::string& text) { return {text.data(), text.size()}; }

Result<std::string_view> TextOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains({key.data(), key.size()});
  if (value == nullptr) return std::string_view();
  if (!value->is_string()) return Error(Code::kMalformed, fmt::format("\"{}\" is no string", key));
  return View(value->get_string());
}

Result<Tag> TagOf(const json::object& object) {
  const std::string_view name = TRY(TextOf(object, "tag"));
  if (name.starts_with("0x")) {
    return static_cast<Tag>(std::strtoul(std::string(name).c_str(), nullptr, 16));
  }
  if (const auto tag = kmip::TagByName(name)) return *tag;
  return Error(Code::kMalformed, fmt::format("no field is called \"{}\"", name));
}

Result<Value> ValueOf(const Node& node, const json::value* value, std::string_view attribute) {
  if (value == nullptr) return Error(Code::kMalformed, TagText(node.tag) + " has no value");
  std::string text;
  switch (value->kind()) {
    case json::kind::string:
      text = View(value->get_string());
      break;
    case json::kind::int64:
      text = std::to_string(value->get_int64());
      break;
    case json::kind::uint64:
      text = std::to_string(value->get_uint64());
      break;
    case json::kind::bool_:
      text = value->get_bool() ? "true" : "false";
      break;
    default:
      return Error(Code::kMalformed, TagText(node.tag) + ": neither text nor number");
  }
  // Text and octets are strings, whatever they look like; a Boolean is a word or 0x hexadecimal.
  if (HasOctets(node.type) && !value->is_string()) {
    return Error(Code::kMalformed, TagText(node.tag) + " is not a string");
  }
  if (node.type == Type::kBoolean && value->is_number()) {
    return Error(Code::kMalformed, TagText(node.tag) + " is a number instead of true or false");
  }
  return ParseValue(node.tag, node.type, text, attribute);
}

Result<Node> NodeOf(const json::value& value, std::string attribute, int depth) {
  if (depth > kDeepest) return Error(Code::kMalformed, "nested too deeply");
  if (!value.is_object()) return Error(Code::kMalformed, "an item that is no JSON object");
  const json::object& object = value.get_object();
  Node node;
  node.tag = TRY(TagOf(object));
  const std::string_view type = TRY(TextOf(object, "type"));
  if (!type.empty() && !TypeByName(type, node.type)) {
    return Error(Code::kMalformed,
                 fmt::format("{}: no item type is called {}", TagText(node.tag), type));
  }
  const json::value* content = object.if_contains("value");
  if (!node.is_structure()) {
    node.value = TRY(ValueOf(node, content, attribute));
    return node;
  }
  if (content == nullptr || content->is_null()) return node;
  if (!content->is_array()) return Error(Code::kMalformed, TagText(node.tag) + " is no array");
  for (const json::value& member : content->get_array()) {
    Node child = TRY(NodeOf(member, attribute, depth + 1));
    if (child.tag == Tag::kAttributeName) attribute = child.value.octets;
    node.members.push_back(std::move(child));
  }
  return node;
}

json::value Content(const Node& node, std::string_view attribute) {
  const std::int64_t number = node.value.number;
  switch (node.type) {
    case Type::kInteger:
      if (IsMaskField(node.tag, attribute)) {
        return json::string(MaskText(node.tag, attribute, number, "|"));
      }
      return number;
    case Type::kLongInteger:
      if (number < kLargestPlainNumber && number > -kLargestPlainNumber) return number;
      return json::string(fmt::format("0x{:016X}", static_cast<std::uint64_t>(number)));
    case Type::kInterval:
      return number;
    case Type::kBoolean:
      return number != 0;
    case Type::kBigInteger:
      return json::string("0x" + WriteValue(node, attribute));
    default:
      return json::string(WriteValue(node, attribute));
  }
}

json::value ObjectOf(const Node& node, std::string attribute) {
  json::object object;
  object["tag"] = TagText(node.tag);
  if (!node.is_structure()) {
    const std::string_view type = TypeName(node.type);
    object["type"] = json::string(type.data(), type.size());
    object["value"] = Content(node, attribute);
    return object;
  }
  json::array members;
  for (const Node& member : node.members) {
    if (member.tag == Tag::kAttributeName) attribute = member.value.octets;
    members.push_back(ObjectOf(member, attribute));
  }
  object["value"] = std::move(members);
  return object;
}

}  // namespace

Result<Node> ParseJson(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 2 * kDeepest + 2;
  const json::value value =
      json::parse({text.data(), text.size()}, error, json::storage_ptr(), options);
  if (error) return Error(Code::kMalformed, "not JSON: " + error.message());
  return NodeOf(value, "", 1);
}

std::string WriteJson(const Node& node) { return json::serialize(ObjectOf(node, "")); }

}  // namespace dare::conformance
