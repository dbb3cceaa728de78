#include "server/sqlite_credential_store.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "server/line_list.h"
#include "store/sqlite_schema.h"

namespace dare::server {
namespace {

// groups: one a line.
constexpr char kVersion1[] = R"sql(
CREATE TABLE credentials (
  login TEXT NOT NULL PRIMARY KEY,
  principal TEXT NOT NULL,
  groups TEXT NOT NULL,
  verifier BLOB NOT NULL,
  added INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";
constexpr store::Migration kMigrations[] = {{1, kVersion1}};

constexpr std::string_view kColumns =
    "SELECT login, principal, groups, verifier, added FROM credentials ";

StoredCredential Of(const store::Statement& row) {
  const ByteView verifier = row.BorrowBytes(3);
  return {row.Text(0), row.Text(1), SplitLines(row.Text(2)),
          Bytes(verifier.begin(), verifier.end()), row.Integer(4)};
}

}  // namespace

Result<std::unique_ptr<SqliteCredentialStore>> SqliteCredentialStore::Open(const std::string& path,
                                                                           const Clock& clock) {
  {
    const FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) return IoError("cannot open " + path, errno);
  }
  store::Connection::Options options;
  options.may_write = true;
  options.cache_bytes = 1u << 20;
  store::Connection connection = TRY(store::Connection::Open(path, options));
  if (auto upgraded = store::UpgradeSchema(connection, kMigrations); !upgraded) {
    return upgraded.error().In(path);
  }
  return std::unique_ptr<SqliteCredentialStore>(
      new SqliteCredentialStore(std::move(connection), clock));
}

Result<void> SqliteCredentialStore::Write(std::string_view verb, const StoredCredential& credential,
                                          std::int64_t added) {
  store::Statement statement = TRY(connection_.Prepare(
      std::string(verb) +
      " INTO credentials (login, principal, groups, verifier, added) VALUES (?, ?, ?, ?, ?)"));
  const std::string groups = JoinLines(credential.groups);
  statement.BindText(credential.login).BindText(credential.principal).BindText(groups);
  statement.BindBytes(credential.verifier).Bind(added);
  return statement.Run();
}

Result<void> SqliteCredentialStore::Put(const StoredCredential& credential) {
  TRY(CheckCredential(credential));
  const MutexLock lock(mutex_);
  ++own_changes_;
  return Write("INSERT OR REPLACE", credential, clock_.Now());
}

Result<void> SqliteCredentialStore::Import(const std::vector<StoredCredential>& credentials) {
  const MutexLock lock(mutex_);
  ++own_changes_;
  for (const StoredCredential& credential : credentials) {
    TRY(Write("INSERT OR IGNORE", credential, credential.added));
  }
  return {};
}

Result<bool> SqliteCredentialStore::Remove(const std::string& login) {
  const MutexLock lock(mutex_);
  ++own_changes_;
  {
    store::Statement statement =
        TRY(connection_.Prepare("DELETE FROM credentials WHERE login = ?"));
    statement.BindText(login);
    TRY(statement.Run());
  }
  return TRY(connection_.QueryInteger("SELECT changes()")) == 1;
}

Result<std::optional<StoredCredential>> SqliteCredentialStore::Find(const std::string& login) {
  const MutexLock lock(mutex_);
  store::Statement statement = TRY(connection_.Prepare(std::string(kColumns) + "WHERE login = ?"));
  statement.BindText(login);
  if (!TRY(statement.Step())) return std::optional<StoredCredential>();
  return std::optional<StoredCredential>(Of(statement));
}

Result<std::vector<StoredCredential>> SqliteCredentialStore::List() {
  const MutexLock lock(mutex_);
  store::Statement statement = TRY(connection_.Prepare(std::string(kColumns) + "ORDER BY login"));
  std::vector<StoredCredential> list;
  while (TRY(statement.Step())) list.push_back(Of(statement));
  return list;
}

std::uint64_t SqliteCredentialStore::Generation() {
  const MutexLock lock(mutex_);
  // Counts what others wrote; our own writes it does not see.
  const auto others = connection_.QueryInteger("PRAGMA data_version");
  return own_changes_ + (others ? static_cast<std::uint64_t>(*others) << 32 : 0);
}

}  // namespace dare::server
