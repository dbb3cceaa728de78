#include "hsm/module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/pkcs11.h"
#include "hsm/softhsm_for_test.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

TEST(Module, NamesTheModuleThatIsMissing) {
  const auto module = Module::Load("/nonexistent/pkcs11.so");
  ASSERT_FALSE(module.has_value());
  EXPECT_EQ(module.error().code, Code::kNotFound);
  EXPECT_THAT(module.error().message, HasSubstr("/nonexistent/pkcs11.so"));
}

TEST(Module, RefusesALibraryThatIsNoModule) {
  const auto module = Module::Load("libm.so.6");
  ASSERT_FALSE(module.has_value());
  EXPECT_EQ(module.error().code, Code::kUnsupported);
  EXPECT_THAT(module.error().message, HasSubstr("no PKCS#11 module"));
}

TEST(Module, NamesErrorsAsTheStandardDoes) {
  EXPECT_EQ(CkrName(CKR_OK), "CKR_OK");
  EXPECT_EQ(CkrName(CKR_PIN_LOCKED), "CKR_PIN_LOCKED");
  EXPECT_EQ(CkrName(CKR_VENDOR_DEFINED | 5), "CKR_0x80000005");
  const Error error = Pkcs11Error("cannot seal", CKR_DEVICE_REMOVED);
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_EQ(error.detail, CKR_DEVICE_REMOVED);
  EXPECT_EQ(error.message, "cannot seal: CKR_DEVICE_REMOVED");
  EXPECT_EQ(Pkcs11Error("", CKR_VENDOR_DEFINED | 5).code, Code::kUnavailable);
}

class ModuleWithSoftHsm : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
  }
};

TEST_F(ModuleWithSoftHsm, IsOneForOnePath) {
  SoftHsmForTest& token = SoftHsmForTest::Get();
  const auto again = Module::Load(token.module_path());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again, token.module());
  EXPECT_EQ(Module::Load(token.module_path(), "other").error().code, Code::kConflict);
  EXPECT_THAT(token.module()->description(), HasSubstr("SoftHSM"));
}

TEST_F(ModuleWithSoftHsm, FindsATokenByItsLabelOnly) {
  SoftHsmForTest& token = SoftHsmForTest::Get();
  const auto found = token.module()->FindToken(SoftHsmForTest::kTokenLabel);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->initialised);
  EXPECT_TRUE(found->user_pin_set);
  EXPECT_EQ(found->label, SoftHsmForTest::kTokenLabel);
  EXPECT_EQ(token.module()->FindToken(found->label, found->serial)->slot, found->slot);
  EXPECT_EQ(token.module()->FindToken(found->label, "0").error().code, Code::kNotFound);

  const auto missing = token.module()->FindToken("no such token");
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_THAT(missing.error().message, HasSubstr("'no such token'"));
  EXPECT_THAT(missing.error().message, HasSubstr("'dare-test'"));
}

}  // namespace
}  // namespace dare::hsm
