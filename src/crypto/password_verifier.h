#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_bytes.h"

// What a server keeps of a user's password: enough to check every way in which KMIP shows one, and
// too little to find it without trying passwords, each at the price of scrypt (RFC 7914).
//
// KMIP's Hashed Password (kmip-2.1 9.11) is Hash(S1 || Timestamp) || S2 with S1 = SHA-256(user ||
// password) and S2 = SHA-256(password || user). So the client shows S2, and the server must know
// S1. The record has S1, and the secret of one-time passwords, wrapped (RFC 3394, 5649) under keys
// that scrypt derives from S2: who steals the record has neither. A wrong S2 does not unwrap.
namespace dare::crypto {

struct PasswordVerifier {
  Bytes salt;
  std::uint32_t log2_cost = 0;    // scrypt's N = 2^log2_cost, with r = 8 and p = 1
  Bytes wrapped_s1;               // AES key wrap
  Bytes wrapped_one_time_secret;  // AES key wrap with padding; empty: no one-time passwords

  // How records keep it.
  Bytes Serialize() const;
  static Result<PasswordVerifier> Parse(ByteView serialized);
};

inline constexpr std::uint32_t kPasswordLog2Cost = 15;  // 32 MiB, some 80 ms

struct PasswordHashes {
  SecretBytes s1, s2;
};
Result<PasswordHashes> HashPassword(std::string_view user, ByteView password);

// Takes as long as one check. `one_time_secret` may be empty; 10 to 64 bytes otherwise.
Result<PasswordVerifier> MakePasswordVerifier(std::string_view user, ByteView password,
                                              ByteView one_time_secret,
                                              std::uint32_t log2_cost = kPasswordLog2Cost);

struct OpenedVerifier {
  SecretBytes s1, one_time_secret;
};
// Slow on purpose. kUnauthenticated when `s2` is not that of the password.
Result<OpenedVerifier> OpenPasswordVerifier(const PasswordVerifier& verifier, ByteView s2);

// A verifier of a password nobody knows: checking it takes the usual time and fails.
const PasswordVerifier& NobodysVerifier();

// Hash(S1 || Timestamp), which a Hashed Password begins with; Timestamp is microseconds as 8 bytes.
Bytes PasswordProof(ByteView s1, std::int64_t time_stamp);
// Hash(Timestamp || S1 || Hash(S2)), the Server Hashed Password.
Bytes ServerPasswordProof(ByteView s1, ByteView s2, std::int64_t time_stamp);

// TOTP (RFC 6238) with SHA-1, 6 digits and steps of 30 s.
inline constexpr std::int64_t kTotpStepSeconds = 30;
std::string TotpCode(ByteView secret, std::int64_t step);

}  // namespace dare::crypto
