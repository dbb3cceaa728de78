#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "envelope/io.h"
#include "envelope/rewrap_run.h"

namespace dare::cli {

// The files that a rewrap looks at: those named, then those in a list, each after the other as they
// are asked for. A sealed folder is the file with its key block. One thread at a time.
class RewrapPaths {
 public:
  // With `recursive`, everything below a folder, but for symbolic links, and into no sealed folder.
  // `cancelled`: when it turns true, the list ends.
  RewrapPaths(std::vector<std::string> named, bool recursive, const std::atomic<bool>& cancelled)
      : named_(std::move(named)), recursive_(recursive), cancelled_(cancelled) {}

  // Goes on with the paths in a file ("-": standard input), each followed by `end`.
  Result<void> GoOnWith(const std::string& list, char end);

  std::optional<envelope::RewrapCandidate> Next();

 private:
  using Candidate = envelope::RewrapCandidate;

  std::optional<std::string> NextName();
  std::optional<std::string> NextOfList();
  // Nothing when it is a folder to go into.
  std::optional<Candidate> AtName(const std::string& name);
  // Of the folder that is being listed; nothing at its end, and for what is no file.
  std::optional<Candidate> NextEntry();
  std::optional<Candidate> Enter(const std::string& folder);

  const std::vector<std::string> named_;
  const bool recursive_;
  const std::atomic<bool>& cancelled_;
  std::size_t next_named_ = 0;

  FileDescriptor list_file_;
  std::unique_ptr<envelope::FdSource> list_;
  char list_end_ = '\n';
  std::string list_rest_;  // read, and not given yet
  std::size_t list_at_ = 0;
  std::optional<Error> list_error_;

  std::vector<std::string> folders_;  // to be listed
  std::string folder_;                // being listed
  std::filesystem::directory_iterator entries_;
  std::optional<Candidate> next_;  // found together with another one
};

}  // namespace dare::cli
