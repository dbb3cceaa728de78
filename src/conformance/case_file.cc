#include "conformance/case_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "conformance/families.h"
#include "conformance/message_parts.h"
#include "conformance/value_text.h"
#include "conformance/xml_codec.h"
#include "kmip/enums.h"
#include "kmip/names.h"

namespace dare::conformance {
namespace {

using kmip::Tag;

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Some files mark who speaks, all others leave it to the operation: Notify and Put come from the
// server alone.
bool ComesFromServer(const Exchange& exchange) {
  if (Contains(exchange.comments, "[Server-to-Client]")) return true;
  const auto items = exchange.request.Children(Tag::kBatchItem);
  return !items.empty() && std::all_of(items.begin(), items.end(), [](const Node* item) {
    const auto operation = static_cast<kmip::Operation>(OperationOf(*item));
    return operation == kmip::Operation::kNotify || operation == kmip::Operation::kPut;
  });
}

// The request that a response answers: the first without an answer that asks for the same
// operations, else the first without one. Some files print two requests and then two responses,
// one of them in the other order; the order of the responses is that in which they are sent.
std::size_t RequestAnsweredBy(const Node& response, const std::vector<Exchange>& exchanges,
                              std::size_t answered) {
  const std::vector<std::string> operations = OperationNames(response);
  for (std::size_t i = answered; i < exchanges.size(); ++i) {
    if (OperationNames(exchanges[i].request) == operations) return i;
  }
  return answered;
}

std::string Pair(std::vector<CommentedMessage> messages, std::vector<Exchange>& exchanges) {
  std::size_t answered = 0;
  for (CommentedMessage& message : messages) {
    if (message.message.tag == Tag::kRequestMessage) {
      exchanges.push_back({std::move(message.comments), std::move(message.message), {}, false});
    } else if (answered == exchanges.size()) {
      return "a response before its request";
    } else {
      const std::size_t asked = RequestAnsweredBy(message.message, exchanges, answered);
      std::swap(exchanges[asked], exchanges[answered]);
      Exchange& exchange = exchanges[answered++];
      exchange.comments += ' ' + message.comments;
      exchange.response = std::move(message.message);
    }
  }
  if (answered != exchanges.size()) return "a request without its response";
  if (exchanges.empty()) return "no request";
  for (Exchange& exchange : exchanges) exchange.from_server = ComesFromServer(exchange);
  return "";
}

CaseKind KindOf(const std::filesystem::path& path) {
  for (const auto& part : path) {
    if (part == "mandatory") return CaseKind::kMandatory;
    if (part == "optional") return CaseKind::kOptional;
  }
  return CaseKind::kGeneral;
}

// By the folder ("1.4"), else the highest that its requests speak.
kmip::ProtocolVersion VersionOfCase(const std::filesystem::path& path, const CaseFile& file) {
  for (const auto& part : path) {
    const std::string text = part.string();
    if (text.size() == 3 && std::isdigit(text[0]) != 0 && text[1] == '.' &&
        std::isdigit(text[2]) != 0) {
      return {text[0] - '0', text[2] - '0'};
    }
  }
  kmip::ProtocolVersion highest;
  for (const Exchange& exchange : file.exchanges) {
    highest = std::max(highest, VersionOf(exchange.request));
  }
  return highest;
}

template <typename Visit>
void EachNode(const Node& node, const Visit& visit) {
  visit(node);
  for (const Node& member : node.members) EachNode(member, visit);
}

template <typename Visit>
void EachNode(const CaseFile& file, const Visit& visit) {
  for (const Exchange& exchange : file.exchanges) {
    EachNode(exchange.request, visit);
    EachNode(exchange.response, visit);
  }
}

}  // namespace

std::string_view CaseKindName(CaseKind kind) {
  switch (kind) {
    case CaseKind::kMandatory:
      return "mandatory";
    case CaseKind::kOptional:
      return "optional";
    case CaseKind::kGeneral:
      return "general";
  }
  return "";
}

bool CaseFile::polls() const {
  return std::any_of(exchanges.begin(), exchanges.end(),
                     [](const Exchange& exchange) { return exchange.repeated(); });
}

std::set<std::string> CaseFile::Operations() const {
  std::set<std::string> names;
  for (const Exchange& exchange : exchanges) {
    for (std::string& operation : OperationNames(exchange.request)) {
      names.insert(std::move(operation));
    }
  }
  return names;
}

std::set<std::string> CaseFile::Attributes() const {
  std::set<std::string> names;
  EachNode(*this, [&](const Node& node) {
    if (node.tag == Tag::kAttributeName && !node.is_placeholder()) {
      const auto tag = kmip::TagBySpecName(node.value.octets);
      if (tag) names.insert(TagText(*tag));
    } else if (node.tag == Tag::kAttributes || node.tag == Tag::kNewAttribute ||
               node.tag == Tag::kCurrentAttribute) {
      for (const Node& member : node.members) names.insert(TagText(member.tag));
    } else if (node.tag == Tag::kAttributeReference && !node.is_structure()) {
      names.insert(EnumerationText(node.tag, "", node.value.number));
    }
  });
  return names;
}

std::set<std::string> CaseFile::Objects() const {
  std::set<std::string> names;
  EachNode(*this, [&](const Node& node) {
    if (node.tag == Tag::kObjectType && node.type == Type::kEnumeration) {
      names.insert(EnumerationText(node.tag, "", node.value.number));
    }
  });
  return names;
}

CaseFile ReadCase(const std::filesystem::path& path, const std::filesystem::path& root) {
  CaseFile file;
  file.name = path == root ? path.filename().string() : path.lexically_relative(root).string();
  file.folder = path.parent_path().string();
  file.file = path.filename().string();
  file.family = FamilyOf(file.file);
  file.kind = KindOf(path);
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) {
    file.problem = "cannot be read";
    return file;
  }
  Result<std::vector<CommentedMessage>> messages = ParseConversation(text);
  file.problem = messages ? Pair(*std::move(messages), file.exchanges) : messages.error().message;
  file.version = VersionOfCase(path, file);
  return file;
}

std::vector<CaseFile> ReadCases(const std::filesystem::path& root) {
  std::vector<CaseFile> cases;
  if (std::filesystem::is_regular_file(root)) {
    cases.push_back(ReadCase(root, root));
    return cases;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_regular_file() && entry.path().extension() == ".xml") {
      cases.push_back(ReadCase(entry.path(), root));
    }
  }
  std::sort(cases.begin(), cases.end(), [](const CaseFile& a, const CaseFile& b) {
    if (a.folder != b.folder) return a.folder < b.folder;
    return PlayedBefore(a.file, b.file);
  });
  return cases;
}

}  // namespace dare::conformance
