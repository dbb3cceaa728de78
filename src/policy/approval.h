#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

// Dual control (docs/dual-control.md): which acts need the approval of others, who has a voice, and
// whether the voices suffice. Pure functions of the policy and of what was said, like the decision.
namespace dare::policy {

inline constexpr std::int64_t kUsualApprovalSeconds = 24 * 60 * 60;

// "Destroy", "RotateMasterKey", …
Result<Act> ParseAct(std::string_view text);
std::string_view ActName(Act act);
// What administrators do, which is about no object.
bool IsOfService(Act act);
// Auditors change nothing and operators have nothing to do with keys, so neither approves.
bool MayApprove(Role role);

// A rule, and where it stands. It borrows the policy.
struct Guard {
  const Policy* policy = nullptr;
  const Domain* domain = nullptr;
  const ApprovalRule* rule = nullptr;
  explicit operator bool() const { return rule != nullptr; }
};

// The rule under which `act` with this object stands: the first of the object's domain that fits.
// None: nobody need be asked.
Guard GuardOf(const Policy& policy, Act act, const ObjectFacts& object);
// The same for an act of administrators: the first of all domains, whoever asks.
Guard GuardOf(const Policy& policy, Act act);
// The rule with this label; none where the policy has it no longer.
Guard GuardNamed(const Policy& policy, std::string_view label);

// "2 of group:keepers, principal:carol": what explanations say.
std::string Demand(const ApprovalRule& rule);

// Whether `who` is among those whose approval counts, or who may do without: they belong to the
// rule's domain, and their roles let them.
bool HasVoice(const Guard& guard, const Principal& who);
bool MayBypass(const Guard& guard, const Principal& who);

struct Voice {
  Principal who;  // as they were when they spoke
  bool approves = false;
};

// What is asked, as far as a decision about it depends on it.
struct Petition {
  std::string requester;
  std::int64_t expires = 0;  // POSIX seconds, exclusive
  std::vector<Voice> voices;
  std::optional<Principal> bypassed_by;
};

enum class Standing : std::uint8_t { kWaiting, kApproved, kRefused, kExpired };

// How the petition stands under the rule that is in force now: voices of whom it names no longer
// count no longer. Never counted are the requester's own and anybody's second. One refusal refuses;
// a bypass lets it happen in spite of it; nothing outlives its time.
Standing StandingOf(const Guard& guard, const Petition& petition, std::int64_t now);
// How many approvals count.
std::uint32_t CountApprovals(const Guard& guard, const Petition& petition);

// Why `who` cannot speak about the petition; empty when they can.
std::string_view WhyNoVoice(const Guard& guard, const Petition& petition, const Principal& who,
                            std::int64_t now);

}  // namespace dare::policy
