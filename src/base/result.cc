#include "base/result.h"

#include <cstring>

namespace dare {

std::string_view CodeName(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid-argument";
    case Code::kMalformed:
      return "malformed";
    case Code::kTooLarge:
      return "too-large";
    case Code::kNotFound:
      return "not-found";
    case Code::kAlreadyExists:
      return "already-exists";
    case Code::kDenied:
      return "denied";
    case Code::kUnauthenticated:
      return "unauthenticated";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTimeout:
      return "timeout";
    case Code::kDamaged:
      return "damaged";
    case Code::kExhausted:
      return "exhausted";
    case Code::kIo:
      return "io";
    case Code::kConflict:
      return "conflict";
    case Code::kRejected:
      return "rejected";
    case Code::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::In(std::string_view context) const {
  return Error(code, std::string(context) + ": " + message, detail);
}

Error IoError(std::string_view what, int errno_value) {
  char text[128];
  return Error(Code::kIo, std::string(what) + ": " + strerror_r(errno_value, text, sizeof text),
               static_cast<std::uint64_t>(errno_value));
}

}  // namespace dare
