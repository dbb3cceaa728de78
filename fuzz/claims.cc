// The claims of a token that was signed (identity/person.h): any JSON. Who comes of them has a name
// that can stand in a log, known groups, and a time that has not passed.
#include <algorithm>
#include <boost/json.hpp>

#include "base/check.h"
#include "identity/person.h"

namespace dare::identity {
namespace {

constexpr std::int64_t kNow = 1'790'000'000;

void Read(std::string_view text) {
  boost::system::error_code failure;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, failure);
  if (failure || !value.is_object()) return;
  ClaimRules rules;
  rules.issuer = "https://id.example";
  rules.audience = "dare";
  rules.name = "people/*";
  rules.groups_claim = "groups";
  rules.groups = {{"kms-auditors", "auditors"}, {"kms-admins", "ops"}};
  for (const char* claim : {"sub", "email", "preferred_username"}) {
    rules.name_claim = claim;
    const Result<Person> person = PersonOf(value.get_object(), rules, kNow);
    if (!person) {
      CHECK(person.error().code == Code::kUnauthenticated);
      continue;
    }
    CHECK(person->name.starts_with("people/") && person->name.size() <= 256);
    CHECK(
        std::ranges::none_of(person->name, [](unsigned char c) { return c < 0x20 || c == 0x7f; }));
    CHECK(person->groups.size() <= 2);
    CHECK(person->expires + rules.skew_seconds > kNow);
    CHECK(person->expires <= kNow + rules.skew_seconds + rules.longest_seconds);
  }
}

}  // namespace
}  // namespace dare::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::identity::Read({reinterpret_cast<const char*>(data), size});
  return 0;
}
