#include "audit_log_administration.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <filesystem>
#include <utility>

#include "audit/checkpoint.h"
#include "audit/checkpoint_file.h"
#include "audit/line.h"
#include "audit/line_reader.h"
#include "audit/pruner.h"
#include "audit/pruning.h"
#include "base/file.h"
#include "crypto/random.h"
#include "lockout_administration.h"
#include "policy/role.h"

namespace dare::kms {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostReadings = 256;
constexpr std::chrono::minutes kLongestPause{10};
constexpr std::size_t kMostCheckpointText = 512u << 10;
constexpr char kAdministrator[] = "administrator";

Result<std::uint64_t> NumberIn(const std::string& text, std::string_view what) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, number);
  if (text.empty() || failure != std::errc() || stopped != end) {
    return Error(Code::kInvalidArgument, "'" + std::string(what) + "' must be a number");
  }
  return number;
}

Result<std::optional<std::int64_t>> MomentIn(const std::string& text, std::string_view what) {
  if (text.empty()) return std::optional<std::int64_t>();
  const Result<std::int64_t> time = audit::ParseTime(text);
  if (!time) {
    return Error(Code::kInvalidArgument,
                 "'" + std::string(what) + "' must be a time like 2027-01-31T12:00:00Z");
  }
  return std::optional<std::int64_t>(*time);
}

Result<std::optional<audit::Outcome>> OutcomeIn(const std::string& text) {
  using audit::Outcome;
  if (text.empty()) return std::optional<Outcome>();
  for (const auto& [name, outcome] :
       {std::pair("allowed", Outcome::kAllowed), std::pair("denied", Outcome::kDenied),
        std::pair("failed", Outcome::kFailed)}) {
    if (text == name) return std::optional<Outcome>(outcome);
  }
  return Error(Code::kInvalidArgument, "'decision' must be allowed, denied or failed");
}

Result<audit::EntryFilter> FilterOf(const server::AuditQuestion& question) {
  audit::EntryFilter filter;
  filter.principal = question.principal;
  filter.object_id = question.object;
  filter.operation = question.operation;
  filter.request_id = question.request;
  filter.outcome = TRY(OutcomeIn(question.decision));
  filter.since = TRY(MomentIn(question.since, "since"));
  filter.until = TRY(MomentIn(question.until, "until"));
  return filter;
}

// The first entry to look at, of a log that has `size`.
Result<std::uint64_t> FirstOf(const server::AuditQuestion& question, std::uint64_t size) {
  if (!question.from.empty() && !question.last.empty()) {
    return Error(Code::kInvalidArgument, "either 'from' or 'last'");
  }
  if (!question.from.empty()) {
    return std::max<std::uint64_t>(1, TRY(NumberIn(question.from, "from")));
  }
  if (question.last.empty()) return std::uint64_t{1};
  const std::uint64_t last = TRY(NumberIn(question.last, "last"));
  return last >= size ? 1 : size - last + 1;
}

// Two readings are the same when this is.
std::string Asked(const server::AuditQuestion& question) {
  json::array all;
  for (const std::string* one :
       {&question.principal, &question.object, &question.operation, &question.decision,
        &question.request, &question.since, &question.until}) {
    all.emplace_back(*one);
  }
  return json::serialize(all);
}

}  // namespace

AuditLogAdministration::Scope AuditLogAdministration::ScopeOf(const server::Peer& peer) const {
  if (!peer.authenticated() || peer.common_name.empty()) return {};  // nobody
  if (readers_.is_administrator(peer)) return {.rule = kAdministrator};
  auto policy = readers_.policy();
  if (policy == nullptr || policy->closed() || readers_.is_locked_out(peer)) return {};
  const policy::Principal principal{.name = peer.common_name, .groups = GroupsOf(peer.units)};
  const policy::Domain& domain = policy->DomainOf(principal.name);
  const policy::RoleSet roles = policy::RolesOf(domain, principal);
  if (!roles.Has(policy::Role::kAuditor) || roles.Contradicts()) return {};
  Scope scope{.rule = "role auditor"};
  if (policy->domains().size() > 1) {
    scope.domain = &domain;
    scope.policy = std::move(policy);
  }
  return scope;
}

std::string AuditLogAdministration::MayRead(const server::Peer& peer) { return ScopeOf(peer).rule; }

bool AuditLogAdministration::Continues(const server::AuditQuestion& question,
                                       const server::Peer& peer, std::uint64_t from) {
  const MutexLock lock(mutex_);
  const auto found = readings_.find(question.reading);
  if (question.reading.empty() || found == readings_.end()) return false;
  const Reading& reading = found->second;
  return reading.who == peer.common_name && reading.asked == Asked(question) &&
         from >= reading.next && clock_.Steady() - reading.used <= kLongestPause;
}

// Where there are too many, the one that was left alone for longest is forgotten, and recorded anew
// when it goes on.
Result<std::string> AuditLogAdministration::Note(const server::AuditQuestion& question,
                                                 const server::Peer& peer, std::uint64_t next) {
  std::array<std::uint8_t, 16> random{};
  TRY(crypto::RandomBytes(random));
  const MutexLock lock(mutex_);
  const auto older = [](const auto& a, const auto& b) { return a.second.used < b.second.used; };
  if (readings_.size() >= kMostReadings) {
    readings_.erase(std::min_element(readings_.begin(), readings_.end(), older));
  }
  readings_.erase(question.reading);
  const std::string name = ToHex(random);
  readings_[name] = {peer.common_name, Asked(question), next, clock_.Steady()};
  return name;
}

