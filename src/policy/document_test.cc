#include "policy/document.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policy/conditions_text.h"

namespace dare::policy {
namespace {

constexpr char kWhole[] = R"(# The whole language.
format = 1

[[domain]]
name = "default"
[domain.roles]
client = ["principal:*"]
operator = ["principal:watch \"1\""]

[[domain]]
name = "payments"
members = ["pay-*", "carol", "dave"]
[[domain.group]]
name = "apps"
members = ["pay-app*"]
certificates = true
[domain.roles]
administrator = ["principal:carol"]
custodian = ["principal:carol"]
client = ["group:apps"]
auditor = ["principal:dave"]
[[domain.grant]]
name = "orders"
to = ["group:apps", "principal:pay-*", "role:client"]
operations = ["use", "read", "manage", "make", "all", "Get", "ReKey", "MACVerify"]
objects = ["orders-*", "7c0d"]
object_groups = ["orders"]
addresses = ["10.0.0.0/8", "::1", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"]
days = ["fri", "mon"]
hours = "22:00-06:30"
until = "2027-02-28T23:59:59Z"
rate = "100/60s"
uses = 1000
[[domain.grant]]
name = "not-at-night"
effect = "deny"
to = ["principal:*"]
operations = ["all"]
hours = "00:00-24:00"
)";

std::string MessageOf(const std::string& text, const std::vector<std::string>& administrators) {
  const Result<Policy> policy = ParsePolicy(text, "p");
  if (!policy) return policy.error().message;
  const Result<void> checked = CheckPolicy(*policy, administrators, "p");
  return checked ? "good" : checked.error().message;
}

// The least policy, with `more` in its only domain.
std::string With(const std::string& more) {
  return "format = 1\n[[domain]]\nname = \"default\"\n" + more;
}

TEST(PolicyDocument, IsTheSameAfterPrintingAndReading) {
  const Result<Policy> policy = ParsePolicy(kWhole, "p");
  ASSERT_TRUE(policy) << policy.error().message;
  const std::string printed = PrintPolicy(*policy);
  const Result<Policy> again = ParsePolicy(printed, "p");
  ASSERT_TRUE(again) << again.error().message << "\n" << printed;
  EXPECT_EQ(*again, *policy) << printed;
  EXPECT_EQ(PrintPolicy(*again), printed);
  EXPECT_EQ(MessageOf(kWhole, {"root"}), "good");
}

TEST(PolicyDocument, SaysWhatIsWrongAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "p:1: 'format = 1' is needed"},
      {"format = 2\n", "p:1: format must be from 1 to 1"},
      {"format = 1\n", "p:1: the domain \"default\" is needed"},
      {With("colour = 1\n"), "p:4: unknown key 'domain.colour'"},
      {With("[[domain]]\nname = \"default\"\n"), "p:4: there are two with the name 'default'"},
      {With("[[domain]]\nname = \"A\"\n"), "p:4: a name is needed"},
      {With("members = [\"a\"]\n"), "p:2: the default domain has everybody"},
      {With("[domain.roles]\nclient = [\"alice\"]\n"), "p:5: 'alice' is neither principal:NAME"},
      {With("[domain.roles]\nclient = [\"role:client\"]\n"), "p:5: a role is held by"},
      {With("[domain.roles]\nroot = [\"principal:a\"]\n"), "p:5: unknown key 'domain.roles.root'"},
      {With("[domain.roles]\nclient = [\"group:none\"]\n"), "p:5: unknown group 'none'"},
      {With("[domain.roles]\nclient = [\"principal:a*b*c\"]\n"), "p:5: 'a*b*c' has more than one"},
      {With("[domain.roles]\nclient = [\"principal:root\"]\n"),
       "p:5: 'root' would hold roles that exclude one another: administrator, client (the "
       "configuration"},
      {With("[domain.roles]\nclient = [\"principal:a\"]\nauditor = [\"principal:a\"]\n"),
       "p:6: 'a' would hold roles that exclude one another: auditor, client"},
      {With("[[domain]]\nname = \"b\"\nmembers = [\"b\"]\n"),
       "p:4: the domain 'b' would have neither an administrator nor a custodian"},
      {With("[[domain]]\nname = \"b\"\nmembers = [\"x*y\"]\n[domain.roles]\ncustodian = "
            "[\"principal:xy\"]\n[[domain]]\nname = \"c\"\nmembers = [\"*zy\"]\n"),
       "p:9: member '*zy' may be in the domain 'b', too"},
      {With("[[domain]]\nname = \"b\"\nmembers = [\"x\"]\n[domain.roles]\ncustodian = "
            "[\"principal:x\"]\nclient = [\"principal:y\"]\n"),
       "p:9: 'y' is in the domain 'default', not in 'b'"}};
  for (const auto& [text, message] : cases) {
    EXPECT_TRUE(MessageOf(text, {"root"}).starts_with(message))
        << text << "gives: " << MessageOf(text, {"root"});
  }
  EXPECT_TRUE(MessageOf(With(""), {}).starts_with("p:2: the domain 'default' would have neither"));
  EXPECT_EQ(MessageOf(With(""), {"root"}), "good");
}

