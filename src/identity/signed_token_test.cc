#include "identity/signed_token.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "identity/tokens_for_test.h"

namespace dare::identity {
namespace {

constexpr TokenAlgorithm kAll[] = {TokenAlgorithm::kRs256, TokenAlgorithm::kPs256,
                                   TokenAlgorithm::kEs256, TokenAlgorithm::kEdDsa};

std::vector<JsonWebKey> Keys(std::string_view keys) {
  return *ParseKeySet("{\"keys\":[" + std::string(keys) + "]}");
}

std::optional<Code> RefusalOf(std::string_view text) {
  const auto token = SignedToken::Read(text);
  if (token) return std::nullopt;
  return token.error().code;
}

std::optional<Code> Judge(std::string_view text, const std::vector<JsonWebKey>& keys) {
  const auto token = SignedToken::Read(text);
  if (!token) return token.error().code;
  const auto checked = token->CheckSignature(keys);
  if (checked) return std::nullopt;
  return checked.error().code;
}

std::string TokenWith(std::string_view header, std::string_view claims = "{}",
                      std::string_view signature = "x") {
  return ToBase64Url(AsBytes(header)) + "." + ToBase64Url(AsBytes(claims)) + "." +
         ToBase64Url(AsBytes(signature));
}

TEST(SignedTokenTest, VerifiesThePublishedExamples) {
  EXPECT_EQ(Judge(published::kRsaToken, Keys(published::kRsaKey)), std::nullopt);
  EXPECT_EQ(Judge(published::kEcToken, Keys(published::kEcKey)), std::nullopt);
  EXPECT_EQ(Judge(published::kEdToken, Keys(published::kEdKey)), std::nullopt);
  const auto claims = SignedToken::Read(published::kEcToken)->Verify(Keys(published::kEcKey));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->at("iss"), "joe");
  // A text that is signed and no claims.
  EXPECT_EQ(SignedToken::Read(published::kEdToken)->Verify(Keys(published::kEdKey)).error().code,
            Code::kMalformed);
}

TEST(SignedTokenTest, VerifiesWhatItsIssuerSignsByEachAlgorithm) {
  for (const TokenAlgorithm algorithm : kAll) {
    const IssuerForTest issuer(algorithm);
    const std::string text = issuer.Sign(R"({"sub":"ann"})");
    const auto token = SignedToken::Read(text);
    ASSERT_TRUE(token) << issuer.algorithm_name();
    EXPECT_EQ(token->key_id(), "k1");
    const auto claims = token->Verify(Keys(issuer.jwk()));
    ASSERT_TRUE(claims) << issuer.algorithm_name() << claims.error().message;
    EXPECT_EQ(claims->at("sub"), "ann");
    const IssuerForTest other(algorithm);
    EXPECT_EQ(Judge(text, Keys(other.jwk())), Code::kUnauthenticated) << issuer.algorithm_name();
  }
}

TEST(SignedTokenTest, EveryBitOfASignedTokenCounts) {
  const IssuerForTest issuer(TokenAlgorithm::kEs256);
  const std::vector<JsonWebKey> keys = Keys(issuer.jwk());
  const std::string text = issuer.Sign(R"({"sub":"ann"})");
  ASSERT_EQ(Judge(text, keys), std::nullopt);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string altered = text;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    if (altered == text) continue;
    EXPECT_NE(Judge(altered, keys), std::nullopt) << i;
  }
}

TEST(SignedTokenTest, RefusesAlgorithmsThatProveNothing) {
  for (const char* alg : {"none", "None", "NONE", "nOnE", "HS256", "HS512", "RS512", "ES384",
                          "ES256K", "RSA1_5", "dir", "rs256", ""}) {
    EXPECT_NE(RefusalOf(TokenWith(std::string(R"({"alg":")") + alg + "\"}")), std::nullopt) << alg;
  }
  EXPECT_NE(RefusalOf(TokenWith(R"({"alg":"none"})", "{}", "")), std::nullopt);
  EXPECT_NE(RefusalOf(TokenWith(R"({"alg":["RS256"]})")), std::nullopt);
  EXPECT_NE(RefusalOf(TokenWith(R"({})")), std::nullopt);
}

TEST(SignedTokenTest, AKeyVerifiesNothingOfAnotherKind) {
  const IssuerForTest rsa(TokenAlgorithm::kRs256, "one"), ec(TokenAlgorithm::kEs256, "one"),
      ed(TokenAlgorithm::kEdDsa, "one");
  // Signed by the right key, and the header names the algorithm of another key with this id.
  EXPECT_EQ(Judge(rsa.Sign(R"({"alg":"ES256","kid":"one"})", "{}"), Keys(ec.jwk())),
            Code::kUnauthenticated);
  EXPECT_EQ(Judge(rsa.Sign(R"({"alg":"ES256","kid":"one"})", "{}"), Keys(rsa.jwk())),
            Code::kNotFound);
  EXPECT_EQ(Judge(ed.Sign(R"({"alg":"ES256","kid":"one"})", "{}"), Keys(ed.jwk())),
            Code::kNotFound);
  // PKCS#1 shown as PSS, with a key that says RS256, and one that says nothing.
  EXPECT_EQ(Judge(rsa.Sign(R"({"alg":"PS256","kid":"one"})", "{}"), Keys(rsa.jwk())),
            Code::kNotFound);
  EXPECT_EQ(Judge(rsa.Sign(R"({"alg":"PS256"})", "{}"), Keys(rsa.bare_jwk())),
            Code::kUnauthenticated);
  // All of one id: the kind of key that the algorithm needs decides.
  EXPECT_EQ(Judge(ed.Sign("{}"), Keys(rsa.jwk() + "," + ec.jwk() + "," + ed.jwk())), std::nullopt);
}