Result<server::AuditAnswer> AuditLogAdministration::Entries(const server::AuditQuestion& question,
                                                            const server::Peer& peer) {
  const Scope scope = ScopeOf(peer);
  if (scope.rule.empty()) return Error(Code::kDenied, "the audit log is for auditors");
  // What was answered before this was asked is there.
  TRY(log_.FlushAndSync());
  audit::PageQuery query;
  query.up_to = log_.synced();
  query.from = TRY(FirstOf(question, query.up_to));
  query.filter = TRY(FilterOf(question));
  if (scope.domain != nullptr) {
    query.visible = [&scope](const audit::Entry& entry) {
      return &scope.policy->DomainOf(entry.principal) == scope.domain;
    };
  }
  const audit::LogPage page = TRY(audit::ReadPage(folder_, query));
  server::AuditAnswer answer;
  answer.continues = Continues(question, peer, query.from);
  json::array lines;
  lines.reserve(page.lines.size());
  for (const std::string& line : page.lines) lines.emplace_back(line);
  answer.text = json::serialize(json::object{{"node", node_},
                                             {"entries", std::move(lines)},
                                             {"next", page.next},
                                             {"size", query.up_to},
                                             {"whole", scope.domain == nullptr},
                                             {"reading", TRY(Note(question, peer, page.next))}});
  return answer;
}

Result<std::string> AuditLogAdministration::Checkpoints(const std::string& offset,
                                                        const server::Peer& peer) {
  return CheckpointsIn(folder_ + "/" + audit::kCheckpointFile, offset, peer);
}

Result<std::string> AuditLogAdministration::Witnessed(const std::string& node,
                                                      const std::string& offset,
                                                      const server::Peer& peer) {
  return CheckpointsIn(TRY(witnessed_file_(node)), offset, peer);
}

Result<std::string> AuditLogAdministration::CheckpointsIn(const std::string& path,
                                                          const std::string& offset,
                                                          const server::Peer& peer) const {
  const Scope scope = ScopeOf(peer);
  if (scope.rule.empty() || scope.domain != nullptr) {
    return Error(Code::kDenied, "checkpoints are for whoever may see the whole log");
  }
  std::uint64_t next = offset.empty() ? 0 : TRY(NumberIn(offset, "offset"));
  std::string text;
  if (FileExists(path)) {
    auto reader = audit::LineReader::Open(path, next);
    if (!reader && reader.error().code == Code::kDamaged) {
      return Error(Code::kInvalidArgument, "there are no checkpoints behind that offset");
    }
    if (!reader) return reader.error();
    while (text.size() < kMostCheckpointText) {
      std::string one;
      for (std::size_t i = 0; i < audit::kCheckpointLines; ++i) {
        const std::optional<std::string_view> line = TRY(reader->Next());
        if (!line) break;
        one.append(*line) += '\n';
      }
      if (!audit::ParseCheckpoint(one)) break;  // the end, or one that is being written
      text += one;
      next = reader->offset();
    }
  }
  return json::serialize(json::object{{"checkpoints", text}, {"next", next}});
}

// The keys of before, too: what they signed is still there.
Result<std::string> AuditLogAdministration::Key() {
  json::object keys;
  std::error_code failed;
  std::filesystem::directory_iterator it(folder_, failed);
  for (; !failed && it != std::filesystem::directory_iterator(); it.increment(failed)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with("audit") || !name.ends_with(".pub")) continue;
    const Bytes pem = TRY(ReadFile(it->path().string(), audit::kMostCheckpointBytes));
    keys[name] = AsText(pem);
  }
  if (failed) return IoError("cannot list " + folder_, failed.value());
  return json::serialize(json::object{
      {"node", node_}, {"log", audit::OriginOf(node_)}, {"public_keys", std::move(keys)}});
}

Result<std::string> AuditLogAdministration::Prunings(const server::Peer& peer) {
  const Scope scope = ScopeOf(peer);
  if (scope.rule.empty() || scope.domain != nullptr) {
    return Error(Code::kDenied, "what was removed is for whoever may see the whole log");
  }
  std::string text;
  for (const auto& one : TRY(audit::ReadPrunings(folder_ + "/" + audit::kPruningFile))) {
    text += audit::TextOf(one);
  }
  return json::serialize(json::object{{"prunings", text}});
}

Result<std::string> AuditLogAdministration::Prune(const server::PruneRequest& request,
                                                  const server::Peer& peer) {
  if (request.before.empty() == request.keep_seconds.empty()) {
    return Error(Code::kInvalidArgument, "either 'before' or 'keep_seconds'");
  }
  audit::PruneOptions options;
  const std::int64_t now = clock_.Now();
  if (request.before.empty()) {
    const std::uint64_t keep = TRY(NumberIn(request.keep_seconds, "keep_seconds"));
    options.before = now - static_cast<std::int64_t>(
                               std::min<std::uint64_t>(keep, static_cast<std::uint64_t>(now)));
  } else {
    options.before = *TRY(MomentIn(request.before, "before"));
    if (options.before > now) {
      return Error(Code::kInvalidArgument, "'before' is a time that is still to come");
    }
  }
  const MutexLock lock(prune_mutex_);
  const audit::Checkpointer::Status status = signing_.status();
  options.folder = folder_;
  options.origin = audit::PruningOriginOf(node_);
  options.who = peer.common_name;
  options.address = peer.address;
  options.rule = kAdministrator;
  options.covered = std::min(status.size, status.counted);
  const audit::PruneResult done = TRY(audit::PruneLog(options, log_, clock_, signing_.signer));
  return json::serialize(json::object{{"files", done.files},
                                      {"entries", done.entries},
                                      {"removed", done.size},
                                      {"more", done.more}});
}

}  // namespace dare::kms
