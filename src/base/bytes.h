#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace dare {

using Bytes = std::vector<std::uint8_t>;         // public bytes only; secrets have SecretBytes
using ByteView = std::span<const std::uint8_t>;  // borrowed, read only
using MutableBytes = std::span<std::uint8_t>;    // borrowed, written to

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes ToBytes(ByteView view) { return Bytes(view.begin(), view.end()); }
// Appends; works for Bytes and WipingBytes.
template <typename Buffer>
void Append(Buffer& out, ByteView view) {
  out.insert(out.end(), view.begin(), view.end());
}

std::string ToHex(ByteView bytes);            // lower case
Result<Bytes> FromHex(std::string_view hex);  // kMalformed on anything but pairs of hex digits

std::string ToBase64(ByteView bytes);               // one line, padded
Result<Bytes> FromBase64(std::string_view base64);  // white space allowed; kMalformed otherwise

bool IsValidUtf8(ByteView bytes);

// Big-endian integers, as KMIP, ESDK and our own records use them.
inline void PutU16(std::uint8_t* p, std::uint16_t v) {
  p[0] = static_cast<std::uint8_t>(v >> 8);
  p[1] = static_cast<std::uint8_t>(v);
}
inline void PutU32(std::uint8_t* p, std::uint32_t v) {
  PutU16(p, static_cast<std::uint16_t>(v >> 16));
  PutU16(p + 2, static_cast<std::uint16_t>(v));
}
inline void PutU64(std::uint8_t* p, std::uint64_t v) {
  PutU32(p, static_cast<std::uint32_t>(v >> 32));
  PutU32(p + 4, static_cast<std::uint32_t>(v));
}
inline std::uint16_t GetU16(const std::uint8_t* p) {
  return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}
inline std::uint32_t GetU32(const std::uint8_t* p) {
  return std::uint32_t{GetU16(p)} << 16 | GetU16(p + 2);
}
inline std::uint64_t GetU64(const std::uint8_t* p) {
  return std::uint64_t{GetU32(p)} << 32 | GetU32(p + 4);
}

}  // namespace dare
