#pragma once

// Internal to src/hsm: what every key that never leaves its token must be, whatever it may do
// there.
#include <algorithm>
#include <array>

#include "hsm/token_objects.h"

namespace dare::hsm {

// CKA_COPYABLE came with PKCS#11 2.40, the others are as old as it.
inline constexpr std::array<AttributeRule, 10> kKeptKeyRules = {{
    {CKA_TOKEN, "CKA_TOKEN", true, false},
    {CKA_PRIVATE, "CKA_PRIVATE", true, false},
    {CKA_SENSITIVE, "CKA_SENSITIVE", true, false},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", true, false},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false, false},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", true, false},
    {CKA_LOCAL, "CKA_LOCAL", true, false},
    {CKA_DERIVE, "CKA_DERIVE", false, false},
    {CKA_MODIFIABLE, "CKA_MODIFIABLE", false, false},
    {CKA_COPYABLE, "CKA_COPYABLE", false, true},
}};

// The same, and which rights the key has and has not.
template <std::size_t N>
constexpr std::array<AttributeRule, kKeptKeyRules.size() + N> KeptKeyRules(
    const AttributeRule (&rights)[N]) {
  std::array<AttributeRule, kKeptKeyRules.size() + N> rules{};
  std::copy(kKeptKeyRules.begin(), kKeptKeyRules.end(), rules.begin());
  std::copy(rights, rights + N, rules.begin() + kKeptKeyRules.size());
  return rules;
}

}  // namespace dare::hsm
