#pragma once

#include <string>

#include "base/result.h"

namespace dare::tree {

// Hears of what a run met on its way. Called by the thread that runs it; paths are relative to the
// tree and may hold any bytes but zero.
class TreeObserver {
 public:
  virtual ~TreeObserver() = default;
  // The entry is not in the result (or only in an older version); the run goes on.
  virtual void Failed(const std::string& path, const Error& error) = 0;
  // It was left out on purpose.
  virtual void Skipped(const std::string& path, const std::string& why) = 0;
};

}  // namespace dare::tree
