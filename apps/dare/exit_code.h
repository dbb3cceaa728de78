#pragma once

#include <string_view>

#include "base/result.h"

namespace dare::cli {

// Exit codes are a contract with scripts: dare(1).
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kDenied = 3;
inline constexpr int kUnreachable = 4;
inline constexpr int kDamaged = 5;

int ExitCodeOf(Code code);

// What the person may do about it; empty when we know nothing better than the message.
std::string_view HintFor(const Error& error);

// Writes `dare: error: …` and, where there is one, `dare: hint: …` to standard error.
void PrintError(const Error& error);

}  // namespace dare::cli
