#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"

namespace dare::integrity {

enum class Kind : std::uint8_t {
  kAltered,         // a row that does not authenticate, or material that does not open
  kUnreadable,      // a row that cannot be a record
  kEntryMissing,    // an index entry of a row is not there
  kEntryElsewhere,  // it leads to another row
  kEntryStray,      // an index entry that no row has
  kFactAltered,     // a fact that does not authenticate
  kSum,             // rows and sums disagree: rows are missing, too many or put back
  kMissing,         // the audit log says that it was made, and it is not there
  kOlder,           // the audit log says that it was changed later
  kRemovedIsBack,   // the audit log says that it was removed
  kPutBack,         // the whole store was put back to an earlier time
  kAuditLog,        // the audit log itself is broken
};
inline constexpr std::size_t kKinds = 12;
// "altered", "entry-missing", …: for scripts.
std::string_view KindName(Kind kind);

struct Finding {
  Kind kind;
  std::string object;  // Unique Identifier, or the fact's key; empty where there is none
  std::string what;    // one sentence
};

// What was found, counted in full and kept up to a bound. Thread-safe.
class Findings {
 public:
  static constexpr std::size_t kMostKept = 10'000;

  void Add(Kind kind, std::string object, std::string what) EXCLUDES(mutex_);
  std::uint64_t count() const EXCLUDES(mutex_);
  std::uint64_t count(Kind kind) const EXCLUDES(mutex_);
  // The first ones, by kind and object.
  std::vector<Finding> Kept() const EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::vector<Finding> kept_ GUARDED_BY(mutex_);
  std::map<Kind, std::uint64_t> counts_ GUARDED_BY(mutex_);
};

}  // namespace dare::integrity
