#include "exit_code.h"

#include <cerrno>
#include <iostream>

#include "kmip/enums.h"

namespace dare::cli {

int ExitCodeOf(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return kUsage;
    case Code::kDenied:
    case Code::kUnauthenticated:
      return kDenied;
    case Code::kUnavailable:
    case Code::kTimeout:
      return kUnreachable;
    case Code::kDamaged:
      return kDamaged;
    case Code::kMalformed:
    case Code::kTooLarge:
    case Code::kNotFound:
    case Code::kAlreadyExists:
    case Code::kUnsupported:
    case Code::kExhausted:
    case Code::kIo:
    case Code::kConflict:
    case Code::kRejected:
    case Code::kInternal:
      return kFailed;
  }
  return kFailed;
}

std::string_view HintFor(const Error& error) {
  using kmip::ResultReason;
  switch (error.code) {
    case Code::kUnauthenticated:
      if (error.message == "the token is not accepted") {
        return "tokens end soon, and are for one audience: get a new one from its issuer";
      }
      return "this machine's certificate may be expired or revoked; \"dare enroll\" gets a new one";
    case Code::kUnavailable:
    case Code::kTimeout:
      return "see that the key server runs and that `servers` in the configuration names it";
    case Code::kUnsupported:
      if (error.message.starts_with("crypto.require_provider")) {
        return "see [crypto] in client.toml(5), and what \"openssl list -providers\" tells";
      }
      return "";
    case Code::kDenied:
      if (error.message.find("crypto policy is fips") != std::string::npos) {
        return "[crypto] in the configuration of this machine says so; see client.toml(5)";
      }
      if (error.detail == static_cast<std::uint64_t>(ResultReason::kWrongKeyLifecycleState)) {
        return "\"dare key show KEY\" tells the state of the key; a revoked one is out of use";
      }
      if (error.detail == static_cast<std::uint64_t>(ResultReason::kObjectDestroyed)) {
        return "a destroyed key does not come back; another key may still open the file";
      }
      if (error.message.find("needs approval") != std::string::npos) {
        return "\"dare admin approvals\" lists what waits, and for whom";
      }
      return "the key's owner or an administrator decides who may use it";
    case Code::kIo:
      if (error.detail == ENOSPC) return "nothing was left behind; free some space and try again";
      return "";
    default:
      return "";
  }
}

void PrintError(const Error& error) {
  std::cerr << "dare: error: " << error.message << "\n";
  if (const std::string_view hint = HintFor(error); !hint.empty()) {
    std::cerr << "dare: hint: " << hint << "\n";
  }
}

}  // namespace dare::cli
