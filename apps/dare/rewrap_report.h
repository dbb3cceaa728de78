#pragma once

#include <optional>
#include <string>

#include "envelope/rewrap_run.h"
#include "failures.h"
#include "progress_bar.h"

namespace dare::cli {

struct RewrapReportOptions {
  bool json = false;
  bool dry_run = false;
  bool each = false;                   // a line for each file; always so with `json`
  std::optional<std::uint64_t> files;  // how many there are, where that is known
};

// Tells what a rewrap does, as it does it, and its counts at the end: failures to standard error,
// the rest to standard output; with `json` everything is one JSON object a line on standard output,
// the counts last.
class RewrapReport final : public envelope::RewrapObserver {
 public:
  explicit RewrapReport(const RewrapReportOptions& options);
  void Rewrapped(const std::string& path, const envelope::RewrapSummary& summary) override;
  void Failed(const std::string& path, const Error& error) override;
  void Progress(std::uint64_t done) override;

  // Prints the counts and gives what the program ends with.
  Result<void> Finish(const envelope::RewrapRunResult& run, std::uint64_t kms_messages) &&;

 private:
  const RewrapReportOptions options_;
  Failures failures_;
  std::optional<ProgressBar> bar_;
  const envelope::Progress progress_;
};

}  // namespace dare::cli
