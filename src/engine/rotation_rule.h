#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kmip/attributes.h"
#include "kmip/enums.h"

// Which objects the server rotates by itself, and when (kmip-2.1 4.48 Rotate Automatic, 4.51 Rotate
// Interval, 4.54 Rotate Offset).
namespace dare::engine {

// By which operation an object of this type is replaced, asked of the object itself; nothing for
// types that no operation replaces, and for public keys, which go with their private ones.
std::optional<kmip::Operation> ReplacingOperation(kmip::ObjectType type);

// Seconds from its Initial Date on after which the server replaces an object that is in this
// `state`. Nothing for one that it leaves alone: without Rotate Automatic or without an interval,
// of a type that nothing replaces, replaced already, or out of use.
std::optional<std::uint32_t> RotationInterval(const kmip::AttributeSet& attributes,
                                              kmip::State state);

//= kmip-2.1 4.51 Rotate Interval
//# when the difference between the Initial Date of the Managed Object and the current server time
//# reaches or exceeds this value.
// `shortest`: however short the interval is, not before so many seconds.
bool RotationIsDue(const kmip::AttributeSet& attributes, std::int64_t now, std::uint32_t shortest);

// How the store's index names an interval: the order of the texts is that of the numbers.
std::string RotationKey(std::uint32_t interval);
// Nothing for what is no such text.
std::optional<std::uint32_t> ParseRotationKey(const std::string& key);

}  // namespace dare::engine
