#include "conformance/xml_codec.h"

#include <fmt/format.h>

#include <pugixml.hpp>

#include "conformance/value_text.h"
#include "kmip/names.h"

namespace dare::conformance {
namespace {

using kmip::Tag;

constexpr int kDeepest = 64;

std::string_view LocalName(const pugi::xml_node& element) {
  const std::string_view name = element.name();
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// <TTLV tag="0x540001" …> stands for tags without a name.
Result<Tag> TagOf(const pugi::xml_node& element) {
  std::string_view name = LocalName(element);
  if (name == "TTLV") name = element.attribute("tag").value();
  if (name.starts_with("0x")) {
    return static_cast<Tag>(std::strtoul(std::string(name).c_str(), nullptr, 16));
  }
  if (const auto tag = kmip::TagByName(name)) return *tag;
  return Error(Code::kMalformed, fmt::format("no field is called {}", name));
}

// `attribute` is the Attribute Name in force around the element (1.x).
Result<Node> NodeOf(const pugi::xml_node& element, std::string attribute, int depth) {
  if (depth > kDeepest) return Error(Code::kMalformed, "nested too deeply");
  Node node;
  node.tag = TRY(TagOf(element));
  const pugi::xml_attribute type = element.attribute("type");
  if (type && !TypeByName(type.value(), node.type)) {
    return Error(Code::kMalformed,
                 fmt::format("{}: no item type is called {}", TagText(node.tag), type.value()));
  }
  if (!node.is_structure()) {
    const std::string_view text = element.attribute("value").value();
    if (text.starts_with('$')) {
      node.placeholder = text;
    } else {
      node.value = TRY(ParseValue(node.tag, node.type, text, attribute));
    }
    return node;
  }
  for (const pugi::xml_node& child : element.children()) {
    if (child.type() != pugi::node_element) continue;
    if (LocalName(child) == "AttributeName") attribute = child.attribute("value").value();
    node.members.push_back(TRY(NodeOf(child, attribute, depth + 1)));
  }
  return node;
}

Result<void> Load(pugi::xml_document& document, std::string_view text) {
  const pugi::xml_parse_result parsed = document.load_buffer(
      text.data(), text.size(), pugi::parse_default | pugi::parse_comments, pugi::encoding_utf8);
  if (parsed) return {};
  return Error(Code::kMalformed, fmt::format("not XML: {}", parsed.description()));
}

// In one line, with single blanks.
std::string Joined(std::string_view text) {
  std::string joined;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!blank) {
      joined += c;
    } else if (!joined.empty() && joined.back() != ' ') {
      joined += ' ';
    }
  }
  return joined;
}

void Escape(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
      case '\r':
      case '\t':  // else a reader would take them for blanks
        out += fmt::format("&#{};", static_cast<int>(c));
        break;
      default:
        out += c;
    }
  }
}

void Write(std::string& out, const Node& node, std::string attribute) {
  const std::string_view name = kmip::TagName(node.tag);
  const std::string element = name.empty() ? "TTLV" : std::string(name);
  out += '<' + element;
  if (name.empty()) out += fmt::format(" tag=\"{}\"", TagText(node.tag));
  if (!node.is_structure()) {
    out += fmt::format(" type=\"{}\" value=\"", TypeName(node.type));
    Escape(out, WriteValue(node, attribute));
    out += "\"/>";
    return;
  }
  out += '>';
  for (const Node& member : node.members) {
    if (member.tag == Tag::kAttributeName) attribute = member.value.octets;
    Write(out, member, attribute);
  }
  out += "</" + element + '>';
}

}  // namespace

Result<Node> ParseXml(std::string_view text) {
  pugi::xml_document document;
  TRY(Load(document, text));
  return NodeOf(document.document_element(), "", 1);
}

std::string WriteXml(const Node& node) {
  std::string out;
  Write(out, node, "");
  return out;
}

Result<std::vector<CommentedMessage>> ParseConversation(std::string_view text) {
  pugi::xml_document document;
  TRY(Load(document, text));
  std::vector<CommentedMessage> messages;
  std::string comments;
  for (const pugi::xml_node& child : document.document_element().children()) {
    if (child.type() == pugi::node_comment) {
      comments += (comments.empty() ? "" : " ") + Joined(child.value());
    } else if (child.type() == pugi::node_element) {
      Node message = TRY(NodeOf(child, "", 1));
      messages.push_back({std::exchange(comments, {}), std::move(message)});
    }
  }
  return messages;
}

}  // namespace dare::conformance
