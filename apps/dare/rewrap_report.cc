#include "rewrap_report.h"

#include <iostream>

#include "event_object.h"
#include "file_error.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;
using envelope::RewrapCounts;

// Names the file, and what a person may do about it.
Error ToTell(const std::string& path, Error error) {
  error = OpeningError(path, std::move(error));
  if (error.message.find(path) == std::string::npos) error = error.In(path);
  if (error.message.ends_with(envelope::kLosesRecovery)) {
    error.message +=
        "; name its public half with --recipient-key or recovery_keys, or say --drop-recovery";
  }
  return error;
}

// ", 3 WHAT" when there are any.
std::string Any(std::uint64_t count, const char* what) {
  return count == 0 ? std::string() : ", " + std::to_string(count) + " " + what;
}

void PrintText(const RewrapCounts& counts, std::uint64_t kms_messages, bool dry_run) {
  std::cout << counts.rewrapped << (dry_run ? " to be rewrapped, " : " rewrapped, ")
            << counts.done_before << " under these keys already"
            << Any(counts.other_keys, "under other keys") << Any(counts.others, "not sealed")
            << Any(counts.messages, "bare messages, which cannot be rewrapped")
            << Any(counts.repeated, "the same file by another name") << ", " << counts.failed
            << " failed\n"
            << kms_messages << " messages to the key server, " << SizeText(counts.bytes_written)
            << " written\n";
}

json::object ToJson(const envelope::RewrapRunResult& run, std::uint64_t kms_messages,
                    bool dry_run) {
  const RewrapCounts& counts = run.counts;
  return {{"event", "counts"},
          {"dry_run", dry_run},
          {"stopped", run.stopped.has_value()},
          {"rewrapped", counts.rewrapped},
          {"already", counts.done_before},
          {"other_keys", counts.other_keys},
          {"not_sealed", counts.others},
          {"messages", counts.messages},
          {"repeated", counts.repeated},
          {"failed", counts.failed},
          {"kms_messages", kms_messages},
          {"bytes_written", counts.bytes_written}};
}

}  // namespace

RewrapReport::RewrapReport(const RewrapReportOptions& options)
    : options_(options),
      bar_(std::in_place, options.dry_run ? "looking" : "rewrapping", Unit::kRecords),
      progress_(bar_->Callback()) {}

void RewrapReport::Rewrapped(const std::string& path, const envelope::RewrapSummary& summary) {
  if (options_.json) {
    json::object object = EventObject(options_.dry_run ? "to-rewrap" : "rewrapped", path);
    if (!options_.dry_run) {
      object["block_id"] = summary.block_id;
      object["generation"] = summary.generation;
    }
    std::cout << object << "\n";
  } else if (options_.each && options_.dry_run) {
    std::cout << Printable(path) << ": to be rewrapped\n";
  } else if (options_.each) {
    std::cout << Printable(path) << ": key block " << summary.block_id << ", generation "
              << summary.generation << "\n";
  }
}

void RewrapReport::Failed(const std::string& path, const Error& error) {
  Error told = ToTell(path, error);
  if (options_.json) {
    json::object object = EventObject("failed", path);
    object["error"] = told.message;
    object["damaged"] = told.code == Code::kDamaged;
    std::cout << object << "\n";
  }
  failures_.Add(std::move(told));
}

void RewrapReport::Progress(std::uint64_t done) {
  if (progress_) progress_(done, options_.files);
}

Result<void> RewrapReport::Finish(const envelope::RewrapRunResult& run,
                                  std::uint64_t kms_messages) && {
  bar_.reset();
  if (options_.json) {
    std::cout << ToJson(run, kms_messages, options_.dry_run) << "\n";
  } else {
    PrintText(run.counts, kms_messages, options_.dry_run);
  }
  if (!run.stopped) return std::move(failures_).Take();
  failures_.Tell();
  return *run.stopped;
}

}  // namespace dare::cli
