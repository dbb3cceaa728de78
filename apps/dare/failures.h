#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "exit_code.h"

namespace dare::cli {

// Tells of errors as they come, so that one bad file does not hide the others. The last one is the
// program's; when their exit codes differ, one that says so, with exit code 1.
class Failures {
 public:
  void Add(Error error) {
    mixed_ = mixed_ || (last_ && ExitCodeOf(last_->code) != ExitCodeOf(error.code));
    Tell();
    last_ = std::move(error);
    ++count_;
  }
  Result<void> Take() && {
    if (!last_) return {};
    if (!mixed_) return *std::move(last_);
    Tell();
    return Error(Code::kRejected, std::to_string(count_) + " failed, for different reasons");
  }
  // Where something else ends the program: the last one is told, too.
  void Tell() {
    if (last_) PrintError(*last_);
    last_.reset();
  }

 private:
  std::optional<Error> last_;
  std::uint64_t count_ = 0;
  bool mixed_ = false;
};

}  // namespace dare::cli
