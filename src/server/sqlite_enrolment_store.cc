#include "server/sqlite_enrolment_store.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "server/line_list.h"
#include "store/sqlite_schema.h"

namespace dare::server {
namespace {

// units: one a line; names have no control characters. revision: changes with every revocation, so
// that other processes reload the lists only then.
constexpr char kVersion1[] = R"sql(
CREATE TABLE tokens (
  hash BLOB NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  units TEXT NOT NULL,
  expires INTEGER NOT NULL,
  uses INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE certificates (
  serial TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  units TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  issued INTEGER NOT NULL,
  not_after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX certificates_by_name ON certificates (name);
CREATE TABLE revoked_serials (serial TEXT NOT NULL PRIMARY KEY, revoked INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE revoked_names (name TEXT NOT NULL PRIMARY KEY, revoked INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE revision (value INTEGER NOT NULL) STRICT;
INSERT INTO revision (value) VALUES (1);
)sql";
constexpr store::Migration kMigrations[] = {{1, kVersion1}};

void BindOne(store::Statement& statement, std::int64_t value) { statement.Bind(value); }
void BindOne(store::Statement& statement, const std::string& text) { statement.BindText(text); }
void BindOne(store::Statement& statement, const Bytes& bytes) { statement.BindBytes(bytes); }

// A statement without rows, its parameters in order.
template <typename... Values>
Result<void> Run(store::Connection& connection, std::string_view sql, const Values&... values) {
  store::Statement statement = TRY(connection.Prepare(sql));
  (BindOne(statement, values), ...);
  return statement.Run();
}

Result<bool> IssuedAndGood(store::Connection& connection, const std::string& serial) {
  store::Statement statement =
      TRY(connection.Prepare("SELECT 1 FROM certificates WHERE serial = ?1 AND NOT EXISTS "
                             "(SELECT 1 FROM revoked_serials WHERE serial = ?1)"));
  return statement.BindText(serial).Step();
}

constexpr std::string_view kRecords =
    "SELECT c.serial, c.name, c.units, c.fingerprint, c.issued, c.not_after, "
    "coalesce(r.revoked, 0) FROM certificates c LEFT JOIN revoked_serials r USING (serial) ";

CertificateRecord RecordOf(const store::Statement& row) {
  return {row.Text(0),    {row.Text(1), SplitLines(row.Text(2))},
          row.Text(3),    row.Integer(4),
          row.Integer(5), row.Integer(6)};
}

}  // namespace

Result<std::unique_ptr<SqliteEnrolmentStore>> SqliteEnrolmentStore::Open(const std::string& path,
                                                                         const Clock& clock) {
  {
    const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return IoError("cannot open " + path, errno);
  }
  store::Connection::Options options;
  options.may_write = true;
  options.cache_bytes = 1u << 20;
  store::Connection writer = TRY(store::Connection::Open(path, options));
  if (auto upgraded = store::UpgradeSchema(writer, kMigrations); !upgraded) {
    return upgraded.error().In(path);
  }
  options.may_write = false;
  store::Connection reader = TRY(store::Connection::Open(path, options));
  std::unique_ptr<SqliteEnrolmentStore> made(
      new SqliteEnrolmentStore(std::move(writer), std::move(reader), clock));
  const MutexLock lock(made->reading_);
  TRY(made->Refresh());
  return made;
}

// Takes the write lock first, so that two processes cannot both see the last use of a token.
template <typename Work>
std::invoke_result_t<Work> SqliteEnrolmentStore::InTransaction(Work work) {
  TRY(writer_.Execute("BEGIN IMMEDIATE"));
  auto result = work();
  if (result) {
    if (auto committed = writer_.Execute("COMMIT"); committed)
      return result;
    else
      result = committed.error();
  }
  if (writer_.InTransaction()) (void)writer_.Execute("ROLLBACK");
  return result;
}

Result<std::string> SqliteEnrolmentStore::AddToken(const TokenGrant& grant) {
  const std::string token = TRY(NewToken(grant, clock_.Now()));
  const Bytes hash = HashToken(token);
  const std::string units = JoinLines(grant.subject.units);
  const MutexLock lock(mutex_);
  const auto add = [&]() NO_THREAD_SAFETY_ANALYSIS -> Result<void> {
    TRY(Run(writer_, "DELETE FROM tokens WHERE expires <= ?", clock_.Now()));
    return Run(writer_,
               "INSERT INTO tokens (hash, name, units, expires, uses) VALUES (?, ?, ?, ?, ?)", hash,
               grant.subject.common_name, units, grant.expires, grant.uses);
  };
  TRY(InTransaction(add));
  return token;
}

Result<Subject> SqliteEnrolmentStore::FindToken(ByteView hash) {
  store::Statement statement = TRY(writer_.Prepare(
      "SELECT name, units FROM tokens WHERE hash = ? AND uses > 0 AND expires > ?"));
  statement.BindBytes(hash).Bind(clock_.Now());
  if (!TRY(statement.Step())) return TokenRefused();
  return Subject{statement.Text(0), SplitLines(statement.Text(1))};
}

Result<Subject> SqliteEnrolmentStore::CheckToken(std::string_view token) {
  const Bytes hash = HashToken(token);
  const MutexLock lock(mutex_);
  return FindToken(hash);
}

Result<Certificate> SqliteEnrolmentStore::Redeem(std::string_view token, const Issuer& issue) {
  const Bytes hash = HashToken(token);
  const MutexLock lock(mutex_);
  return InTransaction([&]() NO_THREAD_SAFETY_ANALYSIS -> Result<Certificate> {
    const Subject subject = TRY(FindToken(hash));
    TRY(Run(writer_, "UPDATE tokens SET uses = uses - 1 WHERE hash = ?", hash));
    Certificate certificate = TRY(issue(subject));
    TRY(Insert(certificate));
    return certificate;
  });
}

Result<Certificate> SqliteEnrolmentStore::Renew(const std::string& serial, const std::string& name,
                                                const std::string& fingerprint,
                                                const Issuer& issue) {
  const MutexLock lock(mutex_);
  return InTransaction([&]() NO_THREAD_SAFETY_ANALYSIS -> Result<Certificate> {
    if (!TRY(IssuedAndGood(writer_, serial))) return RenewalRefused();
    Subject subject;
    {
      store::Statement statement = TRY(
          writer_.Prepare("SELECT name, units FROM certificates "
                          "WHERE serial = ? AND name = ? AND fingerprint = ? AND not_after > ?"));
      statement.BindText(serial).BindText(name).BindText(fingerprint).Bind(clock_.Now());
      if (!TRY(statement.Step())) return RenewalRefused();
      subject = {statement.Text(0), SplitLines(statement.Text(1))};
    }
    Certificate certificate = TRY(issue(subject));
    TRY(Insert(certificate));
    return certificate;
  });
}

Result<void> SqliteEnrolmentStore::Record(const Certificate& certificate) {
  const MutexLock lock(mutex_);
  return InTransaction(
      [&]() NO_THREAD_SAFETY_ANALYSIS -> Result<void> { return Insert(certificate); });
}

Result<void> SqliteEnrolmentStore::Insert(const Certificate& certificate) {
  return Run(writer_,
             "INSERT INTO certificates (serial, name, units, fingerprint, issued, not_after) "
             "VALUES (?, ?, ?, ?, ?, ?)",
             certificate.serial, certificate.subject.common_name,
             JoinLines(certificate.subject.units), certificate.fingerprint, clock_.Now(),
             certificate.not_after);
}

Result<void> SqliteEnrolmentStore::CountRevision() {
  return writer_.Execute("UPDATE revision SET value = value + 1");
}

Result<bool> SqliteEnrolmentStore::RevokeSerial(const std::string& serial_in) {
  const std::string serial = TRY(NormalSerial(serial_in));
  const MutexLock lock(mutex_);
  bool fresh = false;
  const auto revoke = [&]() NO_THREAD_SAFETY_ANALYSIS -> Result<void> {
    TRY(Run(writer_, "INSERT OR IGNORE INTO revoked_serials (serial, revoked) VALUES (?, ?)",
            serial, clock_.Now()));
    fresh = TRY(writer_.QueryInteger("SELECT changes()")) == 1;
    return CountRevision();
  };
  TRY(InTransaction(revoke));
  return fresh;
}

Result<std::size_t> SqliteEnrolmentStore::RevokeName(const std::string& name) {
  const MutexLock lock(mutex_);
  std::size_t count = 0;
  const auto revoke = [&]() NO_THREAD_SAFETY_ANALYSIS -> Result<void> {
    const std::int64_t now = clock_.Now();
    TRY(Run(writer_,
            "INSERT OR IGNORE INTO revoked_serials (serial, revoked) "
            "SELECT serial, ? FROM certificates WHERE name = ?",
            now, name));
    count = static_cast<std::size_t>(TRY(writer_.QueryInteger("SELECT changes()")));
    TRY(Run(writer_, "INSERT OR REPLACE INTO revoked_names (name, revoked) VALUES (?, ?)", name,
            now));
    TRY(Run(writer_, "DELETE FROM tokens WHERE name = ?", name));
    return CountRevision();
  };
  TRY(InTransaction(revoke));
  return count;
}

Result<CertificateRecord> SqliteEnrolmentStore::Find(const std::string& serial,
                                                     const std::string& name) const {
  const MutexLock lock(reading_);
  static const std::string query = std::string(kRecords) + "WHERE c.serial = ? AND c.name = ?";
  store::Statement statement = TRY(reader_.Prepare(query));
  statement.BindText(serial).BindText(name);
  if (!TRY(statement.Step())) return Error(Code::kNotFound, "no certificate with this serial");
  return RecordOf(statement);
}

Result<std::vector<CertificateRecord>> SqliteEnrolmentStore::Certificates() {
  const MutexLock lock(mutex_);
  static const std::string query = std::string(kRecords) + "ORDER BY c.issued, c.serial";
  store::Statement statement = TRY(writer_.Prepare(query));
  std::vector<CertificateRecord> records;
  while (TRY(statement.Step())) records.push_back(RecordOf(statement));
  return records;
}

Result<EnrolmentRecords> SqliteEnrolmentStore::Export() {
  EnrolmentRecords records;
  records.certificates = TRY(Certificates());
  const MutexLock lock(mutex_);
  {
    store::Statement statement =
        TRY(writer_.Prepare("SELECT hash, name, units, expires, uses FROM tokens"));
    while (TRY(statement.Step())) {
      records.tokens.push_back({ToBytes(statement.BorrowBytes(0)),
                                {{statement.Text(1), SplitLines(statement.Text(2))},
                                 statement.Integer(3),
                                 statement.Integer(4)}});
    }
  }
  const auto read = [&](std::string_view sql, std::vector<EnrolmentRecords::Revoked>& out)
                        NO_THREAD_SAFETY_ANALYSIS -> Result<void> {
    store::Statement statement = TRY(writer_.Prepare(sql));
    while (TRY(statement.Step())) out.push_back({statement.Text(0), statement.Integer(1)});
    return {};
  };
  TRY(read("SELECT serial, revoked FROM revoked_serials", records.serials));
  TRY(read("SELECT name, revoked FROM revoked_names", records.names));
  return records;
}

Result<void> SqliteEnrolmentStore::Import(const EnrolmentRecords& records) {
  const MutexLock lock(mutex_);
  return InTransaction([&]() NO_THREAD_SAFETY_ANALYSIS -> Result<void> {
    // Before a name's revocation arrives, what each side revoked by it is revoked by serial.
    constexpr std::string_view kRevokeEarlier =
        "INSERT OR IGNORE INTO revoked_serials (serial, revoked) "
        "SELECT serial, ?2 FROM certificates WHERE name = ?1 AND issued <= ?2";
    for (const EnrolmentRecords::Revoked& name : records.names) {
      TRY(Run(writer_, kRevokeEarlier, name.what, name.when));
    }
    for (const EnrolmentRecords::Token& token : records.tokens) {
      TRY(Run(writer_,
              "INSERT OR IGNORE INTO tokens (hash, name, units, expires, uses) "
              "VALUES (?, ?, ?, ?, ?)",
              token.hash, token.grant.subject.common_name, JoinLines(token.grant.subject.units),
              token.grant.expires, token.grant.uses));
    }
    for (const CertificateRecord& c : records.certificates) {
      TRY(Run(writer_,
              "INSERT OR IGNORE INTO certificates "
              "(serial, name, units, fingerprint, issued, not_after) VALUES (?, ?, ?, ?, ?, ?)",
              c.serial, c.subject.common_name, JoinLines(c.subject.units), c.fingerprint, c.issued,
              c.not_after));
      TRY(Run(writer_,
              "INSERT OR IGNORE INTO revoked_serials (serial, revoked) "
              "SELECT ?1, revoked FROM revoked_names WHERE name = ?2 AND revoked >= ?3",
              c.serial, c.subject.common_name, c.issued));
      if (c.revoked == 0) continue;
      TRY(Run(writer_, "INSERT OR IGNORE INTO revoked_serials (serial, revoked) VALUES (?, ?)",
              c.serial, c.revoked));
    }
    for (const EnrolmentRecords::Revoked& serial : records.serials) {
      TRY(Run(writer_, "INSERT OR IGNORE INTO revoked_serials (serial, revoked) VALUES (?, ?)",
              serial.what, serial.when));
    }
    for (const EnrolmentRecords::Revoked& name : records.names) {
      TRY(Run(writer_,
              "INSERT INTO revoked_names (name, revoked) VALUES (?1, ?2) "
              "ON CONFLICT (name) DO UPDATE SET revoked = max(revoked, excluded.revoked)",
              name.what, name.when));
    }
    return CountRevision();
  });
}

bool SqliteEnrolmentStore::IsRevoked(const std::string& serial,
                                     const std::string& common_name) const {
  const MutexLock lock(reading_);
  if (auto fresh = Refresh(); !fresh) {
    log::Failure("cannot read revocations, refusing: " + fresh.error().message);
    return true;
  }
  if (revoked_serials_.contains(serial)) return true;
  if (!revoked_names_.contains(common_name)) return false;
  // The name was revoked once; certificates that we gave it since are good.
  const auto good = IssuedAndGood(reader_, serial);
  return !good || !*good;
}

std::uint64_t SqliteEnrolmentStore::generation() const {
  const MutexLock lock(reading_);
  if (auto fresh = Refresh(); !fresh) ++generation_;
  return generation_;
}

// data_version tells whether another connection has written; the lists are read again only when a
// revocation was among it.
Result<void> SqliteEnrolmentStore::Refresh() const {
  const std::int64_t version = TRY(reader_.QueryInteger("PRAGMA data_version"));
  if (version == data_version_) return {};
  const std::int64_t revision = TRY(reader_.QueryInteger("SELECT value FROM revision"));
  if (revision != revision_) {
    std::unordered_set<std::string> serials, names;
    store::Statement by_serial = TRY(reader_.Prepare("SELECT serial FROM revoked_serials"));
    while (TRY(by_serial.Step())) serials.insert(by_serial.Text(0));
    store::Statement by_name = TRY(reader_.Prepare("SELECT name FROM revoked_names"));
    while (TRY(by_name.Step())) names.insert(by_name.Text(0));
    revoked_serials_ = std::move(serials);
    revoked_names_ = std::move(names);
    revision_ = revision;
    ++generation_;
  }
  data_version_ = version;
  return {};
}

}  // namespace dare::server
