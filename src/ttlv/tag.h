#pragma once

#include <cstdint>
#include <string>

// A tag is a 24-bit number here: its name and meaning are tables of a higher folder
// (gen/kmip/tags.h completes this declaration with the enumerators).
namespace dare::kmip {
enum class Tag : std::uint32_t;
}

namespace dare::ttlv {

constexpr std::uint32_t TagNumber(kmip::Tag tag) { return static_cast<std::uint32_t>(tag); }

// First byte 0x42: the standard's tags; 0x54: extensions (encoding rules, "tag").
constexpr bool IsLawfulTag(std::uint32_t tag) { return tag >> 16 == 0x42 || tag >> 16 == 0x54; }

// "420078", as error messages show a tag.
std::string TagHex(kmip::Tag tag);

}  // namespace dare::ttlv
