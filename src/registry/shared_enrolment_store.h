#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/guarded_facts.h"
#include "engine/vault.h"
#include "registry/revocation_log.h"
#include "server/enrolment_store.h"
#include "store/object_store.h"

namespace dare::registry {

// The EnrolmentStore of all nodes on one database. Each change is a transaction that writes the sum
// of its table, so that of two nodes which redeem the last use of a token one finds it used. Its
// answers about revocation come from `log`. What it was given outlives it.
class SharedEnrolmentStore : public server::EnrolmentStore {
 public:
  SharedEnrolmentStore(store::ObjectStore& store, const engine::Vault& vault, RevocationLog& log,
                       const Clock& clock)
      : store_(store),
        vault_(vault),
        log_(log),
        clock_(clock),
        rows_(vault, store, kEnrolmentTable) {}

  Result<std::string> AddToken(const server::TokenGrant& grant) override;
  Result<server::Subject> CheckToken(std::string_view token) override;
  // A certificate is made before the transaction that records it: the database waits for no HSM.
  Result<server::Certificate> Redeem(std::string_view token, const Issuer& issue) override;
  Result<server::Certificate> Renew(const std::string& serial, const std::string& name,
                                    const std::string& fingerprint, const Issuer& issue) override;
  Result<void> Record(const server::Certificate& certificate) override;
  Result<bool> RevokeSerial(const std::string& serial) override;
  Result<std::size_t> RevokeName(const std::string& name) override;
  Result<server::CertificateRecord> Find(const std::string& serial,
                                         const std::string& name) const override;
  Result<std::vector<server::CertificateRecord>> Certificates() override;
  Result<server::EnrolmentRecords> Export() override;
  Result<void> Import(const server::EnrolmentRecords& records) override;

  bool IsRevoked(const std::string& serial, const std::string& common_name) const override {
    return log_.IsRevoked(serial, common_name);
  }
  bool IsKnown() const override { return log_.IsKnown(); }
  std::uint64_t generation() const override { return log_.generation(); }

 private:
  // Makes `change` to the table in a transaction of its own, as often as it takes, and reads what
  // it may have written to the log of revocations.
  template <typename Change>
  Result<void> Commit(Change change);
  template <typename Visit>  // (name, content) of each row that authenticates
  Result<void> VisitRows(std::string_view prefix, Visit visit) const;
  Result<server::TokenGrant> UsableToken(Result<std::optional<Bytes>> row) const;
  Result<server::CertificateRecord> Renewable(const std::string& serial, const std::string& name,
                                              const std::string& fingerprint,
                                              Result<std::optional<Bytes>> row) const;
  Result<void> Insert(store::Transaction& transaction, engine::GuardedTable& table,
                      const server::Certificate& certificate) const;
  Result<std::vector<std::string>> ExpiredTokens() const;
  Result<std::vector<RevocationEvent>> Merge(const engine::GuardedTable& table,
                                             const server::EnrolmentRecords& records) const;

  store::ObjectStore& store_;
  const engine::Vault& vault_;
  RevocationLog& log_;
  const Clock& clock_;
  const engine::GuardedRows rows_;
};

}  // namespace dare::registry
