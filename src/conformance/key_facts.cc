#include "conformance/key_facts.h"

#include <algorithm>

#include "conformance/message_parts.h"
#include "kmip/enums.h"

namespace dare::conformance {
namespace {

using kmip::Operation;
using kmip::Tag;

bool IsIdentifier(Tag tag) {
  return tag == Tag::kUniqueIdentifier || tag == Tag::kPrivateKeyUniqueIdentifier ||
         tag == Tag::kPublicKeyUniqueIdentifier;
}

void Collect(const Node& node, std::set<std::string>& ids) {
  if (IsIdentifier(node.tag) && HasOctets(node.type)) ids.insert(node.value.octets);
  for (const Node& member : node.members) Collect(member, ids);
}

// Calls `visit(field, number)` for every enumeration below, with the field it is a value of.
template <typename Visit>
void EachEnumeration(const Node& node, const Visit& visit) {
  if (node.type == Type::kEnumeration)
    visit(node.tag, static_cast<std::uint32_t>(node.value.number));
  const Node* name = node.Child(Tag::kAttributeName);
  const Node* value = node.Child(Tag::kAttributeValue);
  if (name != nullptr && value != nullptr && value->type == Type::kEnumeration) {
    visit(FieldOf(Tag::kAttributeValue, name->value.octets),
          static_cast<std::uint32_t>(value->value.number));
  }
  for (const Node& member : node.members) EachEnumeration(member, visit);
}

bool HasNonce(kmip::DigitalSignatureAlgorithm algorithm) {
  using enum kmip::DigitalSignatureAlgorithm;
  switch (algorithm) {
    case kRSASSA_PSS:
    case kDSAWithSHA_1:
    case kDSAWithSHA224:
    case kDSAWithSHA256:
    case kECDSAWithSHA_1:
    case kECDSAWithSHA224:
    case kECDSAWithSHA256:
    case kECDSAWithSHA384:
    case kECDSAWithSHA512:
      return true;
    default:
      return false;
  }
}

bool BringsAnObject(std::uint32_t operation) {
  switch (static_cast<Operation>(operation)) {
    case Operation::kRegister:
    case Operation::kImport:
      return true;
    default:
      return ServerMakesTheObject(operation);
  }
}

}  // namespace

bool ServerMakesTheObject(std::uint32_t operation) {
  switch (static_cast<Operation>(operation)) {
    case Operation::kCreate:
    case Operation::kCreateKeyPair:
    case Operation::kReKey:
    case Operation::kReKeyKeyPair:
    case Operation::kDeriveKey:
    case Operation::kCreateSplitKey:
    case Operation::kJoinSplitKey:
    case Operation::kCertify:
    case Operation::kReCertify:
      return true;
    default:
      return false;
  }
}

std::set<std::string> IdentifiersIn(const Node* payload) {
  std::set<std::string> ids;
  if (payload != nullptr) Collect(*payload, ids);
  return ids;
}

KeyFacts::Use KeyFacts::UseOf(const Node& payload) {
  Use use;
  EachEnumeration(payload, [&](Tag field, std::uint32_t number) {
    if (field == Tag::kPaddingMethod) {
      const auto method = static_cast<kmip::PaddingMethod>(number);
      const bool pss = method == kmip::PaddingMethod::kPSS;
      use.random_signature |= pss;
      use.random_padding |=
          pss || method == kmip::PaddingMethod::kOAEP || method == kmip::PaddingMethod::kPKCS1V1_5;
    } else if (field == Tag::kDigitalSignatureAlgorithm) {
      use.random_signature |= HasNonce(static_cast<kmip::DigitalSignatureAlgorithm>(number));
    } else if (field == Tag::kCryptographicAlgorithm) {
      const auto algorithm = static_cast<kmip::CryptographicAlgorithm>(number);
      use.random_signature |= algorithm == kmip::CryptographicAlgorithm::kECDSA ||
                              algorithm == kmip::CryptographicAlgorithm::kEC ||
                              algorithm == kmip::CryptographicAlgorithm::kDSA;
    }
  });
  return use;
}

void KeyFacts::Learn(const Node& request, const Node& response) {
  for (const Node* item : response.Children(Tag::kBatchItem)) {
    const std::set<std::string> ids = IdentifiersIn(item->Child(Tag::kResponsePayload));
    const std::uint32_t operation = OperationOf(*item);
    if (ServerMakesTheObject(operation)) server_made_.insert(ids.begin(), ids.end());
    const Node* asked = RequestPayloadFor(request, *item);
    if (static_cast<Operation>(operation) == Operation::kDestroy) {
      for (const std::string& id : ids) left_behind_.erase(id);
    }
    if (static_cast<Operation>(operation) == Operation::kLocate) {
      // Found, but never brought by this conversation: the server had it ready (Object Groups).
      for (const std::string& id : ids) {
        if (!brought_.contains(id)) server_made_.insert(id);
      }
    }
    if (!BringsAnObject(operation)) continue;
    brought_.insert(ids.begin(), ids.end());
    left_behind_.insert(ids.begin(), ids.end());
    if (asked == nullptr) continue;
    for (const std::string& id : ids) uses_[id] = UseOf(*asked);
  }
}

bool KeyFacts::ServerMade(const std::set<std::string>& ids) const {
  return std::any_of(ids.begin(), ids.end(),
                     [&](const std::string& id) { return server_made_.contains(id); });
}

bool KeyFacts::Randomised(std::uint32_t operation, const std::set<std::string>& ids,
                          const Node* request, const Node* response) const {
  Use use = request != nullptr ? UseOf(*request) : Use();
  for (const std::string& id : ids) {
    const auto known = uses_.find(id);
    if (known == uses_.end()) continue;
    use.random_padding |= known->second.random_padding;
    use.random_signature |= known->second.random_signature;
  }
  switch (static_cast<Operation>(operation)) {
    case Operation::kRNGRetrieve:
      return true;
    case Operation::kEncrypt:
      return use.random_padding ||
             (response != nullptr && response->Child(Tag::kIVCounterNonce) != nullptr);
    case Operation::kSign:
      return use.random_signature;
    default:
      return false;
  }
}

}  // namespace dare::conformance
