#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string_view>

namespace dare::conformance {

// The only differences a conforming answer may have from the printed one. Everything else must
// match. The comparer names the rule each time it lets a difference pass.
enum class Variation : std::uint8_t {
  kIdentifier,
  kAsynchronousCorrelationValue,
  kTimeStamp,
  kGeneratedKey,
  kIssuedCertificate,
  kCryptographicOutput,
  kServerDate,
  kLinkedObjectIdentifier,
  kDigest,
  kKeyFormatType,
  kQueryLists,
  kAdditionalAttribute,
  kObjectGroup,
  kServerAttribute,
  kMessageExtension,
  kTemplateAttribute,
  kAttributeIndexZero,
  kResultMessage,
  kVendorIdentification,
  kDiscoveredVersions,
  kServerCorrelationValue,
  kServerInformation,
};

// Where the rules come from: "OASIS KMIP profile documents 1.0 …".
std::string_view VariationSource();

struct VariationRule {
  Variation variation;
  std::string_view name;  // of the report: "server-date"
  std::string_view text;  // what may vary or be absent
};
// All rules, in the order of the enumeration.
std::span<const VariationRule> VariationRules();
const VariationRule& RuleOf(Variation variation);

using Variations = std::set<Variation>;

}  // namespace dare::conformance
