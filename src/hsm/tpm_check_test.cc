#include "hsm/tpm_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hsm/swtpm_for_test.h"
#include "hsm/tpm_connection.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

TEST(TpmCheckTest, FindsAGoodTpmUsableAndLeavesNothing) {
  if (!SwtpmForTest::Available()) GTEST_SKIP() << "swtpm is not installed";
  const auto tpm = SwtpmForTest::Make();
  const TpmReport report = CheckTpm(tpm->tcti());
  for (const TpmFinding& finding : report.findings) {
    EXPECT_TRUE(finding.works) << finding.what << ": " << finding.note;
  }
  EXPECT_TRUE(report.usable());
  ASSERT_EQ(report.findings.size(), 7u);
  EXPECT_EQ(report.findings[0].note, "made by IBM");
  EXPECT_THAT(report.findings[1].note, HasSubstr("storage root key "));
  EXPECT_THAT(report.findings[2].note, HasSubstr(" ms"));
  const auto connection = TpmConnection::Open(tpm->tcti());
  ASSERT_TRUE(connection.has_value());
  EXPECT_EQ((*connection)->HeldElsewhere().value_or(99), 0u);
}

TEST(TpmCheckTest, SaysWhatATpmDoesNotDo) {
  if (!SwtpmForTest::Available()) GTEST_SKIP() << "swtpm is not installed";
  const auto tpm = SwtpmForTest::Make();
  {
    const auto connection = *TpmConnection::Open(tpm->tcti());
    TPM2B_AUTH password{.size = 1, .buffer = {7}};
    ASSERT_EQ(Esys_HierarchyChangeAuth(connection->esys(), ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
                                       ESYS_TR_NONE, ESYS_TR_NONE, &password),
              TSS2_RC_SUCCESS);
  }
  const TpmReport report = CheckTpm(tpm->tcti());
  EXPECT_FALSE(report.usable());
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_THAT(report.findings[0].note, HasSubstr("owner hierarchy has a password"));
}

TEST(TpmCheckTest, SaysThatThereIsNoTpm) {
  const TpmReport report = CheckTpm("device:/nonexistent/tpm");
  EXPECT_FALSE(report.usable());
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_THAT(report.findings[0].note, HasSubstr("cannot reach the TPM"));
}

}  // namespace
}  // namespace dare::hsm
