#include "conformance/message_parts.h"

#include <fmt/format.h>

#include "kmip/names.h"

namespace dare::conformance {

using kmip::Tag;

std::uint32_t OperationOf(const Node& batch_item) {
  const Node* operation = batch_item.Child(Tag::kOperation);
  return operation != nullptr ? static_cast<std::uint32_t>(operation->value.number) : 0;
}

kmip::ProtocolVersion VersionOf(const Node& message) {
  const Node* header = message.Child(Tag::kRequestHeader);
  if (header == nullptr) header = message.Child(Tag::kResponseHeader);
  const Node* version = header != nullptr ? header->Child(Tag::kProtocolVersion) : nullptr;
  if (version == nullptr || version->members.size() != 2) return {};
  return {static_cast<std::int32_t>(version->members[0].value.number),
          static_cast<std::int32_t>(version->members[1].value.number)};
}

std::string VersionText(kmip::ProtocolVersion version) {
  return fmt::format("{}.{}", version.major, version.minor);
}

std::vector<std::string> OperationNames(const Node& message) {
  std::vector<std::string> names;
  for (const Node* item : message.Children(Tag::kBatchItem)) {
    if (item->Child(Tag::kOperation) == nullptr) continue;
    names.emplace_back(kmip::EnumName(Tag::kOperation, OperationOf(*item)));
  }
  return names;
}

const Node* RequestPayloadFor(const Node& request, const Node& answer) {
  const auto items = request.Children(Tag::kBatchItem);
  const Node* wanted = answer.Child(Tag::kUniqueBatchItemID);
  for (const Node* item : items) {
    const Node* own = item->Child(Tag::kUniqueBatchItemID);
    const bool same = own != nullptr && wanted != nullptr && own->value == wanted->value;
    if (items.size() == 1 || same) return item->Child(Tag::kRequestPayload);
  }
  return nullptr;
}

Tag FieldOf(Tag tag, std::string_view attribute) {
  if (tag != Tag::kAttributeValue || attribute.empty()) return tag;
  return kmip::TagBySpecName(attribute).value_or(tag);
}

}  // namespace dare::conformance
