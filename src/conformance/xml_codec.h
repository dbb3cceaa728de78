#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conformance/tree.h"

namespace dare::conformance {

// The XML message encoding, kmip-profiles-2.1 section 5.4, the judge's own. A value that begins
// with a dollar sign is kept as a placeholder.

Result<Node> ParseXml(std::string_view text);
std::string WriteXml(const Node& node);

// A message of a conversation and the comments in front of it.
struct CommentedMessage {
  std::string comments;
  Node message;
};
// The messages of a published case, in order: what stands inside its <KMIP> element.
Result<std::vector<CommentedMessage>> ParseConversation(std::string_view text);

}  // namespace dare::conformance