TEST(SignedTokenTest, TheKeyIsTheOneThatIsNamed) {
  const IssuerForTest one(TokenAlgorithm::kEs256, "one"), two(TokenAlgorithm::kEs256, "two");
  const std::vector<JsonWebKey> both = Keys(one.jwk() + "," + two.jwk());
  EXPECT_EQ(Judge(two.Sign("{}"), both), std::nullopt);
  EXPECT_EQ(Judge(two.Sign(R"({"alg":"ES256","kid":"one"})", "{}"), both), Code::kUnauthenticated);
  EXPECT_EQ(Judge(two.Sign(R"({"alg":"ES256","kid":"three"})", "{}"), both), Code::kNotFound);
  EXPECT_EQ(Judge(two.Sign(R"({"alg":"ES256"})", "{}"), both), Code::kUnauthenticated);
  EXPECT_EQ(Judge(two.Sign(R"({"alg":"ES256"})", "{}"), Keys(two.jwk())), std::nullopt);
  EXPECT_EQ(Judge(two.Sign("{}"), Keys(two.jwk() + "," + two.jwk())), Code::kUnauthenticated);
}

TEST(SignedTokenTest, KeysInTheTokenItselfAreNotLookedAt) {
  const IssuerForTest issuer(TokenAlgorithm::kEs256), thief(TokenAlgorithm::kEs256);
  const std::string text =
      thief.Sign(R"({"alg":"ES256","kid":"k1","jwk":)" + thief.bare_jwk() + "}", "{}");
  EXPECT_EQ(Judge(text, Keys(issuer.jwk())), Code::kUnauthenticated);
}

TEST(SignedTokenTest, RefusesExtensionsAndOtherTypes) {
  const IssuerForTest issuer(TokenAlgorithm::kEdDsa);
  const auto judge = [&](const std::string& more) {
    return Judge(issuer.Sign(R"({"alg":"EdDSA")" + more + "}", "{}"), Keys(issuer.jwk()));
  };
  EXPECT_EQ(judge(""), std::nullopt);
  for (const char* good : {"JWT", "jwt", "application/jwt", "at+jwt", "application/AT+JWT"}) {
    EXPECT_EQ(judge(std::string(R"(,"typ":")") + good + "\""), std::nullopt) << good;
  }
  for (const char* bad : {"logout+jwt", "dpop+jwt", "JOSE", "secevent+jwt", ""}) {
    EXPECT_NE(judge(std::string(R"(,"typ":")") + bad + "\""), std::nullopt) << bad;
  }
  EXPECT_EQ(judge(R"(,"crit":["b64"],"b64":false)"), Code::kUnsupported);
  EXPECT_EQ(judge(R"(,"crit":[])"), Code::kUnsupported);
  EXPECT_NE(judge(R"(,"kid":7)"), std::nullopt);
  EXPECT_NE(judge(R"(,"kid":")" + std::string(257, 'k') + "\""), std::nullopt);
}

TEST(SignedTokenTest, RefusesWhatIsNoToken) {
  for (const char* bad :
       {"", ".", "..", "...", "a.b", "a.b.c", "e30.e30.", "eyJhbGciOiJFUzI1NiJ9.e30",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA.AA", "eyJhbGciOiJFUzI1NiJ9..", " eyJhbGciOiJFUzI1NiJ9.e30.AA",
        "eyJhbGciOiJFUzI1NiJ9=.e30.AA"}) {
    EXPECT_NE(Judge(bad, Keys(published::kEcKey)), std::nullopt) << bad;
  }
  EXPECT_EQ(RefusalOf(std::string(kMostTokenBytes + 1, 'a')), Code::kTooLarge);
  EXPECT_NE(RefusalOf(TokenWith(std::string(1000, '[') + std::string(1000, ']'))), std::nullopt);
}

TEST(SignedTokenTest, ASignatureOfZeroesIsNone) {
  const std::string zero =
      std::string(published::kEcToken.substr(0, published::kEcToken.rfind('.') + 1)) +
      ToBase64Url(Bytes(64));
  EXPECT_EQ(Judge(zero, Keys(published::kEcKey)), Code::kUnauthenticated);
}

}  // namespace
}  // namespace dare::identity
