#include "client/result_reason.h"

#include <gtest/gtest.h>

namespace dare::client {
namespace {

using kmip::ResultReason;

TEST(ResultReason, DenialsMissingThingsAndFaultsAreToldApart) {
  EXPECT_EQ(CodeOf(ResultReason::kPermissionDenied), Code::kDenied);
  EXPECT_EQ(CodeOf(ResultReason::kWrongKeyLifecycleState), Code::kDenied);
  EXPECT_EQ(CodeOf(ResultReason::kIncompatibleCryptographicUsageMask), Code::kDenied);
  EXPECT_EQ(CodeOf(ResultReason::kNotExtractable), Code::kDenied);
  EXPECT_EQ(CodeOf(ResultReason::kObjectDestroyed), Code::kDenied);
  EXPECT_EQ(CodeOf(ResultReason::kAuthenticationNotSuccessful), Code::kUnauthenticated);
  EXPECT_EQ(CodeOf(ResultReason::kItemNotFound), Code::kNotFound);
  EXPECT_EQ(CodeOf(ResultReason::kObjectNotFound), Code::kNotFound);
  EXPECT_EQ(CodeOf(ResultReason::kGeneralFailure), Code::kUnavailable);
  EXPECT_EQ(CodeOf(ResultReason::kCryptographicFailure), Code::kRejected);
  EXPECT_EQ(CodeOf(static_cast<ResultReason>(0x7777)), Code::kRejected);
}

TEST(ResultReason, AnErrorNamesOperationReasonAndMessage) {
  const Error error =
      ErrorOf(kmip::Operation::kEncrypt, ResultReason::kWrongKeyLifecycleState, "it is revoked");
  EXPECT_EQ(error.message,
            "the key server refused Encrypt: Wrong Key Lifecycle State (it is revoked)");
  EXPECT_EQ(ErrorOf(kmip::Operation::kGet, std::nullopt, "").code, Code::kUnavailable);
}

TEST(ResultReason, AServersTextIsCutAndLosesControlCharacters) {
  const std::string hostile = "\x1b]0;title\x07" + std::string(5000, 'x');
  const std::string message =
      ErrorOf(kmip::Operation::kGet, ResultReason::kInvalidField, hostile).message;
  EXPECT_LT(message.size(), 600u);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_EQ(message.find('\x07'), std::string::npos);
}

}  // namespace
}  // namespace dare::client
