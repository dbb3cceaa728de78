#pragma once

#include "base/result.h"
#include "engine/operation.h"
#include "kmip/attributes.h"

// What a value that a client gives to an attribute must look like, whatever the object.
namespace dare::engine {

inline constexpr std::size_t kMostAttributeBytes = 16u << 10;   // one instance
inline constexpr std::size_t kMostAttributesBytes = 64u << 10;  // all of one object
inline constexpr std::size_t kMostInstances = 128;              // of one kind

// The value as it is kept: enumerations and masks are known in the request's version, structures
// have the members they need, Usage Limits start with Count = Total, a Link names its object by
// text, Application Data that was left out is made up. Invalid Field (1.x) or Invalid Attribute
// Value (2.x) otherwise; Application Namespace Not Supported where the server makes up none. For a
// new object a Usage Limits Count is ignored, later it is refused; with an imported object it comes
// along.
enum class Giving { kToNewObject, kToExistingObject, kWithImportedObject };
Result<kmip::Attribute> CheckedValue(const kmip::Attribute& given, Giving giving,
                                     const OperationContext& context);

// The dates of an object in their order: kmip-1.4 3.24 to 3.27 (Activation before Process Start and
// Deactivation, Protect Stop not after Deactivation).
Result<void> CheckDates(const kmip::AttributeSet& attributes, kmip::ProtocolVersion version);

// Number and size of the instances. Index Out of Bounds (1.x), Server Limit Exceeded (2.x).
Result<void> CheckAmount(const kmip::AttributeSet& attributes, kmip::ProtocolVersion version);

struct UsageLimits {
  std::int64_t total = 0;
  std::int64_t count = 0;  // what is left
  kmip::UsageLimitsUnit unit{};
};
// kMalformed when `attribute` is none.
Result<UsageLimits> ReadUsageLimits(const kmip::Attribute& attribute);
kmip::Attribute MakeUsageLimits(const UsageLimits& limits);

}  // namespace dare::engine
