#include "server/principal_rules.h"

#include <gmock/gmock.h>

#include "crypto/certificate_names.h"
#include "server/identity_config.h"

namespace dare::server {
namespace {

using testing::HasSubstr;

const Bytes kOwn = {1}, kSpire = {2}, kOffice = {3};

PrincipalRule Rule(const PrincipalRuleConfig& config, std::vector<Bytes> issuers = {}) {
  auto rule = PrincipalRule::Parse(config);
  EXPECT_TRUE(rule) << rule.error().message;
  rule->issuers = std::move(issuers);
  return *std::move(rule);
}

// "name" or "name: unit, unit" or why not.
std::string Who(const PrincipalRules& rules, const crypto::CertificateNames& names,
                const std::vector<Bytes>& chain = {kSpire}) {
  const auto identity = rules.Identify(names, chain);
  if (!identity) {
    EXPECT_EQ(identity.error().code, Code::kUnauthenticated);
    return identity.error().message;
  }
  std::string text = identity->name;
  for (const std::string& unit : identity->units) text += " +" + unit;
  return text;
}

std::string Mistake(const PrincipalRuleConfig& config) {
  const auto rule = PrincipalRule::Parse(config);
  return rule ? "accepted" : rule.error().message;
}

crypto::CertificateNames Uris(std::vector<std::string> uris) { return {.uris = std::move(uris)}; }

TEST(PrincipalRulesTest, TheCommonNameDecidesWithoutRulesAndUnderOurOwnAuthority) {
  const std::vector<Bytes> own = {kSpire, kOwn}, other = {kSpire};
  EXPECT_TRUE(PrincipalRules({}, kOwn).NamesItself(other));
  const PrincipalRules rules({Rule({.from = "subject-cn", .name = "*"})}, kOwn);
  EXPECT_TRUE(rules.NamesItself(own));
  EXPECT_FALSE(rules.NamesItself(other));
  EXPECT_FALSE(rules.NamesItself({}));
  EXPECT_FALSE(PrincipalRules({Rule({.from = "subject-cn", .name = "*"})}, {}).NamesItself(own));
}

TEST(PrincipalRulesTest, TakesTheNameFromWhereTheRuleSays) {
  const crypto::CertificateNames names{.subject = "CN=web1,O=Example",
                                       .common_names = {"web1"},
                                       .units = {"blue", "dare-administrator"},
                                       .hosts = {"Web1.Example.ORG"},
                                       .uris = {"spiffe://example.org/ns/a/sa/web"},
                                       .emails = {"Ann@Example.ORG"}};
  const auto by = [&](const PrincipalRuleConfig& config) {
    return Who(PrincipalRules({Rule(config)}, {}), names);
  };
  EXPECT_EQ(by({.from = "subject-cn", .name = "ext/*"}), "ext/web1");
  EXPECT_EQ(by({.from = "subject", .match = "*,O=Example", .name = "ext/*"}), "ext/CN=web1");
  EXPECT_EQ(by({.from = "san-dns", .match = "*.example.org", .name = "*"}), "web1");
  EXPECT_EQ(by({.from = "san-email", .match = "*@example.org", .name = "office-*"}), "office-Ann");
  EXPECT_EQ(by({.from = "san-uri", .match = "spiffe://example.org/ns/a/*", .name = "mesh-a/*"}),
            "mesh-a/sa/web");
  EXPECT_EQ(by({.from = "san-uri", .match = "spiffe://example.org/*", .name = "the-mesh"}),
            "the-mesh");
}

TEST(PrincipalRulesTest, GivesGroupsAndNeverARole) {
  const crypto::CertificateNames names{.common_names = {"web1"},
                                       .units = {"blue", "dare-administrator", "dare-client"}};
  PrincipalRuleConfig config{.from = "subject-cn", .name = "*", .groups = {"ext"}};
  EXPECT_EQ(Who(PrincipalRules({Rule(config)}, {}), names), "web1 +ext");
  config.certificate_groups = true;
  EXPECT_EQ(Who(PrincipalRules({Rule(config)}, {}), names), "web1 +ext +blue");
  config.groups = {"dare-administrator"};
  EXPECT_THAT(Mistake(config), HasSubstr("is no group"));
}

TEST(PrincipalRulesTest, TheFirstRuleThatFitsDecides) {
  const PrincipalRules rules(
      {Rule({.from = "san-uri", .match = "spiffe://a.example/*", .name = "a/*"}),
       Rule({.from = "san-dns", .match = "*.example.org", .name = "host/*"}),
       Rule({.from = "subject-cn", .match = "db-*", .name = "*"})},
      {});
  EXPECT_EQ(Who(rules, {.hosts = {"x.example.org"}, .uris = {"spiffe://a.example/x"}}), "a/x");
  EXPECT_EQ(Who(rules, {.hosts = {"x.example.org"}, .uris = {"spiffe://b.example/x"}}), "host/x");
  EXPECT_EQ(Who(rules, {.common_names = {"db-7"}, .hosts = {"x.example.com"}}), "7");
  EXPECT_THAT(Who(rules, {.common_names = {"web"}}), HasSubstr("no rule"));
  EXPECT_THAT(Who(rules, {}), HasSubstr("no rule"));
}

TEST(PrincipalRulesTest, TwoNamesThatFitAreNone) {
  const PrincipalRules rules(
      {Rule({.from = "san-uri", .match = "spiffe://a.example/*", .name = "a/*"}),
       Rule({.from = "subject-cn", .match = "*", .name = "cn/*"})},
      {});
  EXPECT_THAT(Who(rules, Uris({"spiffe://a.example/x", "spiffe://a.example/y"})),
              HasSubstr("two names"));
  EXPECT_THAT(Who(rules, Uris({"spiffe://a.example/x", "spiffe://a.example/x"})),
              HasSubstr("two names"));
  EXPECT_EQ(Who(rules, Uris({"spiffe://a.example/x", "spiffe://b.example/y"})), "a/x");
  EXPECT_THAT(Who(rules, {.common_names = {"a", "b"}}), HasSubstr("two names"));
}

TEST(PrincipalRulesTest, ARuleOfAnIssuerIsForWhatItVouchesFor) {
  const PrincipalRules rules(
      {Rule({.from = "san-uri", .match = "spiffe://a.example/*", .name = "a/*"}, {kSpire}),
       Rule({.from = "subject-cn", .name = "office/*"}, {kOffice})},
      kOwn);
  const crypto::CertificateNames names{.common_names = {"ann"}, .uris = {"spiffe://a.example/x"}};
  EXPECT_EQ(Who(rules, names, {kSpire}), "a/x");
  EXPECT_EQ(Who(rules, names, {{9}, kSpire}), "a/x");  // an intermediate between
  EXPECT_EQ(Who(rules, names, {kOffice}), "office/ann");
  EXPECT_THAT(Who(rules, names, {{9}}), HasSubstr("no rule"));
}

TEST(PrincipalRulesTest, NamesThatAreNoneAreRefused) {
  const auto host = [](const std::string& name) {
    return Who(PrincipalRules({Rule({.from = "san-dns", .name = "*"})}, {}), {.hosts = {name}});
  };
  EXPECT_EQ(host("a.example"), "a.example");
  EXPECT_THAT(host("*.example"), HasSubstr("host name"));
  EXPECT_THAT(host("a b"), HasSubstr("host name"));
  EXPECT_THAT(host(""), HasSubstr("host name"));
  const auto email = [](const std::string& name) {
    return Who(PrincipalRules({Rule({.from = "san-email", .name = "*"})}, {}), {.emails = {name}});
  };
  EXPECT_EQ(email("a@Example.org"), "a@example.org");
  for (const char* bad : {"a", "@b", "a@", "a@b@c", "a b@c"}) {
    EXPECT_THAT(email(bad), HasSubstr("e-mail")) << bad;
  }
  const auto uri = [](const std::string& name) {
    return Who(PrincipalRules({Rule({.from = "san-uri", .name = "*"})}, {}), Uris({name}));
  };
  EXPECT_EQ(uri("spiffe://a.example"), "spiffe://a.example");
  EXPECT_EQ(uri("https://a.example/%41"), "https://a.example/%41");
  for (const char* bad :
       {"spiffe://", "spiffe:///x", "SPIFFE://a/x", "spiffe://A/x", "spiffe://a/", "spiffe://a//x",
        "spiffe://a/../x", "spiffe://a/./x", "spiffe://a/%2e", "spiffe://a/x?y", "spiffe://a/x#y",
        "spiffe://u@a/x", "spiffe://a:1/x", "no-uri", "a: b"}) {
    EXPECT_THAT(uri(bad), HasSubstr("URI")) << bad;
  }
}

TEST(PrincipalRulesTest, NamesOfNoLetterOrTooManyAreRefused) {
  const PrincipalRules rules({Rule({.from = "subject-cn", .match = "x*", .name = "ext/*"})}, {});
  EXPECT_THAT(Who(rules, {.common_names = {"x"}}), HasSubstr("empty"));
  EXPECT_THAT(Who(rules, {.common_names = {std::string(257, 'x')}}), HasSubstr("too long"));
}

TEST(PrincipalRulesTest, RulesThatCannotBeMeantAreRefused) {
  EXPECT_THAT(Mistake({.from = "san-ip", .name = "*"}), HasSubstr("principals.from"));
  EXPECT_THAT(Mistake({.from = "san-dns"}), HasSubstr("must not be empty"));
  EXPECT_THAT(Mistake({.from = "san-dns", .match = "", .name = "a"}), HasSubstr("empty"));
  EXPECT_THAT(Mistake({.from = "san-dns", .match = "a*b*", .name = "a"}), HasSubstr("one '*'"));
  EXPECT_THAT(Mistake({.from = "san-dns", .match = "a.example", .name = "x*"}), HasSubstr("'*'"));
  EXPECT_EQ(Mistake({.from = "san-dns", .match = "a.example", .name = "a"}), "accepted");
}

}  // namespace
}  // namespace dare::server
