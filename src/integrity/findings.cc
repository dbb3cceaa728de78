#include "integrity/findings.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace dare::integrity {

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kAltered:
      return "altered";
    case Kind::kUnreadable:
      return "unreadable";
    case Kind::kEntryMissing:
      return "entry-missing";
    case Kind::kEntryElsewhere:
      return "entry-elsewhere";
    case Kind::kEntryStray:
      return "entry-stray";
    case Kind::kFactAltered:
      return "fact-altered";
    case Kind::kSum:
      return "sum";
    case Kind::kMissing:
      return "missing";
    case Kind::kOlder:
      return "older";
    case Kind::kRemovedIsBack:
      return "removed-is-back";
    case Kind::kPutBack:
      return "put-back";
    case Kind::kAuditLog:
      return "audit-log";
  }
  return "unknown";
}

void Findings::Add(Kind kind, std::string object, std::string what) {
  const MutexLock lock(mutex_);
  ++counts_[kind];
  if (kept_.size() < kMostKept) kept_.push_back({kind, std::move(object), std::move(what)});
}

std::uint64_t Findings::count() const {
  const MutexLock lock(mutex_);
  std::uint64_t all = 0;
  for (const auto& [kind, count] : counts_) all += count;
  return all;
}

std::uint64_t Findings::count(Kind kind) const {
  const MutexLock lock(mutex_);
  const auto found = counts_.find(kind);
  return found == counts_.end() ? 0 : found->second;
}

std::vector<Finding> Findings::Kept() const {
  const MutexLock lock(mutex_);
  std::vector<Finding> sorted = kept_;
  std::ranges::stable_sort(sorted, {}, [](const Finding& f) { return std::tie(f.kind, f.object); });
  return sorted;
}

}  // namespace dare::integrity
