#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace dare {

// What went wrong, coarsely; turned into KMIP Result Reasons, exit codes and HTTP statuses at the
// edges, by one exhaustive switch each.
enum class Code : std::uint8_t {
  kInvalidArgument,  // the caller (user, configuration) asked for something that makes no sense
  kMalformed,        // bytes that do not follow their format
  kTooLarge,         // over a length, depth or count limit
  kNotFound,         //
  kAlreadyExists,    //
  kDenied,           // policy, state or usage mask says no
  kUnauthenticated,  // the peer could not prove who it is
  kUnsupported,      // a lawful request that this build or token cannot serve
  kUnavailable,      // KMS, HSM or store cannot be reached
  kTimeout,          //
  kDamaged,          // data that does not authenticate; one text whatever part failed
  kExhausted,        // memory, secure heap, disk, handles
  kIo,               // the operating system refused; detail is errno
  kConflict,         // another change came first
  kRejected,         // a KMIP rejection; detail is the Result Reason
  kInternal,         // our own bug
};

// "not-found", "denied", …: for logs.
std::string_view CodeName(Code code);

// An Error is a code, a message for the log or the person, and the foreign number behind it
// (errno, CK_RV, KMIP Result Reason; 0 when there is none). It never carries key material.
struct [[nodiscard]] Error {
  Code code = Code::kInternal;
  std::string message;
  std::uint64_t detail = 0;

  Error(Code c, std::string m, std::uint64_t d = 0) : code(c), message(std::move(m)), detail(d) {}
  // The same error with `context: ` before its message.
  Error In(std::string_view context) const;
};

// kIo with the text of `errno_value` behind `what`.
Error IoError(std::string_view what, int errno_value);

// A value of type T, or an Error. Result<void> for calls that only succeed or fail.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error error)
      : Base(tl::unexpected<Error>(std::move(error))) {}  // NOLINT: implicit by design
  Result(Base base) : Base(std::move(base)) {}            // NOLINT
};

}  // namespace dare

// Gives the value of a Result, or returns its Error from the enclosing function.
#define TRY(expression)                                         \
  ({                                                            \
    auto&& dare_try_result = (expression);                      \
    if (!dare_try_result.has_value()) [[unlikely]]              \
      return ::dare::Error(std::move(dare_try_result).error()); \
    ::dare::internal::Unwrap(std::move(dare_try_result));       \
  })

namespace dare::internal {
template <typename T>
T Unwrap(Result<T>&& result) {
  return *std::move(result);
}
inline void Unwrap(Result<void>&&) {}
}  // namespace dare::internal
