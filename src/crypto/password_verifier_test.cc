#include "crypto/password_verifier.h"

#include <gtest/gtest.h>

namespace dare::crypto {
namespace {

constexpr std::uint32_t kQuick = 10;

class PasswordVerifierTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20)); }
};

ByteView Password(std::string_view text) { return AsBytes(text); }

TEST_F(PasswordVerifierTest, OpensWithTheRightPasswordOnly) {
  const auto verifier = MakePasswordVerifier("Fred", Password("password1"), {}, kQuick);
  ASSERT_TRUE(verifier) << verifier.error().message;
  const auto right = HashPassword("Fred", Password("password1"));
  const auto opened = OpenPasswordVerifier(*verifier, right->s2.Reveal());
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->s1 == right->s1);
  EXPECT_TRUE(opened->one_time_secret.empty());
  for (const auto& [user, password] : {std::pair{"Fred", "password2"}, {"fred", "password1"}}) {
    const auto wrong = HashPassword(user, Password(password));
    EXPECT_EQ(OpenPasswordVerifier(*verifier, wrong->s2.Reveal()).error().code,
              Code::kUnauthenticated);
  }
}

TEST_F(PasswordVerifierTest, TwoOfOnePasswordDiffer) {
  const auto one = MakePasswordVerifier("Fred", Password("x"), {}, kQuick);
  const auto two = MakePasswordVerifier("Fred", Password("x"), {}, kQuick);
  EXPECT_NE(one->Serialize(), two->Serialize());
}

TEST_F(PasswordVerifierTest, ReadsBackAndRefusesDamage) {
  const Bytes secret(20, '0');
  const auto verifier = MakePasswordVerifier("Fred", Password("x"), secret, kQuick);
  ASSERT_TRUE(verifier);
  const Bytes bytes = verifier->Serialize();
  const auto again = PasswordVerifier::Parse(bytes);
  ASSERT_TRUE(again);
  const auto hashes = HashPassword("Fred", Password("x"));
  const auto opened = OpenPasswordVerifier(*again, hashes->s2.Reveal());
  ASSERT_TRUE(opened);
  EXPECT_TRUE(std::ranges::equal(opened->one_time_secret.Reveal(), secret));
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(PasswordVerifier::Parse(ByteView(bytes).first(cut)));
  }
  Bytes flipped = bytes;
  flipped[25] ^= 1;
  const auto changed = PasswordVerifier::Parse(flipped);
  EXPECT_FALSE(changed && OpenPasswordVerifier(*changed, hashes->s2.Reveal()));
}

TEST_F(PasswordVerifierTest, NobodysOpensForNobody) {
  const auto hashes = HashPassword("", {});
  EXPECT_EQ(OpenPasswordVerifier(NobodysVerifier(), hashes->s2.Reveal()).error().code,
            Code::kUnauthenticated);
}

// RFC 6238, appendix B: the last six of its eight digits.
TEST_F(PasswordVerifierTest, CountsTotpAsTheRfcDoes) {
  const std::string_view secret = "12345678901234567890";
  const std::pair<std::int64_t, const char*> known[] = {
      {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
      {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
  for (const auto& [time, code] : known) {
    EXPECT_EQ(TotpCode(AsBytes(secret), time / kTotpStepSeconds), code);
  }
}

}  // namespace
}  // namespace dare::crypto