TEST(PolicyDocument, RefusesGrantsThatCannotBeMeant) {
  const auto with = [](const std::string& lines) {
    return With("[domain.roles]\nauditor = [\"principal:a\"]\n[[domain.grant]]\nname = \"g\"\n" +
                lines);
  };
  const std::string to = "to = [\"principal:b\"]\n", all = "operations = [\"all\"]\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {all, "p:6: 'to' is needed"},
      {to, "p:6: 'operations' is needed"},
      {to + "operations = [\"Gett\"]\n", "p:9: 'Gett' is no operation"},
      {to + "operations = [\"Query\"]\n", "p:9: 'Query' is an operation that every principal"},
      {to + "operations = [\"Put\"]\n", "p:9: 'Put' is an operation that is not offered"},
      {to + all + "objects = []\n", "p:10: objects must not be empty"},
      {to + all + "object_groups = [\"a*\"]\n", "p:10: an object group is named exactly"},
      {to + all + "addresses = [\"10.0.0.1/8\"]\n", "p:10: '10.0.0.1/8' has bits behind"},
      {to + all + "addresses = [\"10.0.0.0/33\"]\n", "p:10: '10.0.0.0/33' has no length"},
      {to + all + "addresses = [\"host\"]\n", "p:10: 'host' is no range"},
      {to + all + "days = [\"monday\"]\n", "p:10: 'monday' must be written like"},
      {to + all + "hours = \"8:00-9:00\"\n", "p:10: '8:00-9:00' must be written like"},
      {to + all + "hours = \"08:00-08:00\"\n", "p:10: '08:00-08:00' must be"},
      {to + all + "until = \"2027-02-29T00:00:00Z\"\n", "p:10: '2027-02-29T00:00:00Z' must be"},
      {to + all + "until = 2027-02-28T00:00:00Z\n", "p:10: domain.grant.until must be a text"},
      {to + all + "rate = \"0/1s\"\n", "p:10: '0/1s' must be written"},
      {to + all + "rate = \"1/1h\"\n", "p:10: '1/1h' must be written"},
      {to + all + "uses = 0\n", "p:10: domain.grant.uses must be from"},
      {to + all + "effect = \"forbid\"\n", "p:10: domain.grant.effect must be one of"},
      {to + all + "effect = \"deny\"\nuses = 1\n", "p:6: a grant that denies is not counted"},
      {"to = [\"principal:a\"]\n" + all, "p:6: 'g' grants 'a' what the role auditor may not do"},
      {"to = [\"role:administrator\"]\noperations = [\"Get\"]\n",
       "p:6: 'g' grants the role what the role administrator may not do"}};
  for (const auto& [lines, message] : cases) {
    EXPECT_TRUE(MessageOf(with(lines), {"root"}).starts_with(message))
        << lines << "gives: " << MessageOf(with(lines), {"root"});
  }
  EXPECT_EQ(MessageOf(with(to + all), {"root"}), "good");
}

TEST(PolicyDocument, HasABound) {
  const std::string large(kMostDocumentBytes + 1, '#');
  EXPECT_EQ(ParsePolicy(large, "p").error().code, Code::kTooLarge);
}

TEST(PolicyDocument, WritesMomentsAsItReadsThem) {
  for (const char* text :
       {"1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "9999-12-31T00:00:01Z"}) {
    const Result<std::int64_t> moment = ParseMoment(text);
    ASSERT_TRUE(moment) << text;
    EXPECT_EQ(MomentText(*moment), text);
  }
  EXPECT_EQ(*ParseMoment("2026-11-29T00:00:00Z"), 1795910400);
}

TEST(AddressRange, KnowsWhatIsInIt) {
  const auto contains = [](const char* range, const char* address) {
    return AddressRange::Parse(range)->Contains(address);
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_TRUE(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", ""));
  EXPECT_FALSE(contains("10.0.0.0/8", "10.0.0.1x"));
  EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
  EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.100"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_FALSE(contains("::/0", "10.0.0.1"));
  EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
}

}  // namespace
}  // namespace dare::policy
