#include "hsm/token_setup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/pkcs11.h"
#include "hsm/softhsm_for_test.h"

namespace dare::hsm {
namespace {

class TokenSetup : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
    module_ = SoftHsmForTest::Get().module();
  }
  static TokenPins Pins(std::string_view officer, std::string_view user) {
    return {*SecretBytes::CopyOf(AsBytes(officer)), *SecretBytes::CopyOf(AsBytes(user))};
  }
  std::shared_ptr<Module> module_;
};

TEST_F(TokenSetup, MakesATokenThatOpensWithItsPin) {
  const auto token = InitialiseToken(*module_, "new", Pins("officer", "user-pin"));
  ASSERT_TRUE(token.has_value()) << token.error().message;
  EXPECT_EQ(token->label, "new");
  EXPECT_TRUE(token->user_pin_set);
  SessionPoolOptions options;
  options.token_label = "new";
  EXPECT_TRUE(
      SessionPool::Open(module_, *SecretBytes::CopyOf(AsBytes("user-pin")), options).has_value());
}

TEST_F(TokenSetup, LeavesATokenInUseAlone) {
  const auto again =
      InitialiseToken(*module_, SoftHsmForTest::kTokenLabel, Pins("other-officer", "other-user"));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  SoftHsmForTest::Get().Pool();  // CHECKs that the old PIN works
}

// As after a crash between the two steps.
TEST_F(TokenSetup, CompletesATokenWithoutUserPin) {
  std::string officer = "officer", label = "half" + std::string(28, ' ');
  const std::vector<TokenInfo> tokens = *module_->Tokens();
  for (const TokenInfo& token : tokens) {
    if (token.initialised) continue;
    ASSERT_EQ(module_->functions().C_InitToken(
                  token.slot, reinterpret_cast<unsigned char*>(officer.data()), officer.size(),
                  reinterpret_cast<unsigned char*>(label.data())),
              CKR_OK);
  }
  EXPECT_FALSE(module_->FindToken("half")->user_pin_set);
  EXPECT_EQ(InitialiseToken(*module_, "half", Pins("not-officer", "user-pin")).error().code,
            Code::kUnauthenticated);
  const auto token = InitialiseToken(*module_, "half", Pins("officer", "user-pin"));
  ASSERT_TRUE(token.has_value()) << token.error().message;
  EXPECT_TRUE(token->user_pin_set);
}

TEST_F(TokenSetup, RefusesLabelsAndPinsThatCannotBe) {
  for (const auto& [label, officer, user] :
       {std::tuple{"", "officer", "user-pin"}, std::tuple{"a", "abc", "user-pin"},
        std::tuple{"a", "officer", ""},
        std::tuple{"a label that is longer than 32 bytes", "officer", "user-pin"}}) {
    EXPECT_EQ(InitialiseToken(*module_, label, Pins(officer, user)).error().code,
              Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace dare::hsm
