#include "conformance/bindings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "conformance/message_parts.h"
#include "kmip/enums.h"

namespace dare::conformance {
namespace {

using kmip::Tag;

constexpr std::string_view kNow = "$NOW";

// Where a value is taken from when a case uses a placeholder that its earlier answers print as a
// literal: the field of that name of the previous actual answer.
std::optional<Tag> FieldNamedBy(std::string_view base_name) {
  static constexpr std::pair<std::string_view, Tag> kFields[] = {
      {"MAC_DATA", Tag::kMACData},
      {"DATA", Tag::kData},
      {"IV_COUNTER_NONCE", Tag::kIVCounterNonce},
      {"SIGNATURE_DATA", Tag::kSignatureData},
      {"AUTHENTICATED_ENCRYPTION_TAG", Tag::kAuthenticatedEncryptionTag},
      {"KEY_MATERIAL", Tag::kKeyMaterial},
      {"DIGEST_VALUE", Tag::kDigestValue},
      {"CORRELATION_VALUE", Tag::kCorrelationValue},
      {"TICKET_VALUE", Tag::kTicketValue},
  };
  for (const auto& [name, field] : kFields) {
    if (name == base_name) return field;
  }
  return std::nullopt;
}

std::string MadeUp() {
  std::random_device random;
  return fmt::format("made-up-{:08x}{:08x}", random(), random());
}

// True when nothing of the request was carried out.
bool Refused(const Node& response) {
  const auto items = response.Children(Tag::kBatchItem);
  return !items.empty() && std::all_of(items.begin(), items.end(), [](const Node* item) {
    const Node* status = item->Child(Tag::kResultStatus);
    return status != nullptr &&
           status->value.number == static_cast<std::int64_t>(kmip::ResultStatus::kOperationFailed);
  });
}

}  // namespace

std::string BaseName(const std::string& placeholder) {
  const std::string_view name = std::string_view(placeholder).substr(1);
  const std::size_t dash = name.rfind('_');
  if (dash == std::string_view::npos) return std::string(name);
  const std::string_view tail = name.substr(dash + 1);
  const bool number = !tail.empty() && std::all_of(tail.begin(), tail.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  return std::string(number ? name.substr(0, dash) : name);
}

Bindings Bindings::Following(std::int64_t now, const Bindings& before) {
  Bindings bindings(now);
  bindings.inherited_ = before.inherited_;
  for (const auto& [name, value] : before.bound_) bindings.inherited_[name] = value;
  bindings.keys_ = before.keys_;
  return bindings;
}

std::optional<std::int64_t> Bindings::TimeOf(const std::string& placeholder) const {
  if (!placeholder.starts_with(kNow)) return std::nullopt;
  std::string_view text = std::string_view(placeholder).substr(kNow.size());
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t offset = 0;
  std::from_chars(text.data(), text.data() + text.size(), offset);
  return now_ + (longest_offset_ ? std::min(offset, *longest_offset_) : offset);
}

const Value* Bindings::Find(const std::string& placeholder) const {
  const auto found = bound_.find(placeholder);
  return found != bound_.end() ? &found->second : nullptr;
}

const std::string* Bindings::HolderOf(const Value& value, const std::string& except) const {
  for (const auto& [name, bound] : bound_) {
    if (bound == value && name != except) return &name;
  }
  return nullptr;
}

Result<Value> Bindings::ValueOf(const Node& printed) {
  const std::string& name = printed.placeholder;
  if (const auto seconds = TimeOf(name)) {
    const bool fine = printed.type == Type::kDateTimeExtended;
    return Value{*seconds * (fine ? 1'000'000 : 1), {}};
  }
  if (const Value* bound = Find(name)) return *bound;
  if (const auto found = inherited_.find(name); found != inherited_.end()) {
    Met(Slip::kNameOfAnotherCase);
    return found->second;
  }
  const std::string base = BaseName(name);
  if (base.ends_with("UNIQUE_IDENTIFIER_RANDOM")) {
    Met(Slip::kNameOfTheTester);
    Bind(name, Value{0, MadeUp()});
    return *Find(name);
  }
  const auto field = FieldNamedBy(base);
  const auto last = field ? last_field_.find(*field) : last_field_.end();
  if (last == last_field_.end()) {
    return Error(Code::kNotFound, "no earlier answer gave a value for " + name);
  }
  Met(Slip::kLiteralInPlaceOfName);
  return last->second;
}

Result<Node> Bindings::FillBelow(const Node& printed, std::string attribute) {
  Node node;
  node.tag = printed.tag;
  node.type = printed.type;
  if (!printed.is_structure()) {
    node.value = printed.is_placeholder() ? TRY(ValueOf(printed)) : printed.value;
    const Tag field = FieldOf(node.tag, attribute);
    if (node.type == Type::kDateTime) asked_dates_.insert({field, node.value.number});
    if (field == Tag::kObjectGroup) groups_.insert(node.value.octets);
    return node;
  }
  node.members.reserve(printed.members.size());
  for (const Node& member : printed.members) {
    if (member.tag == Tag::kAttributeName) attribute = member.value.octets;
    node.members.push_back(TRY(FillBelow(member, attribute)));
  }
  return node;
}

Result<Node> Bindings::Fill(const Node& printed) { return FillBelow(printed, ""); }

void Bindings::LearnFields(const Node& node) {
  if (!node.is_structure()) last_field_[node.tag] = node.value;
  for (const Node& member : node.members) LearnFields(member);
}

void Bindings::Learn(const Node& request, const Node& response) {
  if (!Refused(response)) fixed_dates_.merge(asked_dates_);
  asked_dates_.clear();
  LearnFields(response);
  keys_.Learn(request, response);
}

}  // namespace dare::conformance
