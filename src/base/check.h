#pragma once

namespace dare::internal {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);
}

// For our own bugs only, on in release builds; input never reaches one.
#define CHECK(condition) \
  ((condition) ? void(0) : ::dare::internal::CheckFailed(#condition, __FILE__, __LINE__))
