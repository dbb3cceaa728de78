#include "kmip/reject.h"

#include <utility>

#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

ResultReason Specific(const Error& error) {
  switch (error.code) {
    case Code::kRejected:
      return static_cast<ResultReason>(error.detail);
    case Code::kInvalidArgument:
      return ResultReason::kInvalidField;
    case Code::kMalformed:
      return ResultReason::kInvalidMessage;
    case Code::kTooLarge:
      return ResultReason::kInvalidMessage;
    case Code::kNotFound:
      return ResultReason::kObjectNotFound;
    case Code::kAlreadyExists:
      return ResultReason::kNonUniqueNameAttribute;
    case Code::kDenied:
      return ResultReason::kPermissionDenied;
    case Code::kUnauthenticated:
      return ResultReason::kAuthenticationNotSuccessful;
    case Code::kUnsupported:
      return ResultReason::kFeatureNotSupported;
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kDamaged:
    case Code::kExhausted:
    case Code::kIo:
    case Code::kConflict:
    case Code::kInternal:
      return ResultReason::kGeneralFailure;
  }
  return ResultReason::kGeneralFailure;
}

// What a reason of 2.x is called before it existed (lifecycle and attribute rules of kmip-1.4
// section 11).
ResultReason Older(ResultReason reason) {
  switch (reason) {
    case ResultReason::kObjectNotFound:
    case ResultReason::kObjectDestroyed:
    case ResultReason::kAttributeInstanceNotFound:
    case ResultReason::kInvalidAsynchronousCorrelationValue:
      return ResultReason::kItemNotFound;
    case ResultReason::kWrongKeyLifecycleState:
    case ResultReason::kIncompatibleCryptographicUsageMask:
    case ResultReason::kAttributeReadOnly:
    case ResultReason::kReadOnlyAttribute:
    case ResultReason::kUsageLimitExceeded:
    case ResultReason::kBadPassword:
    case ResultReason::kNotAuthorised:
      return ResultReason::kPermissionDenied;
    case ResultReason::kAttributeSingleValued:
    case ResultReason::kMultiValuedAttribute:
      return ResultReason::kIllegalOperation;
    case ResultReason::kMissingInitializationVector:
      return ResultReason::kInvalidMessage;
    case ResultReason::kGeneralFailure:
      return ResultReason::kGeneralFailure;
    default:
      return ResultReason::kInvalidField;
  }
}

}  // namespace

Error Reject(ResultReason reason, std::string message) {
  return Error(Code::kRejected, std::move(message), static_cast<std::uint64_t>(reason));
}

ResultReason ReasonFor(const Error& error, ProtocolVersion version) {
  const ResultReason reason = Specific(error);
  // The list of 2.0 has Wrong Key Lifecycle State already, but its published cases go on with what
  // 1.x says (AKLC-M-2-20, CS-AC-M-8-20); those of 2.1 do not.
  if (reason == ResultReason::kWrongKeyLifecycleState && version == kVersion2_0) {
    return Older(reason);
  }
  // And those that lack the password of a PKCS#12 container (TC-PKCS12-2-20) name its state.
  if (reason == ResultReason::kBadPassword && version == kVersion2_0) {
    return ResultReason::kWrongKeyLifecycleState;
  }
  if (EnumExists(Tag::kResultReason, static_cast<std::uint32_t>(reason), version)) return reason;
  return Older(reason);
}

std::string MessageFor(const Error& error) {
  switch (error.code) {
    case Code::kUnavailable:
      return "the key store or its HSM cannot be reached; try again";
    case Code::kTimeout:
      return "the key store did not answer in time; try again";
    case Code::kDamaged:
      return "the stored record does not authenticate; it was refused";
    case Code::kExhausted:
      return "the server is out of memory or disk space";
    case Code::kIo:
    case Code::kConflict:
    case Code::kInternal:
      return "the server could not complete the operation";
    default:
      return error.message;
  }
}

}  // namespace dare::kmip
