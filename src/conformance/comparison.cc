#include "conformance/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "conformance/attribute_items.h"
#include "conformance/message_parts.h"
#include "conformance/value_text.h"
#include "kmip/enums.h"

namespace dare::conformance {
namespace {

using kmip::Operation;
using kmip::Tag;

// Seconds between what a case calls $NOW and a date the server set meanwhile.
constexpr std::int64_t kNowTolerance = 30;

std::int64_t SecondsNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::optional<std::string> At(const std::string& path, const std::string& expected,
                              const std::string& actual) {
  return fmt::format("at {}: expected {}, got {}", path, expected, actual);
}

bool IsServerDate(Tag field) {
  switch (field) {
    case Tag::kActivationDate:
    case Tag::kArchiveDate:
    case Tag::kCompromiseDate:
    case Tag::kCompromiseOccurrenceDate:
    case Tag::kDeactivationDate:
    case Tag::kDestroyDate:
    case Tag::kInitialDate:
    case Tag::kLastChangeDate:
    case Tag::kProtectStopDate:
    case Tag::kProcessStartDate:
    case Tag::kValidityDate:
    case Tag::kOriginalCreationDate:
      return true;
    default:
      return false;
  }
}

bool IsCryptographicOutput(Tag tag) {
  return tag == Tag::kData || tag == Tag::kSignatureData || tag == Tag::kMACData ||
         tag == Tag::kIVCounterNonce || tag == Tag::kAuthenticatedEncryptionTag;
}

bool ReboundEveryTime(const std::string& placeholder) {
  const std::string base = BaseName(placeholder);
  return base == "CORRELATION_VALUE" || base == "SERVER_CORRELATION_VALUE" ||
         base == "ASYNCHRONOUS_CORRELATION_VALUE";
}

}  // namespace

Comparison::Comparison(Bindings& bindings, const Node& request, Options options)
    : bindings_(bindings), request_(request), options_(options), version_(VersionOf(request)) {}

std::optional<std::string> Comparison::Run(const Node& expected, const Node& actual) {
  return Compare(expected, actual, Place());
}

bool Comparison::Is(Operation operation) const {
  return operation_ == static_cast<std::uint32_t>(operation);
}

Comparison::Difference Comparison::Compare(const Node& expected, const Node& actual,
                                           const Place& above) {
  const Place place{above.path + '/' + TagText(expected.tag), above.attribute, expected.tag};
  if (expected.tag != actual.tag) return At(place.path, TagText(expected.tag), TagText(actual.tag));
  if (expected.type != actual.type) {
    return At(place.path, std::string(TypeName(expected.type)), std::string(TypeName(actual.type)));
  }
  if (!expected.is_structure()) {
    return CompareValues(expected, actual, {place.path, above.attribute, above.parent});
  }
  switch (expected.tag) {
    case Tag::kBatchItem:
      EnterBatchItem(expected, actual);
      break;
    case Tag::kServerInformation:
      if (expected != actual) Use(Variation::kServerInformation);
      return std::nullopt;
    case Tag::kProtocolVersion:
      if ((above.parent == Tag::kResponseHeader || above.parent == Tag::kRequestHeader) &&
          options_.versions_may_be_mixed && expected.members != actual.members &&
          actual.members.size() == 2 && actual.members[0].value.number == version_.major &&
          actual.members[1].value.number == version_.minor) {
        bindings_.Met(Slip::kOtherVersionPrinted);
        return std::nullopt;
      }
      break;
    case Tag::kResponsePayload:
      if (Is(Operation::kDiscoverVersions)) {
        return CompareDiscoveredVersions(expected, actual, place);
      }
      break;
    default:
      break;
  }
  return Unordered(expected.tag) ? CompareAsSets(expected, actual, place)
                                 : CompareInOrder(expected, actual, place);
}

void Comparison::EnterBatchItem(const Node& expected, const Node& actual) {
  operation_ = OperationOf(expected);
  request_payload_ = RequestPayloadFor(request_, actual);
  const Node* payload = actual.Child(Tag::kResponsePayload);
  std::set<std::string> ids =
      IdentifiersIn(payload != nullptr ? payload : actual.Child(Tag::kRequestPayload));
  asked_for_ = IdentifiersIn(request_payload_);
  ids.insert(asked_for_.begin(), asked_for_.end());
  const auto meant = request_payload_ != nullptr
                         ? request_payload_->Children(Tag::kUniqueIdentifier)
                         : std::vector<const Node*>();
  meant_ = meant.size() == 1 ? meant[0]->value.octets : "";
  server_made_ = ServerMakesTheObject(operation_) || bindings_.keys().ServerMade(ids);
  randomised_ = bindings_.keys().Randomised(operation_, ids, request_payload_,
                                            expected.Child(Tag::kResponsePayload));
}

bool Comparison::Unordered(Tag tag) const {
  if (tag == Tag::kAttributes || tag == Tag::kTemplateAttribute) return true;
  if (tag == Tag::kRequestPayload) return Is(Operation::kPut) || Is(Operation::kNotify);
  if (tag != Tag::kResponsePayload) return false;
  // kmip-2.0 6.1.27 lists what Locate found "newest first"; before, in any order.
  if (Is(Operation::kLocate)) return version_ < kmip::kVersion2_0;
  return Is(Operation::kGetAttributes) || Is(Operation::kGetAttributeList) || Is(Operation::kQuery);
}

Comparison::Difference Comparison::CompareInOrder(const Node& expected, const Node& actual,
                                                  Place place) {
  auto e = expected.members.begin();
  auto a = actual.members.begin();
  while (e != expected.members.end() || a != actual.members.end()) {
    const Node* wanted = e != expected.members.end() ? &*e : nullptr;
    const Node* given = a != actual.members.end() ? &*a : nullptr;
    if (wanted != nullptr && given != nullptr && wanted->tag == given->tag) {
      if (wanted->tag == Tag::kAttributeName) place.attribute = wanted->value.octets;
      if (Difference difference = Compare(*wanted, *given, place)) return difference;
      ++e;
      ++a;
    } else if (wanted != nullptr && MayBeAbsent(*wanted)) {
      ++e;
    } else if (given != nullptr && MayBeExtra(*given, expected.tag)) {
      ++a;
    } else {
      return At(place.path, Describe(wanted), Describe(given));
    }
  }
  return std::nullopt;
}

Comparison::Difference Comparison::CompareAsSets(const Node& expected, const Node& actual,
                                                 const Place& place) {
  std::vector<const Node*> left;
  for (const Node& member : actual.members) left.push_back(&member);
  for (const Node& wanted : expected.members) {
    const std::string label = LabelOf(wanted);
    // Those that go by the same name first: where they differ is the difference worth telling.
    std::stable_partition(left.begin(), left.end(),
                          [&](const Node* node) { return LabelOf(*node) == label; });
    Difference first;
    const auto matching = std::find_if(left.begin(), left.end(), [&](const Node* given) {
      if (given->tag != wanted.tag) return false;
      const Bindings saved = bindings_;
      Difference difference = Compare(wanted, *given, place);
      if (!difference) return true;
      bindings_ = saved;
      if (!first && LabelOf(*given) == label) first = std::move(difference);
      return false;
    });
    if (matching != left.end()) {
      left.erase(matching);
    } else if (!MayBeAbsent(wanted)) {
      return first ? first : At(place.path, Describe(&wanted), "nothing like it");
    }
  }
  for (const Node* given : left) {
    if (!MayBeExtra(*given, expected.tag)) return At(place.path, "nothing more", Describe(given));
  }
  return std::nullopt;
}

Comparison::Difference Comparison::CompareDiscoveredVersions(const Node& expected,
                                                             const Node& actual,
                                                             const Place& place) {
  const bool asked = request_payload_ != nullptr && !request_payload_->members.empty();
  if (asked) return CompareInOrder(expected, actual, place);
  for (const Node& version : expected.members) {
    if (std::find(actual.members.begin(), actual.members.end(), version) == actual.members.end()) {
      return At(place.path, Describe(&version), "a list without it");
    }
  }
  if (actual.members.size() > expected.members.size()) Use(Variation::kDiscoveredVersions);
  return std::nullopt;
}

bool Comparison::FreeAttribute(const Node& item) {
  const std::string attribute = AttributeNameOf(item);
  if (attribute.starts_with("y-")) return Use(Variation::kServerAttribute);
  if (attribute != "Object Group" && attribute != "ObjectGroup") return false;
  const Node* value = item.tag == Tag::kAttribute ? item.Child(Tag::kAttributeValue) : &item;
  const bool requested = value != nullptr && bindings_.RequestNamedGroup(value->value.octets);
  return !requested && Use(Variation::kObjectGroup);
}

bool Comparison::MayBeAbsent(const Node& item) {
  switch (item.tag) {
    case Tag::kResultMessage:
      return Use(Variation::kResultMessage);
    case Tag::kServerCorrelationValue:
      return Use(Variation::kServerCorrelationValue);
    case Tag::kTemplateAttribute:
      return Use(Variation::kTemplateAttribute);
    case Tag::kAttributeIndex:
      return item.value.number == 0 && version_ >= kmip::kVersion1_1 &&
             version_ < kmip::kVersion2_0 && Use(Variation::kAttributeIndexZero);
    case Tag::kMessageExtension: {
      const Node* critical = item.Child(Tag::kCriticalityIndicator);
      const bool needed = critical != nullptr && critical->value.number != 0;
      return !needed && Use(Variation::kMessageExtension);
    }
    case Tag::kVendorIdentification:
      return Is(Operation::kQuery) && Use(Variation::kVendorIdentification);
    case Tag::kExtensionInformation:
    case Tag::kApplicationNamespace:
      return Is(Operation::kQuery) && Use(Variation::kQueryLists);
    case Tag::kAttribute:
    case Tag::kAttributeName:
    case Tag::kAttributeReference:
    case Tag::kObjectGroup:
      return FreeAttribute(item);
    default:
      return false;
  }
}

bool Comparison::MayBeExtra(const Node& item, Tag parent) {
  if (MayBeAbsent(item)) return true;
  if (Is(Operation::kQuery)) {
    const bool listed = item.tag == Tag::kOperation || item.tag == Tag::kObjectType;
    return listed && Use(Variation::kQueryLists);
  }
  const bool named = item.tag == Tag::kAttributeName || item.tag == Tag::kAttributeReference;
  const bool additional = (Is(Operation::kGetAttributeList) && named) ||
                          (Is(Operation::kPut) && item.tag == Tag::kAttribute) ||
                          (Is(Operation::kExport) && parent == Tag::kAttributes) ||
                          (Is(Operation::kGetAttributes) && !AttributesWereNamed() &&
                           item.tag != Tag::kUniqueIdentifier);
  return additional && Use(Variation::kAdditionalAttribute);
}

// Then "additional attributes" would be an error, not a variation.
bool Comparison::AttributesWereNamed() const {
  if (request_payload_ == nullptr) return false;
  return request_payload_->Child(Tag::kAttributeName) != nullptr ||
         request_payload_->Child(Tag::kAttributeReference) != nullptr;
}

Comparison::Difference Comparison::CompareValues(const Node& expected, const Node& actual,
                                                 const Place& place) {
  if (expected.is_placeholder()) return ComparePlaceholder(expected, actual, place);
  if (expected.value == actual.value || MayVary(expected, actual, place)) return std::nullopt;
  return At(place.path, ShowValue(expected, place.attribute), ShowValue(actual, place.attribute));
}

Comparison::Difference Comparison::ComparePlaceholder(const Node& expected, const Node& actual,
                                                      const Place& place) {
  const std::string& name = expected.placeholder;
  if (const auto seconds = bindings_.TimeOf(name)) {
    const std::int64_t scale = actual.type == Type::kDateTimeExtended ? 1'000'000 : 1;
    const std::int64_t given = actual.value.number / scale;
    // The server's clock went on since the case began.
    const std::int64_t played = std::max<std::int64_t>(SecondsNow() - bindings_.now(), 0);
    const bool near =
        given >= *seconds - kNowTolerance && given <= *seconds + played + kNowTolerance;
    if (near) return std::nullopt;
    return At(place.path, fmt::format("{} ({})", name, DateTimeText(*seconds)),
              DateTimeText(given));
  }
  const Value* bound = bindings_.Find(name);
  if (bound == nullptr || ReboundEveryTime(name)) {
    const std::string* holder = bindings_.HolderOf(actual.value, name);
    if (holder != nullptr && name.find("UNIQUE_IDENTIFIER") != std::string::npos) {
      return At(place.path, name + ", a new identifier",
                fmt::format("{} ({})", ShowValue(actual, ""), *holder));
    }
    if (name.find("UNIQUE_IDENTIFIER") != std::string::npos) Use(Variation::kIdentifier);
    bindings_.Bind(name, actual.value);
    return std::nullopt;
  }
  if (*bound == actual.value) return std::nullopt;
  if (OutputMayVary(BaseName(name))) {
    Use(Variation::kCryptographicOutput);
    return std::nullopt;
  }
  if (expected.tag == Tag::kUniqueIdentifier && place.parent == Tag::kResponsePayload &&
      actual.value.octets == meant_) {
    // The answer names the object that the request meant, whatever name is printed (TC-SJ prints
    // another object's).
    Use(Variation::kIdentifier);
    return std::nullopt;
  }
  if (server_made_ && expected.tag == Tag::kDigestValue) {
    // One name stands for the digests of both keys of a pair.
    Use(Variation::kDigest);
    return std::nullopt;
  }
  Node known = actual;
  known.value = *bound;
  return At(place.path, fmt::format("{} ({})", name, ShowValue(known, place.attribute)),
            ShowValue(actual, place.attribute));
}

bool Comparison::OutputMayVary(std::string_view name) const {
  const bool output = name == "DATA" || name == "IV_COUNTER_NONCE" || name == "SIGNATURE_DATA" ||
                      name == "MAC_DATA" || name == "AUTHENTICATED_ENCRYPTION_TAG";
  return output && (server_made_ || randomised_);
}

bool Comparison::MayVary(const Node& expected, const Node& actual, const Place& place) {
  const bool same_length = expected.value.octets.size() == actual.value.octets.size();
  if (expected.type == Type::kDateTime && expected.tag != Tag::kTimeStamp) {
    const Tag field = FieldOf(expected.tag, place.attribute);
    return IsServerDate(field) && !bindings_.RequestFixedDate(field, expected.value.number) &&
           Use(Variation::kServerDate);
  }
  if (IsCryptographicOutput(expected.tag)) {
    if (!(server_made_ || randomised_) || !same_length) return false;
    if (server_made_) bindings_.Met(Slip::kLiteralOfGeneratedKey);
    return Use(Variation::kCryptographicOutput);
  }
  const bool in_digest = place.attribute == "Digest" || place.parent == Tag::kDigest;
  switch (expected.tag) {
    case Tag::kTimeStamp:
      return Use(Variation::kTimeStamp);
    case Tag::kResultMessage:
      return Use(Variation::kResultMessage);
    case Tag::kServerCorrelationValue:
      return Use(Variation::kServerCorrelationValue);
    case Tag::kAsynchronousCorrelationValue:
      return Use(Variation::kAsynchronousCorrelationValue);
    case Tag::kVendorIdentification:
      return Is(Operation::kQuery) && Use(Variation::kVendorIdentification);
    case Tag::kUniqueIdentifier:
    case Tag::kPrivateKeyUniqueIdentifier:
    case Tag::kPublicKeyUniqueIdentifier:
      // A literal in print; where the request says which object is meant, it must be that one.
      return !Is(Operation::kLocate) &&
             (asked_for_.empty() || asked_for_.contains(actual.value.octets)) &&
             Use(Variation::kIdentifier);
    case Tag::kLinkedObjectIdentifier:
      return Use(Variation::kLinkedObjectIdentifier);
    case Tag::kKeyMaterial:
    case Tag::kKeyValue:
      return server_made_ && same_length && Use(Variation::kGeneratedKey);
    case Tag::kCertificateValue:
    case Tag::kCertificateLength:
    case Tag::kSerialNumber:
    case Tag::kCertificateSerialNumber:
      return server_made_ && Use(Variation::kIssuedCertificate);
    case Tag::kAttributeValue:
      return FieldOf(expected.tag, place.attribute) == Tag::kCertificateLength && server_made_ &&
             Use(Variation::kIssuedCertificate);
    case Tag::kShortUniqueIdentifier:
      // A literal in print of an identifier that the case has a name for.
      return bindings_.HolderOf(actual.value, "") != nullptr && Use(Variation::kIdentifier);
    case Tag::kDigestValue:
      return in_digest && server_made_ && Use(Variation::kDigest);
    case Tag::kHashingAlgorithm:
      return in_digest && Use(Variation::kDigest);
    case Tag::kKeyFormatType:
      return server_made_ && Use(Variation::kKeyFormatType);
    default:
      return false;
  }
}

}  // namespace dare::conformance
