#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace dare::kmip {

// Protocol Version, kmip-2.1 9.17 (1.x: 6.1): versions are ordered, so tables say "since" and
// "until" and code says `version >= kVersion2_0`.
struct ProtocolVersion {
  std::int32_t major = 0;
  std::int32_t minor = 0;

  friend constexpr auto operator<=>(const ProtocolVersion&, const ProtocolVersion&) = default;
};

inline constexpr ProtocolVersion kVersion1_0{1, 0};
inline constexpr ProtocolVersion kVersion1_1{1, 1};
inline constexpr ProtocolVersion kVersion1_2{1, 2};
inline constexpr ProtocolVersion kVersion1_3{1, 3};
inline constexpr ProtocolVersion kVersion1_4{1, 4};
inline constexpr ProtocolVersion kVersion2_0{2, 0};
inline constexpr ProtocolVersion kVersion2_1{2, 1};
inline constexpr ProtocolVersion kVersion3_0{3, 0};  // of table rows only: a draft
// The "until" of what was never taken away.
inline constexpr ProtocolVersion kVersionNever{std::numeric_limits<std::int32_t>::max(), 0};

}  // namespace dare::kmip
