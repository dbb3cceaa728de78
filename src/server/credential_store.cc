#include "server/credential_store.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "server/line_list.h"
#include "store/sqlite_schema.h"

namespace dare::server {
namespace {

constexpr std::size_t kMostNameBytes = 1024;

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

Result<void> CheckName(const std::string& name, const char* what) {
  const bool control = std::ranges::any_of(
      name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (!name.empty() && name.size() <= kMostNameBytes && !control) return {};
  return Error(Code::kInvalidArgument, std::string(what) + " is empty, too long or not a name");
}

constexpr std::string_view kColumns =
    "SELECT login, principal, groups, verifier, added FROM credentials ";

StoredCredential Of(const store::Statement& row) {
  const ByteView verifier = row.BorrowBytes(3);
  return {row.Text(0), row.Text(1), SplitLines(row.Text(2)),
          Bytes(verifier.begin(), verifier.end()), row.Integer(4)};
}

}  // namespace

Result<std::unique_ptr<CredentialStore>> CredentialStore::Open(const std::string& path,
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
  return std::unique_ptr<CredentialStore>(new CredentialStore(std::move(connection), clock));
}

Result<void> CredentialStore::Put(const StoredCredential& credential) {
  TRY(CheckName(credential.login, "the login"));
  TRY(CheckName(credential.principal, "the principal"));
  for (const std::string& group : credential.groups) TRY(CheckName(group, "a group"));
  const MutexLock lock(mutex_);
  ++own_changes_;
  store::Statement statement = TRY(connection_.Prepare(
      "INSERT OR REPLACE INTO credentials (login, principal, groups, verifier, added) "
      "VALUES (?, ?, ?, ?, ?)"));
  const std::string groups = JoinLines(credential.groups);
  statement.BindText(credential.login).BindText(credential.principal).BindText(groups);
  statement.BindBytes(credential.verifier).Bind(clock_.Now());
  return statement.Run();
}

Result<bool> CredentialStore::Remove(const std::string& login) {
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

Result<std::optional<StoredCredential>> CredentialStore::Find(const std::string& login) {
  const MutexLock lock(mutex_);
  store::Statement statement = TRY(connection_.Prepare(std::string(kColumns) + "WHERE login = ?"));
  statement.BindText(login);
  if (!TRY(statement.Step())) return std::optional<StoredCredential>();
  return std::optional<StoredCredential>(Of(statement));
}

Result<std::vector<StoredCredential>> CredentialStore::List() {
  const MutexLock lock(mutex_);
  store::Statement statement = TRY(connection_.Prepare(std::string(kColumns) + "ORDER BY login"));
  std::vector<StoredCredential> list;
  while (TRY(statement.Step())) list.push_back(Of(statement));
  return list;
}

std::uint64_t CredentialStore::Generation() {
  const MutexLock lock(mutex_);
  // Counts what others wrote; our own writes it does not see.
  const auto others = connection_.QueryInteger("PRAGMA data_version");
  return own_changes_ + (others ? static_cast<std::uint64_t>(*others) << 32 : 0);
}

}  // namespace dare::server
