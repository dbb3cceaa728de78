#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "audit/audit_log.h"
#include "audit/checkpointer.h"
#include "audit/log_page.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "policy/policy.h"
#include "server/audit_routes.h"
#include "server/config.h"

namespace dare::kms {

// Who is who, for the audit log's readers.
struct AuditReaders {
  std::function<bool(const server::Peer&)> is_administrator;  // and not locked out
  std::function<bool(const server::Peer&)> is_locked_out;
  std::function<std::shared_ptr<const policy::Policy>()> policy;  // null: none is in force
};

// What signs this node's audit log, and how far it did.
struct AuditSigning {
  audit::SignerSource signer;
  std::function<audit::Checkpointer::Status()> status;
};

// Where the checkpoints of another node's log are; kNotFound where it is not witnessed here.
using WitnessedFile = std::function<Result<std::string>(const std::string& node)>;

// Gives out this node's audit log over HTTPS: all of it to administrators of the service and, where
// the policy has no domain but the default one, to its auditors. Where it has more, an auditor sees
// the entries of its own domain's principals. Only what is on the disk is given. And removes the
// oldest files of it for administrators. Thread-safe; what it is given outlives it.
class AuditLogAdministration : public server::AuditOffice {
 public:
  AuditLogAdministration(const server::Config& config, audit::AuditLog& log, const Clock& clock,
                         AuditReaders readers, AuditSigning signing, WitnessedFile witnessed)
      : folder_(config.audit_folder),
        node_(config.node),
        log_(log),
        clock_(clock),
        readers_(std::move(readers)),
        signing_(std::move(signing)),
        witnessed_file_(std::move(witnessed)) {}

  std::string MayRead(const server::Peer& peer) override;
  Result<server::AuditAnswer> Entries(const server::AuditQuestion& question,
                                      const server::Peer& peer) override;
  Result<std::string> Checkpoints(const std::string& offset, const server::Peer& peer) override;
  Result<std::string> Witnessed(const std::string& node, const std::string& offset,
                                const server::Peer& peer) override;
  Result<std::string> Key() override;
  Result<std::string> Prunings(const server::Peer& peer) override;
  // The one way in which entries are removed.
  Result<std::string> Prune(const server::PruneRequest& request, const server::Peer& peer) override
      EXCLUDES(prune_mutex_);

 private:
  // What somebody may see.
  struct Scope {
    std::string rule;                              // empty: nothing
    std::shared_ptr<const policy::Policy> policy;  // null: everything; else
    const policy::Domain* domain = nullptr;        // entries of this one's principals
  };
  // Pages that follow one another are one reading: it is recorded once. What a reader asks for must
  // stay the same, and go forwards.
  struct Reading {
    std::string who, asked;
    std::uint64_t next = 0;
    std::chrono::steady_clock::time_point used;
  };

  Scope ScopeOf(const server::Peer& peer) const;
  Result<std::string> CheckpointsIn(const std::string& path, const std::string& offset,
                                    const server::Peer& peer) const;
  bool Continues(const server::AuditQuestion& question, const server::Peer& peer,
                 std::uint64_t from) EXCLUDES(mutex_);
  Result<std::string> Note(const server::AuditQuestion& question, const server::Peer& peer,
                           std::uint64_t next) EXCLUDES(mutex_);

  const std::string folder_, node_;
  audit::AuditLog& log_;
  const Clock& clock_;
  const AuditReaders readers_;
  const AuditSigning signing_;
  const WitnessedFile witnessed_file_;

  Mutex prune_mutex_;  // one removal at a time

  Mutex mutex_;
  std::map<std::string, Reading> readings_ GUARDED_BY(mutex_);
};

}  // namespace dare::kms
