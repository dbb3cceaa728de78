#include "integrity/audit_check.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "audit/entry.h"
#include "audit/segment.h"
#include "audit/verify.h"
#include "engine/running_sum.h"

namespace dare::integrity {
namespace {

constexpr std::size_t kMostClaims = 500'000;  // held at one time

// What the log says last of an object: its row version, 0 where it was removed.
struct Claim {
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;  // of the entry
};

// A claim that the store does not bear out, unless the log says something else of it later.
struct Suspect {
  Claim claim;
  std::uint64_t found = 0;  // the row version that is there; 0: none
};

// One node's log, from its start. Changes are numbered in groups; a group is one transaction, so a
// group that the next one followed was committed, and the last one before a crash may not have
// been.
class LogCheck {
 public:
  LogCheck(const store::WholeReader& snapshot, const AuditFolder& folder,
           const std::atomic<bool>* cancelled, Findings& findings, AuditTotals& totals)
      : snapshot_(snapshot),
        folder_(folder.path),
        last_(folder.last),
        cancelled_(cancelled),
        findings_(findings),
        totals_(totals) {}

  Result<void> Run(const std::map<std::string, std::uint64_t>& groups) {
    const auto walk = TRY(audit::Verify(folder_, [this](const audit::NumberedEntry& numbered) {
      return Take(numbered.sequence, numbered.entry);
    }));
    if (!walk.intact) {
      findings_.Add(Kind::kAuditLog, "",
                    folder_ + "/" + walk.segment + ", line " + std::to_string(walk.line) + ": " +
                        walk.problem);
    }
    TRY(End(groups));
    return Settle();
  }

  // Identifiers that the log says were removed; whether those the log wants and the store lacks
  // were removed by another node is for whoever has all logs.
  const std::set<std::string>& removed() const { return removed_; }
  const std::map<std::string, Suspect>& suspects() const { return suspects_; }

 private:
  Result<void> Take(std::uint64_t sequence, const audit::Entry& entry) {
    if (sequence > last_) return {};
    ++totals_.entries;
    if (totals_.entries % 1024 == 0 && cancelled_ != nullptr && *cancelled_) {
      return Error(Code::kIo, "interrupted", EINTR);
    }
    if (entry.operation == "store-opened" && entry.principal == "dare-kms") {
      return Opened(sequence, entry);
    }
    if (entry.operation == "store-restored" && entry.principal == "dare-kms") {
      if (!node_.empty() && node_ != entry.object_id) return {};  // of another node's sum
      // On purpose, by a person who may: what was said before holds no more.
      claims_.clear();
      held_.clear();
      suspects_.clear();
      removed_.clear();
      held_group_ = entry.group;
      return {};
    }
    // "rolled back: …": nothing of that group happened.
    if (entry.outcome == audit::Outcome::kFailed && entry.group != 0 &&
        entry.group == held_group_) {
      if (!held_.empty()) --held_group_;
      held_.clear();
      return {};
    }
    if (entry.group == 0 || entry.outcome != audit::Outcome::kAllowed) return {};
    ++totals_.claims;
    if (entry.group != held_group_) {
      TRY(Believe());
      held_group_ = entry.group;
    }
    held_[entry.object_id] = {entry.version, sequence};
    return {};
  }

  // What is held was committed.
  Result<void> Believe() {
    for (auto& [id, claim] : held_) {
      if (claim.version == 0) removed_.insert(id);
      if (claim.version != 0) removed_.erase(id);
      claims_[id] = claim;
    }
    held_.clear();
    if (claims_.size() >= kMostClaims) return Settle();
    return {};
  }

  // The server began: its store stood at `entry.group`.
  Result<void> Opened(std::uint64_t sequence, const audit::Entry& entry) {
    node_ = entry.object_id;
    if (held_group_ <= entry.group) return Believe();
    const std::uint64_t back = held_group_ - entry.group;
    held_group_ = entry.group;
    held_.clear();
    if (back == 1) {
      ++totals_.lost_groups;
      return {};
    }
    findings_.Add(Kind::kPutBack, "",
                  folder_ + ", entry " + std::to_string(sequence) + ": the store was put back by " +
                      std::to_string(back) + " groups of changes before this start");
    return {};
  }

