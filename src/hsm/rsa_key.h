#pragma once

#include <cstdint>

// Internal to src/hsm: what RSA keys and signatures in tokens have in common.
namespace dare::hsm {

inline constexpr std::uint8_t kRsaExponent[] = {0x01, 0x00, 0x01};
// DigestInfo of SHA-256 up to the digest (RFC 8017, 9.2, note 1).
inline constexpr std::uint8_t kSha256DigestInfo[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                                     0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                                     0x01, 0x05, 0x00, 0x04, 0x20};

}  // namespace dare::hsm
