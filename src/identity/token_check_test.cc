#include "identity/token_check.h"

#include <gmock/gmock.h>

#include "identity/tokens_for_test.h"

namespace dare::identity {
namespace {

using testing::HasSubstr;

class TokenCheckTest : public testing::Test {
 protected:
  TokenCheckTest() {
    rules_.claims.issuer = "https://id.example";
    rules_.claims.audience = "dare";
    rules_.claims.name = "people/*";
    rules_.algorithms = {TokenAlgorithm::kEs256, TokenAlgorithm::kRs256};
  }
  std::string Claims(std::int64_t lifetime = 600) const {
    return R"({"iss":"https://id.example","aud":"dare","sub":"ann","exp":)" +
           std::to_string(clock_.Now() + lifetime) + "}";
  }
  std::string Judge(std::string_view token) {
    const auto person = TokenCheck(rules_, source_, clock_).WhoShows(token);
    return person ? person->name : person.error().message;
  }

  ManualClockForTest clock_;
  IssuerForTest issuer_{TokenAlgorithm::kEs256}, next_{TokenAlgorithm::kEs256, "k2"};
  std::string set_ = issuer_.key_set();
  KeySource source_{[this]() -> Result<std::string> { return set_; }, {}, clock_};
  TokenRules rules_;
};

TEST_F(TokenCheckTest, SaysWhoShowsAToken) {
  EXPECT_EQ(Judge(issuer_.Sign(Claims())), "people/ann");
  clock_.Advance(601);
  EXPECT_THAT(Judge(issuer_.Sign(Claims(-601))), HasSubstr("expired"));
}

TEST_F(TokenCheckTest, ANewKeyOfTheIssuerIsFetched) {
  EXPECT_EQ(Judge(issuer_.Sign(Claims())), "people/ann");
  set_ = next_.key_set();
  EXPECT_THAT(Judge(next_.Sign(Claims())), HasSubstr("no such key"));  // within the bound
  clock_.Advance(30);
  EXPECT_EQ(Judge(next_.Sign(Claims())), "people/ann");
  EXPECT_THAT(Judge(issuer_.Sign(Claims())), HasSubstr("no such key"));
}

TEST_F(TokenCheckTest, AlgorithmsAreThoseThatAreConfigured) {
  const IssuerForTest edwards(TokenAlgorithm::kEdDsa);
  set_ = edwards.key_set();
  EXPECT_THAT(Judge(edwards.Sign(Claims())), HasSubstr("not configured"));
  rules_.algorithms = {TokenAlgorithm::kEdDsa};
  EXPECT_EQ(Judge(edwards.Sign(Claims())), "people/ann");
}

TEST_F(TokenCheckTest, APublicKeyIsNoSecretToSignBy) {
  // HS256 with the public key as its secret: the token is refused before any key is looked at.
  const std::string header =
      ToBase64Url(AsBytes(std::string_view(R"({"alg":"HS256","kid":"k1"})")));
  EXPECT_THAT(Judge(header + "." + ToBase64Url(AsBytes(Claims())) + "." +
                    ToBase64Url(issuer_.public_der())),
              HasSubstr("another algorithm"));
}

}  // namespace
}  // namespace dare::identity
