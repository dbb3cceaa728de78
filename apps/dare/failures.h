#pragma once

#include <optional>
#include <utility>

#include "exit_code.h"

namespace dare::cli {

// Tells of errors as they come, so that one bad file does not hide the others; the last one is the
// program's.
class Failures {
 public:
  void Add(Error error) {
    if (last_) PrintError(*last_);
    last_ = std::move(error);
  }
  Result<void> Take() && {
    if (last_) return *std::move(last_);
    return {};
  }

 private:
  std::optional<Error> last_;
};

}  // namespace dare::cli
