#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

// The crypto policy of a process: anything this folder has, or approved algorithms only and those
// by OpenSSL only. It is the process's and not a connection's or a file's, because OpenSSL's choice
// of a provider is (docs/decisions/fips-policy.md).
namespace dare::crypto {

// [crypto] of client.toml and kms.toml.
struct PolicyChoice {
  bool fips = false;              // policy = "fips"
  bool require_provider = false;  // and OpenSSL's FIPS provider must compute; needs `fips`

  friend bool operator==(const PolicyChoice&, const PolicyChoice&) = default;
};

// Programs load the FIPS provider themselves where it must be there. A library in somebody else's
// program does not change what that program computes with: there it must be in force already.
enum class ProviderLoading : std::uint8_t { kMayLoad, kMustBeInForce };

// Before the first key, and never undone: once confined, a process stays so. It is confined, too,
// where the machine's OpenSSL configuration asks for fips=yes, whatever `choice` says. kUnsupported
// when a provider is required and cannot be had; then nothing was changed. Thread-safe.
Result<void> ApplyPolicy(const PolicyChoice& choice, ProviderLoading loading);

// Whether only approved algorithms (fips_approval.h) may be used, and OpenSSL alone computes them.
bool ConfinedToFips();

// The name and version of the FIPS provider that OpenSSL's default properties lead to; empty where
// they do not ask for one, or there is none. Asks OpenSSL each time.
std::string FipsProvider();

// What a confined process offers and takes in TLS (SP 800-52 rev. 2, 3.3.1; SP 800-56A rev. 3 has
// no X25519).
inline constexpr char kApprovedTls13Suites[] = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";
inline constexpr char kApprovedTlsGroups[] = "P-256:P-384:P-521";

// Confines the process while it lives. Tests of one process each do not run at once.
class ConfinementForTest {
 public:
  ConfinementForTest();
  ~ConfinementForTest();
  ConfinementForTest(const ConfinementForTest&) = delete;
  ConfinementForTest& operator=(const ConfinementForTest&) = delete;
};

}  // namespace dare::crypto
