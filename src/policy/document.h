#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

// A policy as one text that people review: TOML, every key described in docs/policy.md. Reading is
// strict: unknown keys, words and values out of range are refused with their line.
namespace dare::policy {

inline constexpr std::size_t kMostDocumentBytes = 256u << 10;

// The policy that `text` says, of which CheckPolicy has nothing to say yet. `name` stands in
// messages: "NAME:LINE: …". kInvalidArgument; kTooLarge.
Result<Policy> ParsePolicy(std::string_view text, const std::string& name);

// The text in its canonical form: ParsePolicy reads it as the same policy.
std::string PrintPolicy(const Policy& policy);

// Whether the policy can be meant: groups that it speaks of, no member in two domains, no roles of
// one principal that exclude one another, no grant that a role forbids, somebody in every domain
// who can take a key out of use. `administrators` are those of the service, by name.
// kInvalidArgument, with the line as above.
Result<void> CheckPolicy(const Policy& policy, const std::vector<std::string>& administrators,
                         const std::string& name);

// "use", "Get", "principal:NAME", …
Result<OperationWord> ParseOperationWord(std::string_view text);
std::string TextOf(const OperationWord& word);
Result<Subject> ParseSubject(std::string_view text);
std::string TextOf(const Subject& subject);

}  // namespace dare::policy
