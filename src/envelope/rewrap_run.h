#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "envelope/rewrap.h"

namespace dare::envelope {

// A file that a run is to look at.
struct RewrapCandidate {
  std::string path;
  // Named by a person: it has to be a sealed file. One that was only found is passed over when it
  // is none, and so are symbolic links.
  bool named = true;
  std::optional<Error> error;  // why there is no file to look at
};

// What a run does, as it does it. Called by one thread at a time.
class RewrapObserver {
 public:
  virtual ~RewrapObserver() = default;
  // In a dry run: what would be; the summary says nothing then.
  virtual void Rewrapped(const std::string& path, const RewrapSummary& summary) = 0;
  virtual void Failed(const std::string& path, const Error& error) = 0;
  // So many candidates are done with.
  virtual void Progress(std::uint64_t done) = 0;
};

// Every candidate is in exactly one of these, unless the run was stopped.
struct RewrapCounts {
  std::uint64_t rewrapped = 0;  // in a dry run: would be
  std::uint64_t done_before = 0;
  std::uint64_t other_keys = 0;
  std::uint64_t messages = 0;  // bare ones, found: they cannot be rewrapped
  std::uint64_t others = 0;    // found, and not sealed
  std::uint64_t repeated = 0;  // one file by another name
  std::uint64_t failed = 0;
  std::uint64_t bytes_written = 0;
};

struct RewrapRunOptions {
  bool dry_run = false;                          // nothing is opened for writing, nothing is asked
  const std::atomic<bool>* cancelled = nullptr;  // turns true: the groups under way are finished
};

struct RewrapRunResult {
  RewrapCounts counts;
  // Why it ended before the last candidate: the new KEKs refused or could not be asked, nobody
  // answers for the old ones, or it was cancelled. What was done is done; the same run goes on
  // there.
  std::optional<Error> stopped;
};

// Rewraps what `next` gives, until it gives nothing, where that is needed: in groups, by up to 16
// threads, which share the wrappers of `wish`. Files are known again by device and inode, so that a
// hard link is done once. `next` is called by one thread at a time.
RewrapRunResult RunRewrap(const std::function<std::optional<RewrapCandidate>()>& next,
                          const RewrapWish& wish, const RewrapRunOptions& options,
                          RewrapObserver& observer);

}  // namespace dare::envelope
