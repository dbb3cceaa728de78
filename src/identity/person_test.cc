#include "identity/person.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>

namespace dare::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000;

boost::json::object Claims(const std::string& more = "") {
  return boost::json::parse(
             R"({"iss":"https://id.example","aud":"dare","sub":"ann","exp":1790000600)" + more +
             "}")
      .as_object();
}

ClaimRules Rules() {
  ClaimRules rules;
  rules.issuer = "https://id.example";
  rules.audience = "dare";
  rules.name = "people/*";
  rules.groups_claim = "groups";
  rules.groups = {{"kms-auditors", "auditors"}, {"kms admins", "ops"}};
  return rules;
}

std::string Judge(const boost::json::object& claims, const ClaimRules& rules = Rules(),
                  std::int64_t now = kNow) {
  const auto person = PersonOf(claims, rules, now);
  if (person) return person->name;
  EXPECT_EQ(person.error().code, Code::kUnauthenticated);
  return person.error().message;
}

TEST(PersonTest, IsWhoTheClaimsSay) {
  const auto person = PersonOf(Claims(R"(,"groups":["x","kms-auditors"])"), Rules(), kNow);
  ASSERT_TRUE(person) << person.error().message;
  EXPECT_EQ(person->name, "people/ann");
  EXPECT_THAT(person->groups, ElementsAre("auditors"));
  EXPECT_EQ(person->expires, kNow + 600);
}

TEST(PersonTest, TheIssuerIsToTheLetter) {
  for (const char* issuer :
       {"https://id.example/", "https://ID.example", "", "https://evil.example"}) {
    auto claims = Claims();
    claims["iss"] = issuer;
    EXPECT_THAT(Judge(claims), HasSubstr("another issuer")) << issuer;
  }
  auto claims = Claims();
  claims.erase("iss");
  EXPECT_THAT(Judge(claims), HasSubstr("another issuer"));
  claims["iss"] = boost::json::array{"https://id.example"};
  EXPECT_THAT(Judge(claims), HasSubstr("another issuer"));
}

TEST(PersonTest, TheAudienceIsAmongThoseOfTheToken) {
  auto claims = Claims();
  claims["aud"] = boost::json::array{"other", "dare"};
  EXPECT_EQ(Judge(claims), "people/ann");
  for (const boost::json::value& other :
       {boost::json::value("other"), boost::json::value(boost::json::array{"other"}),
        boost::json::value(boost::json::array{}), boost::json::value(7),
        boost::json::value("dare "),
        boost::json::value(boost::json::array{boost::json::array{"dare"}})}) {
    claims["aud"] = other;
    EXPECT_THAT(Judge(claims), HasSubstr("another audience"));
  }
  claims.erase("aud");
  EXPECT_THAT(Judge(claims), HasSubstr("another audience"));
}

TEST(PersonTest, IsNobodyBeforeAndAfterTheTokensTime) {
  const ClaimRules rules = Rules();
  EXPECT_EQ(Judge(Claims(), rules, kNow + 629), "people/ann");
  EXPECT_THAT(Judge(Claims(), rules, kNow + 630), HasSubstr("expired"));
  EXPECT_EQ(Judge(Claims(R"(,"nbf":1790000030,"iat":1790000030)")), "people/ann");
  EXPECT_THAT(Judge(Claims(R"(,"nbf":1790000031)")), HasSubstr("not good yet"));
  EXPECT_THAT(Judge(Claims(R"(,"iat":1790000031)")), HasSubstr("future"));
  EXPECT_EQ(Judge(Claims(R"(,"nbf":1789999999.5)")), "people/ann");
  auto claims = Claims();
  claims["exp"] = kNow + rules.longest_seconds + rules.skew_seconds + 1;
  EXPECT_THAT(Judge(claims), HasSubstr("too long"));
  claims.erase("exp");
  EXPECT_THAT(Judge(claims), HasSubstr("never expires"));
}

TEST(PersonTest, TimesThatAreNoneAreRefused) {
  auto claims = Claims();
  for (const boost::json::value& bad :
       {boost::json::value("1790000600"), boost::json::value(nullptr), boost::json::value(-1),
        boost::json::value(1e300), boost::json::value(std::uint64_t{1} << 63),
        boost::json::value(true)}) {
    claims["exp"] = bad;
    EXPECT_THAT(Judge(claims), HasSubstr("time"));
  }
}

TEST(PersonTest, TheNameComesFromTheConfiguredClaim) {
  ClaimRules rules = Rules();
  rules.name_claim = "preferred_username";
  EXPECT_EQ(Judge(Claims(R"(,"preferred_username":"anné")"), rules), "people/anné");
  for (const char* bad : {"", R"(,"preferred_username":"")", R"(,"preferred_username":7)",
                          R"(,"preferred_username":"a\u0000b")", R"(,"preferred_username":"a\nb")",
                          R"(,"preferred_username":["ann"])"}) {
    EXPECT_THAT(Judge(Claims(bad), rules), HasSubstr("names nobody")) << bad;
  }
  EXPECT_THAT(Judge(Claims(R"(,"preferred_username":")" + std::string(250, 'a') + "\""), rules),
              HasSubstr("too long"));
  rules.name = "somebody";
  EXPECT_EQ(Judge(Claims(R"(,"preferred_username":"ann")"), rules), "somebody");
}

TEST(PersonTest, AnAddressOfMailMustBeVerified) {
  ClaimRules rules = Rules();
  rules.name_claim = "email";
  EXPECT_EQ(Judge(Claims(R"(,"email":"a@b.c","email_verified":true)"), rules), "people/a@b.c");
  for (const char* bad : {"", R"(,"email_verified":false)", R"(,"email_verified":"true")"}) {
    EXPECT_THAT(Judge(Claims(R"(,"email":"a@b.c")" + std::string(bad)), rules),
                HasSubstr("not verified"));
  }
}

TEST(PersonTest, GroupsAreThoseThatTheConfigurationKnows) {
  const auto groups = [](const std::string& more, const ClaimRules& rules = Rules()) {
    return PersonOf(Claims(more), rules, kNow)->groups;
  };
  EXPECT_THAT(groups(""), ElementsAre());
  EXPECT_THAT(groups(R"(,"groups":"kms-auditors")"), ElementsAre("auditors"));
  EXPECT_THAT(groups(R"(,"groups":["kms-auditors","kms-auditors","kms admins","auditors","ops2"])"),
              ElementsAre("ops", "auditors"));
  EXPECT_THAT(groups(R"(,"groups":[7,null,["kms-auditors"],{"a":"kms-auditors"}])"), ElementsAre());
  EXPECT_THAT(groups(R"(,"groups":{"kms-auditors":true})"), ElementsAre());
  ClaimRules none = Rules();
  none.groups_claim = "";
  EXPECT_THAT(groups(R"(,"groups":["kms-auditors"],"":["kms-auditors"])", none), ElementsAre());
}

TEST(PersonTest, TheLastOfTwoMembersOfOneNameCounts) {
  EXPECT_EQ(Judge(Claims(R"(,"sub":"bob")")), "people/bob");
}

}  // namespace
}  // namespace dare::identity
