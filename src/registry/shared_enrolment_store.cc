#include "registry/shared_enrolment_store.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/log.h"
#include "store/change.h"

namespace dare::registry {
namespace {

using server::Certificate;
using server::CertificateRecord;
using server::EnrolmentRecords;
using server::Subject;
using server::TokenGrant;
using Kind = RevocationEvent::Kind;

constexpr std::size_t kMostExpired = 100;  // tokens that one AddToken clears away

CertificateRecord RecordOf(const Certificate& certificate, std::int64_t now) {
  return {certificate.serial, certificate.subject, certificate.fingerprint, now,
          certificate.not_after};
}

}  // namespace

template <typename Change>
Result<void> SharedEnrolmentStore::Commit(Change change) {
  const auto changes = [&](store::Transaction& transaction) -> Result<void> {
    TRY(log_.CatchUp());
    auto table = TRY(engine::GuardedTable::Open(vault_, transaction, kEnrolmentTable));
    TRY(change(transaction, table));
    return table.Finish();
  };
  TRY(store::Change(store_, changes));
  // It is done; who asks here next shall hear of it. Else the log is caught up with soon.
  if (const auto read = log_.CatchUp(); !read) log::Warning(read.error().message);
  return {};
}

template <typename Visit>
Result<void> SharedEnrolmentStore::VisitRows(std::string_view prefix, Visit visit) const {
  const auto visit_good = [&](const std::string& name, Result<ByteView> content) -> Result<void> {
    if (content) return visit(name, *content);
    log::Failure(content.error().message + ": left out");
    return {};
  };
  return rows_.ForEach(prefix, visit_good);
}

// A row that was forged is no token; the log tells, the client does not learn it.
Result<TokenGrant> SharedEnrolmentStore::UsableToken(Result<std::optional<Bytes>> row) const {
  if (!row && row.error().code == Code::kDamaged) {
    log::Failure(row.error().message);
    return server::TokenRefused();
  }
  const std::optional<Bytes> content = TRY(std::move(row));
  if (!content) return server::TokenRefused();
  TokenGrant grant = TRY(DecodeToken(*content));
  if (grant.uses < 1 || grant.expires <= clock_.Now()) return server::TokenRefused();
  return grant;
}

Result<std::vector<std::string>> SharedEnrolmentStore::ExpiredTokens() const {
  std::vector<std::string> expired;
  const auto visit = [&](const std::string& name, ByteView content) -> Result<void> {
    const TokenGrant grant = TRY(DecodeToken(content));
    if (grant.expires <= clock_.Now() && expired.size() < kMostExpired) expired.push_back(name);
    return {};
  };
  TRY(VisitRows(kTokenPrefix, visit));
  return expired;
}

Result<std::string> SharedEnrolmentStore::AddToken(const TokenGrant& grant) {
  const std::string token = TRY(server::NewToken(grant, clock_.Now()));
  const std::vector<std::string> expired = TRY(ExpiredTokens());
  const auto change = [&](store::Transaction&, engine::GuardedTable& table) -> Result<void> {
    for (const std::string& name : expired) TRY(table.Remove(name));
    return table.Put(TokenName(server::HashToken(token)), EncodeToken(grant));
  };
  TRY(Commit(change));
  return token;
}

Result<Subject> SharedEnrolmentStore::CheckToken(std::string_view token) {
  return TRY(UsableToken(rows_.Get(TokenName(server::HashToken(token))))).subject;
}

Result<void> SharedEnrolmentStore::Insert(store::Transaction& transaction,
                                          engine::GuardedTable& table,
                                          const Certificate& certificate) const {
  const std::string& name = certificate.subject.common_name;
  TRY(table.Put(CertificateName(name, certificate.serial),
                EncodeCertificate(RecordOf(certificate, clock_.Now()))));
  if (log_.NameRevoked(name) == 0) return {};
  return log_.Write(transaction, {{Kind::kGood, certificate.serial, clock_.Now()}});
}

Result<Certificate> SharedEnrolmentStore::Redeem(std::string_view token, const Issuer& issue) {
  const std::string name = TokenName(server::HashToken(token));
  const Subject subject = TRY(UsableToken(rows_.Get(name))).subject;
  const Certificate certificate = TRY(issue(subject));
  const auto change = [&](store::Transaction& transaction,
                          engine::GuardedTable& table) -> Result<void> {
    TokenGrant grant = TRY(UsableToken(table.Get(name)));
    --grant.uses;
    TRY(table.Put(name, EncodeToken(grant)));
    return Insert(transaction, table, certificate);
  };
  TRY(Commit(change));
  return certificate;
}

Result<CertificateRecord> SharedEnrolmentStore::Renewable(const std::string& serial,
                                                          const std::string& name,
                                                          const std::string& fingerprint,
                                                          Result<std::optional<Bytes>> row) const {
  const std::optional<Bytes> content = TRY(std::move(row));
  if (!content) return server::RenewalRefused();
  CertificateRecord record = TRY(DecodeCertificate(CertificateName(name, serial), *content));
  const bool good = record.fingerprint == fingerprint && record.not_after > clock_.Now() &&
                    log_.Revoked(serial, name) == 0;
  if (!good) return server::RenewalRefused();
  return record;
}

Result<Certificate> SharedEnrolmentStore::Renew(const std::string& serial, const std::string& name,
                                                const std::string& fingerprint,
                                                const Issuer& issue) {
  const std::string row = CertificateName(name, serial);
  TRY(log_.CatchUp());
  const CertificateRecord old = TRY(Renewable(serial, name, fingerprint, rows_.Get(row)));
  const Certificate certificate = TRY(issue(old.subject));
  const auto change = [&](store::Transaction& transaction,
                          engine::GuardedTable& table) -> Result<void> {
    TRY(Renewable(serial, name, fingerprint, table.Get(row)));
    return Insert(transaction, table, certificate);
  };
  TRY(Commit(change));
  return certificate;
}

Result<void> SharedEnrolmentStore::Record(const Certificate& certificate) {
  return Commit([&](store::Transaction& transaction, engine::GuardedTable& table) {
    return Insert(transaction, table, certificate);
  });
}

Result<bool> SharedEnrolmentStore::RevokeSerial(const std::string& given) {
  const std::string serial = TRY(server::NormalSerial(given));
  bool fresh = false;
  // Writing the enrolment table's sum, too, makes it wait its turn with an issue or a renewal.
  const auto change = [&](store::Transaction& transaction, engine::GuardedTable&) -> Result<void> {
    fresh = log_.SerialRevoked(serial) == 0;
    if (!fresh) return {};
    return log_.Write(transaction, {{Kind::kSerial, serial, clock_.Now()}});
  };
  TRY(Commit(change));
  return fresh;
}

Result<std::size_t> SharedEnrolmentStore::RevokeName(const std::string& name) {
  std::size_t count = 0;
  const auto change = [&](store::Transaction& transaction,
                          engine::GuardedTable& table) -> Result<void> {
    count = 0;
    const std::string prefix = CertificatesOf(name);
    for (const std::string& row : TRY(table.List(prefix))) {
      if (log_.Revoked(row.substr(prefix.size()), name) == 0) ++count;
    }
    for (const std::string& row : TRY(table.List(std::string(kTokenPrefix)))) {
      const auto grant = UsableToken(table.Get(row));
      if (!grant && grant.error().code != Code::kUnauthenticated) return grant.error();
      if (grant && grant->subject.common_name == name) TRY(table.Remove(row));
    }
    return log_.Write(transaction, {{Kind::kName, name, clock_.Now()}});
  };
  TRY(Commit(change));
  return count;
}

Result<CertificateRecord> SharedEnrolmentStore::Find(const std::string& serial,
                                                     const std::string& name) const {
  const std::string row = CertificateName(name, serial);
  const std::optional<Bytes> content = TRY(rows_.Get(row));
  if (!content) return Error(Code::kNotFound, "no certificate with this serial");
  CertificateRecord record = TRY(DecodeCertificate(row, *content));
  record.revoked = log_.Revoked(serial, name);
  return record;
}

Result<std::vector<CertificateRecord>> SharedEnrolmentStore::Certificates() {
  TRY(log_.CatchUp());
  std::vector<CertificateRecord> records;
  const auto visit = [&](const std::string& name, ByteView content) -> Result<void> {
    CertificateRecord record = TRY(DecodeCertificate(name, content));
    record.revoked = log_.Revoked(record.serial, record.subject.common_name);
    records.push_back(std::move(record));
    return {};
  };
  TRY(VisitRows(kCertificatePrefix, visit));
  server::SortByIssue(records);
  return records;
}

Result<EnrolmentRecords> SharedEnrolmentStore::Export() {
  EnrolmentRecords records;
  records.certificates = TRY(Certificates());
  const auto visit = [&](const std::string& name, ByteView content) -> Result<void> {
    const std::string hash = name.substr(kTokenPrefix.size());
    Bytes bytes = TRY(FromHex(hash));
    records.tokens.push_back({std::move(bytes), TRY(DecodeToken(content))});
    return {};
  };
  TRY(VisitRows(kTokenPrefix, visit));
  for (RevocationEvent& event : log_.All(Kind::kSerial)) {
    records.serials.push_back({std::move(event.what), event.when});
  }
  for (RevocationEvent& event : log_.All(Kind::kName)) {
    records.names.push_back({std::move(event.what), event.when});
  }
  return records;
}

// The log's entries for what `records` know to be revoked. A name that either side revoked is
// revoked anew, and those of its certificates are named good that neither side refuses.
Result<std::vector<RevocationEvent>> SharedEnrolmentStore::Merge(
    const engine::GuardedTable& table, const EnrolmentRecords& records) const {
  std::vector<RevocationEvent> events;
  std::set<std::string> theirs_revoked;
  for (const EnrolmentRecords::Revoked& serial : records.serials) {
    theirs_revoked.insert(serial.what);
    if (log_.SerialRevoked(serial.what) == 0) {
      events.push_back({Kind::kSerial, serial.what, serial.when});
    }
  }
  std::map<std::string, std::int64_t> theirs;  // names that they revoked, and when
  for (const EnrolmentRecords::Revoked& name : records.names) theirs[name.what] = name.when;
  std::vector<RevocationEvent> good;
  for (const CertificateRecord& c : records.certificates) {
    const std::string& name = c.subject.common_name;
    const std::int64_t ours = log_.NameRevoked(name);
    if (c.revoked != 0 || theirs_revoked.contains(c.serial) || c.issued <= ours) continue;
    if (ours != 0 || theirs.contains(name)) good.push_back({Kind::kGood, c.serial, c.issued});
  }
  for (const auto& [name, when] : theirs) {
    events.push_back({Kind::kName, name, when});
    for (const std::string& row : TRY(table.List(CertificatesOf(name)))) {
      const auto content = TRY(table.Get(row));
      if (!content) continue;
      const CertificateRecord c = TRY(DecodeCertificate(row, *content));
      const bool is_good = log_.Revoked(c.serial, name) == 0 && c.issued > when;
      if (is_good) good.push_back({Kind::kGood, c.serial, c.issued});
    }
  }
  events.insert(events.end(), std::make_move_iterator(good.begin()),
                std::make_move_iterator(good.end()));
  return events;
}

Result<void> SharedEnrolmentStore::Import(const EnrolmentRecords& records) {
  return Commit([&](store::Transaction& transaction, engine::GuardedTable& table) -> Result<void> {
    const std::vector<RevocationEvent> events = TRY(Merge(table, records));
    for (const EnrolmentRecords::Token& token : records.tokens) {
      const std::string name = TokenName(token.hash);
      if (log_.NameRevoked(token.grant.subject.common_name) != 0)
        continue;  // and so are its tokens
      if (!TRY(table.Get(name))) TRY(table.Put(name, EncodeToken(token.grant)));
    }
    for (const CertificateRecord& c : records.certificates) {
      const std::string name = CertificateName(c.subject.common_name, c.serial);
      if (!TRY(table.Get(name))) TRY(table.Put(name, EncodeCertificate(c)));
    }
    return log_.Write(transaction, events);
  });
}

}  // namespace dare::registry
