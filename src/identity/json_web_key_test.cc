#include "identity/json_web_key.h"

#include <gtest/gtest.h>

#include "identity/tokens_for_test.h"

namespace dare::identity {
namespace {

std::string SetOf(std::string_view key) { return "{\"keys\":[" + std::string(key) + "]}"; }

// How many keys of the set are of use; -1: refused as a whole.
int Count(std::string_view text) {
  const auto keys = ParseKeySet(text);
  return keys ? static_cast<int>(keys->size()) : -1;
}

std::string With(std::string_view key, const std::string& member) {
  return SetOf(std::string(key.substr(0, key.size() - 1)) + "," + member + "}");
}

TEST(JsonWebKeyTest, ReadsThePublishedKeys) {
  const auto rsa = ParseKeySet(SetOf(published::kRsaKey));
  ASSERT_EQ(rsa->size(), 1u);
  EXPECT_TRUE(rsa->front().Serves(TokenAlgorithm::kRs256));
  EXPECT_TRUE(rsa->front().Serves(TokenAlgorithm::kPs256));
  EXPECT_FALSE(rsa->front().Serves(TokenAlgorithm::kEs256));
  EXPECT_TRUE(ParseKeySet(SetOf(published::kEcKey))->front().Serves(TokenAlgorithm::kEs256));
  EXPECT_FALSE(ParseKeySet(SetOf(published::kEcKey))->front().Serves(TokenAlgorithm::kEdDsa));
  EXPECT_TRUE(ParseKeySet(SetOf(published::kEdKey))->front().Serves(TokenAlgorithm::kEdDsa));
}

TEST(JsonWebKeyTest, AKeyServesNothingButWhatItSays) {
  const auto keys = ParseKeySet(With(published::kRsaKey, R"("alg":"PS256")"));
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_TRUE(keys->front().Serves(TokenAlgorithm::kPs256));
  EXPECT_FALSE(keys->front().Serves(TokenAlgorithm::kRs256));
}

TEST(JsonWebKeyTest, PassesByKeysThatAreNotForUs) {
  const std::string_view rsa = published::kRsaKey;
  EXPECT_EQ(Count(With(rsa, R"("use":"sig")")), 1);
  EXPECT_EQ(Count(With(rsa, R"("use":"enc")")), 0);
  EXPECT_EQ(Count(With(rsa, R"("use":7)")), 0);
  EXPECT_EQ(Count(With(rsa, R"("key_ops":["verify"])")), 1);
  EXPECT_EQ(Count(With(rsa, R"("key_ops":["encrypt"])")), 0);
  EXPECT_EQ(Count(With(rsa, R"("key_ops":"verify")")), 0);
  EXPECT_EQ(Count(With(rsa, R"("alg":"RS512")")), 0);
  EXPECT_EQ(Count(With(rsa, R"("alg":"none")")), 0);
  EXPECT_EQ(Count(With(rsa, R"("kid":"")")), 0);
  EXPECT_EQ(Count(SetOf(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"})")), 0);
  EXPECT_EQ(Count(SetOf(R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAk","e":"AQAB"})")), 0);
  EXPECT_EQ(Count(SetOf(R"({"kty":"RSA","e":"AQAB"})")), 0);
  EXPECT_EQ(Count(SetOf(R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})")), 0);
  EXPECT_EQ(
      Count(SetOf(
          R"({"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})")),
      0);
  EXPECT_EQ(
      Count(SetOf(
          R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ"})")),
      0);
  EXPECT_EQ(Count(SetOf(std::string(published::kEcKey) + "," + std::string(published::kEdKey))), 2);
}

TEST(JsonWebKeyTest, RefusesPointsThatAreOffTheCurveOrShort) {
  std::string off(published::kEcKey);
  off.replace(off.find("\"f83"), 4, "\"g83");
  EXPECT_EQ(Count(SetOf(off)), 0);
  EXPECT_EQ(
      Count(SetOf(R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA",)"
                  R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})")),
      0);
}

TEST(JsonWebKeyTest, RefusesWhatIsNoSet) {
  for (const char* bad :
       {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[7]}", "{\"keys\":[}", "null"}) {
    EXPECT_EQ(Count(bad), -1) << bad;
  }
  EXPECT_EQ(Count("{\"keys\":[]}"), 0);
  EXPECT_EQ(Count(std::string(kMostKeySetBytes + 1, ' ')), -1);
  std::string many;
  for (int i = 0; i < 101; ++i) many += (i == 0 ? "" : ",") + std::string("{}");
  EXPECT_EQ(Count(SetOf(many)), -1);
  EXPECT_EQ(Count(SetOf(std::string(2000, '[') + std::string(2000, ']'))), -1);
}

}  // namespace
}  // namespace dare::identity
