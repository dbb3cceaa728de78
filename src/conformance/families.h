#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dare::conformance {

// What is known of families of cases: how they are named, which build on each other, and which
// prescribe how messages travel. Nothing here knows a single case.

// "CS-BC-M-GCM" of "CS-BC-M-GCM-2-14.xml"; "TC" of "TC-111-12.xml".
std::string FamilyOf(std::string_view file);

// Cases of such a family use what earlier ones left behind: its name, or "" for a case that stands
// alone. The README of the published cases lists these families.
std::string_view ChainOf(std::string_view file);

// The order within a family: its set-up first, its clean-up last, numbers by value.
bool PlayedBefore(std::string_view a, std::string_view b);

// How messages are written and carried.
enum class Encoding : std::uint8_t { kTtlv, kTtlvOverHttps, kJson, kXml };
std::string_view EncodingName(Encoding encoding);

// What a message encoding profile prescribes for its own cases (kmip-profiles-2.1 5.4 to 5.6).
std::optional<Encoding> PrescribedEncoding(std::string_view file);

}  // namespace dare::conformance
