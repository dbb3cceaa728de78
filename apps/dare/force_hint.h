#pragma once

#include "envelope/sealed_file.h"

namespace dare::cli {

// The outcome without its summary; where the output existed, with what to do about it.
inline Result<void> WithForceHint(Result<envelope::SealedFileSummary> outcome) {
  if (outcome) return {};
  Error error = std::move(outcome).error();
  if (error.code == Code::kAlreadyExists) error.message += "; --force writes over it";
  return error;
}

}  // namespace dare::cli
