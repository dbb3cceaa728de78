#include "identity/person.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace dare::identity {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostName = 256;
constexpr double kLastMoment = 253402300799;  // of the year 9999

Error Refused(const char* why) { return Error(Code::kUnauthenticated, why); }

std::string_view ViewOf(const json::string& text) { return {text.data(), text.size()}; }

const json::value* Find(const json::object& claims, std::string_view name) {
  return claims.if_contains({name.data(), name.size()});
}

std::optional<std::string_view> TextIn(const json::object& claims, std::string_view name) {
  const json::value* const value = Find(claims, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return ViewOf(value->get_string());
}

// RFC 7519, 2: NumericDate, whose fractions do not count here.
Result<std::optional<std::int64_t>> MomentIn(const json::object& claims, std::string_view name) {
  const json::value* const value = Find(claims, name);
  if (value == nullptr) return std::optional<std::int64_t>();
  if (!value->is_number()) return Refused("a time in the token is no number");
  const double seconds = value->to_number<double>();
  if (!(seconds >= 0 && seconds <= kLastMoment)) return Refused("a time in the token is none");
  return std::optional(static_cast<std::int64_t>(std::floor(seconds)));
}

Result<std::int64_t> CheckTimes(const json::object& claims, const ClaimRules& rules,
                                std::int64_t now) {
  const auto expires = TRY(MomentIn(claims, "exp"));
  const auto begins = TRY(MomentIn(claims, "nbf"));
  const auto issued = TRY(MomentIn(claims, "iat"));
  if (!expires) return Refused("the token never expires");
  //= rfc7519 4.1.4
  //# The processing of the "exp" claim requires that the current date/time MUST be before the
  //# expiration date/time listed in the "exp" claim.
  if (now >= *expires + rules.skew_seconds) return Refused("the token has expired");
  const std::int64_t latest = now + rules.skew_seconds;
  if (begins && *begins > latest) return Refused("the token is not good yet");
  if (issued && *issued > latest) return Refused("the token is from the future");
  if (*expires > latest + rules.longest_seconds) return Refused("the token is good for too long");
  return *expires;
}

//= rfc7519 4.1.3
//# If the principal processing the claim does not identify itself with a value in the "aud" claim
//# when this claim is present, then the JWT MUST be rejected.
bool IsFor(const json::object& claims, std::string_view audience) {
  const json::value* const value = Find(claims, "aud");
  if (value == nullptr) return false;
  if (value->is_string()) return ViewOf(value->get_string()) == audience;
  return value->is_array() && std::ranges::any_of(value->get_array(), [&](const json::value& one) {
           return one.is_string() && ViewOf(one.get_string()) == audience;
         });
}

bool IsPlain(std::string_view text) {
  return !text.empty() && IsValidUtf8(AsBytes(text)) &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<std::string> NameOf(const json::object& claims, const ClaimRules& rules) {
  const auto text = TextIn(claims, rules.name_claim);
  if (!text || !IsPlain(*text)) return Refused("the token names nobody");
  if (rules.name_claim == "email") {
    const json::value* const verified = Find(claims, "email_verified");
    if (verified == nullptr || !verified->is_bool() || !verified->get_bool()) {
      return Refused("the address in the token is not verified");
    }
  }
  std::string name = rules.name;
  if (const std::size_t star = name.find('*'); star != std::string::npos) {
    name.replace(star, 1, *text);
  }
  if (name.size() > kMostName) return Refused("the name in the token is too long");
  return name;
}

// Those that the configuration gives a meaning to, once each, in its order.
std::vector<std::string> GroupsOf(const json::object& claims, const ClaimRules& rules) {
  std::vector<std::string> groups;
  const json::value* const value =
      rules.groups_claim.empty() ? nullptr : Find(claims, rules.groups_claim);
  if (value == nullptr) return groups;
  const auto holds = [&](const std::string& wanted) {
    if (value->is_string()) return ViewOf(value->get_string()) == wanted;
    return value->is_array() &&
           std::ranges::any_of(value->get_array(), [&](const json::value& one) {
             return one.is_string() && ViewOf(one.get_string()) == wanted;
           });
  };
  for (const auto& [theirs, ours] : rules.groups) {
    if (holds(theirs) && std::ranges::find(groups, ours) == groups.end()) groups.push_back(ours);
  }
  return groups;
}

}  // namespace

Result<Person> PersonOf(const json::object& claims, const ClaimRules& rules, std::int64_t now) {
  if (TextIn(claims, "iss") != rules.issuer) return Refused("the token is of another issuer");
  if (!IsFor(claims, rules.audience)) return Refused("the token is for another audience");
  Person person;
  person.expires = TRY(CheckTimes(claims, rules, now));
  person.name = TRY(NameOf(claims, rules));
  person.groups = GroupsOf(claims, rules);
  return person;
}

}  // namespace dare::identity
