#include "engine/split_keys.h"

#include <optional>

#include "engine/refusal.h"

namespace dare::engine {
namespace {

using crypto::SharingMethod;
using kmip::ResultReason;
using kmip::SplitKeyMethod;

std::optional<SharingMethod> Known(SplitKeyMethod method) {
  switch (method) {
    case SplitKeyMethod::kXOR:
      return SharingMethod::kXor;
    case SplitKeyMethod::kPolynomialSharingGF2_8:
      return SharingMethod::kGf256;
    case SplitKeyMethod::kPolynomialSharingGF2_16:
      return SharingMethod::kGf65536;
    case SplitKeyMethod::kPolynomialSharingPrimeField:
      return SharingMethod::kPrimeField;
  }
  return std::nullopt;
}

}  // namespace

Result<crypto::SharingScheme> SchemeOf(const kmip::SplitKeyHead& head,
                                       kmip::ProtocolVersion version) {
  const auto method = Known(head.method);
  if (!method) {
    return RejectIn(version, ResultReason::kInvalidField,
                    ResultReason::kUnsupportedCryptographicParameters,
                    "this Split Key Method is not supported");
  }
  crypto::SharingScheme scheme;
  scheme.method = *method;
  scheme.parts = head.parts < 0 ? 0 : static_cast<std::uint32_t>(head.parts);
  scheme.threshold = head.threshold < 0 ? 0 : static_cast<std::uint32_t>(head.threshold);
  scheme.prime = head.prime;
  if (const auto fits = crypto::CheckScheme(scheme); !fits) {
    return SharingError(fits.error(), version);
  }
  return scheme;
}

Error SharingError(const Error& error, kmip::ProtocolVersion version) {
  switch (error.code) {
    case Code::kDamaged:
      return kmip::Reject(ResultReason::kCryptographicFailure, error.message);
    case Code::kInvalidArgument:
      return RejectIn(version, ResultReason::kInvalidField,
                      ResultReason::kBadCryptographicParameters, error.message);
    case Code::kTooLarge:
      return RejectIn(version, ResultReason::kInvalidField, ResultReason::kServerLimitExceeded,
                      error.message);
    default:
      return error;
  }
}

}  // namespace dare::engine
