#include "client/result_reason.h"

#include <string>

#include "kmip/names.h"
#include "kmip/tags.h"

namespace dare::client {

using kmip::ResultReason;

Code CodeOf(ResultReason reason) {
  switch (reason) {
    // Policy, state or usage say no: asking again or somebody else will not help.
    case ResultReason::kPermissionDenied:
    case ResultReason::kNotAuthorised:
    case ResultReason::kWrongKeyLifecycleState:
    case ResultReason::kIncompatibleCryptographicUsageMask:
    case ResultReason::kUsageLimitExceeded:
    case ResultReason::kSensitive:
    case ResultReason::kNotExtractable:
    case ResultReason::kObjectDestroyed:
    case ResultReason::kObjectArchived:
    case ResultReason::kWrappingObjectDestroyed:
    case ResultReason::kWrappingObjectArchived:
    case ResultReason::kConstraintViolation:
    case ResultReason::kReadOnlyAttribute:
    case ResultReason::kAttributeReadOnly:
      return Code::kDenied;
    case ResultReason::kAuthenticationNotSuccessful:
    case ResultReason::kAttestationRequired:
    case ResultReason::kAttestationFailed:
    case ResultReason::kBadPassword:
      return Code::kUnauthenticated;
    case ResultReason::kItemNotFound:
    case ResultReason::kObjectNotFound:
    case ResultReason::kAttributeNotFound:
    case ResultReason::kAttributeInstanceNotFound:
    case ResultReason::kWrappingObjectNotFound:
    case ResultReason::kKeyValueNotPresent:
      return Code::kNotFound;
    case ResultReason::kObjectAlreadyExists:
    case ResultReason::kNonUniqueNameAttribute:
      return Code::kAlreadyExists;
    case ResultReason::kOperationNotSupported:
    case ResultReason::kFeatureNotSupported:
    case ResultReason::kUnsupportedProtocolVersion:
    case ResultReason::kUnsupportedAttribute:
    case ResultReason::kUnsupportedCryptographicParameters:
    case ResultReason::kKeyFormatTypeNotSupported:
    case ResultReason::kKeyCompressionTypeNotSupported:
    case ResultReason::kKeyWrapTypeNotSupported:
    case ResultReason::kApplicationNamespaceNotSupported:
      return Code::kUnsupported;
    case ResultReason::kResponseTooLarge:
      return Code::kTooLarge;
    // The server could not do what it should: its HSM, its store, its disk. Another one may.
    case ResultReason::kGeneralFailure:
    case ResultReason::kInternalServerError:
    case ResultReason::kServerLimitExceeded:
    case ResultReason::kProtectionStorageUnavailable:
    case ResultReason::kPrivateProtectionStorageUnavailable:
    case ResultReason::kPublicProtectionStorageUnavailable:
      return Code::kUnavailable;
    default:
      return Code::kRejected;
  }
}

// The message is the server's text and ends on somebody's terminal.
static std::string Printable(std::string_view text) {
  constexpr std::size_t kMost = 400;
  std::string out(text.substr(0, kMost));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

Error ErrorOf(kmip::Operation operation, std::optional<ResultReason> reason,
              std::string_view message) {
  const auto known = static_cast<std::uint32_t>(reason.value_or(ResultReason::kGeneralFailure));
  const auto code = static_cast<std::uint32_t>(operation);
  const std::string_view name = kmip::EnumSpecName(kmip::Tag::kResultReason, known);
  std::string text = "the key server refused " +
                     std::string(kmip::EnumSpecName(kmip::Tag::kOperation, code)) + ": " +
                     (name.empty() ? "Result Reason " + std::to_string(known) : std::string(name));
  if (!message.empty()) text += " (" + Printable(message) + ")";
  return Error(CodeOf(static_cast<ResultReason>(known)), std::move(text), known);
}

}  // namespace dare::client