  Result<void> End(const std::map<std::string, std::uint64_t>& groups) {
    if (held_group_ == 0) return {};
    const auto found = groups.find(engine::SumKeyOf(node_));
    const std::uint64_t stands = found == groups.end() ? 0 : found->second;
    // A log that tells of no start is of a server that found an empty store; there is one node
    // then.
    const std::uint64_t now = node_.empty() && groups.size() == 1 ? groups.begin()->second : stands;
    if (held_group_ <= now) return Believe();
    held_.clear();  // on its way, or kept back by a crash
    if (held_group_ - now == 1) return {};
    findings_.Add(Kind::kPutBack, "",
                  folder_ + ": the log tells of " + std::to_string(held_group_ - now) +
                      " groups of changes that the store does not have");
    return {};
  }

  // Looks up what is claimed.
  Result<void> Settle() {
    for (const auto& [id, claim] : claims_) {
      suspects_.erase(id);
      const Result<store::ObjectRecord> record = snapshot_.Get(id);
      if (!record) {
        if (record.error().code == Code::kNotFound) {
          if (claim.version != 0) suspects_[id] = {claim, 0};
          continue;
        }
        if (record.error().code == Code::kDamaged) continue;  // the walk has named it
        return record.error();
      }
      if (claim.version == 0 || record->row_version < claim.version) {
        suspects_[id] = {claim, record->row_version};
      }
    }
    claims_.clear();
    return {};
  }

  const store::WholeReader& snapshot_;
  const std::string folder_;
  const std::uint64_t last_;
  const std::atomic<bool>* const cancelled_;
  Findings& findings_;
  AuditTotals& totals_;
  std::string node_;
  std::uint64_t held_group_ = 0;
  std::map<std::string, Claim> held_;              // of held_group_, which may not have happened
  std::unordered_map<std::string, Claim> claims_;  // to be looked up
  std::map<std::string, Suspect> suspects_;
  std::set<std::string> removed_;
};

}  // namespace

Result<AuditFolder> MarkAuditFolder(const std::string& path) {
  if (TRY(audit::ListSegments(path)).empty()) {
    return Error(Code::kNotFound, "no audit log in " + path);
  }
  const auto end = audit::FindEnd(path);
  // A last line that is not ours is for the walk to name.
  const std::uint64_t last = end ? end->sequence : std::numeric_limits<std::uint64_t>::max();
  return AuditFolder{.path = path, .last = last};
}

Result<AuditTotals> CheckAgainstAudit(const store::WholeReader& snapshot,
                                      const std::vector<AuditFolder>& folders,
                                      const std::map<std::string, std::uint64_t>& groups,
                                      const std::atomic<bool>* cancelled, Findings& findings) {
  AuditTotals totals;
  std::set<std::string> removed;
  std::map<std::string, std::pair<Suspect, std::string>> suspects;  // with the folder
  for (const AuditFolder& folder : folders) {
    ++totals.logs;
    LogCheck log(snapshot, folder, cancelled, findings, totals);
    TRY(log.Run(groups));
    removed.insert(log.removed().begin(), log.removed().end());
    for (const auto& [id, suspect] : log.suspects()) suspects.insert({id, {suspect, folder.path}});
  }
  for (const auto& [id, found] : suspects) {
    const auto& [suspect, folder] = found;
    const std::string entry = "entry " + std::to_string(suspect.claim.sequence) + " of " + folder;
    const std::string made = " made it version " + std::to_string(suspect.claim.version);
    const std::string has = "it has version " + std::to_string(suspect.found) + "; ";
    if (suspect.claim.version == 0) {
      // Another node may have brought it again: then its log is among these, and says so.
      if (folders.size() == 1) findings.Add(Kind::kRemovedIsBack, id, has + entry + " removed it");
    } else if (suspect.found != 0) {
      findings.Add(Kind::kOlder, id, has + entry + made);
    } else if (!removed.contains(id)) {
      findings.Add(Kind::kMissing, id, "it is not there; " + entry + made);
    }
  }
  return totals;
}

}  // namespace dare::integrity
