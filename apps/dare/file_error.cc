#include "file_error.h"

#include "kmip/enums.h"

namespace dare::cli {
namespace {

bool KeyIsUnknown(const Error& error) {
  const auto reason = static_cast<kmip::ResultReason>(error.detail);
  return error.code == Code::kNotFound && (reason == kmip::ResultReason::kItemNotFound ||
                                           reason == kmip::ResultReason::kObjectNotFound);
}

}  // namespace

Error SealingError(Error error) {
  if (error.code == Code::kAlreadyExists) error.message += "; --force writes over it";
  return error;
}

Error OpeningError(const std::string& file, Error error) {
  if (!KeyIsUnknown(error)) return SealingError(std::move(error));
  return Error(Code::kDamaged,
               file + ": sealed under a key that this key server does not know, or damaged",
               error.detail);
}

}  // namespace dare::cli
