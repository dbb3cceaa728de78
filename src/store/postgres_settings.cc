#include "store/postgres_settings.h"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>

namespace dare::store::postgres {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

std::string OneLine(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

// A folder of sockets, or the machine itself: no network in between.
bool IsLocal(const std::string& host) {
  return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" ||
         host == "::1" || host.starts_with("127.");
}

bool AllLocal(const std::string& hosts) {
  for (std::size_t begin = 0; begin <= hosts.size();) {
    const std::size_t end = std::min(hosts.find(',', begin), hosts.size());
    if (!IsLocal(hosts.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

}  // namespace

Result<Settings> Settings::Parse(const std::string& connection, Password password) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(
      PQconninfoParse(connection.c_str(), &complaint));
  const std::unique_ptr<char, decltype(&PQfreemem)> owned(complaint, &PQfreemem);
  if (options == nullptr) {
    return Error(Code::kInvalidArgument,
                 "the connection string cannot be read: " +
                     OneLine(complaint == nullptr ? "out of memory" : complaint));
  }
  Settings settings;
  settings.password_ = std::move(password);
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::string_view(option->keyword) == "password") {
      return Error(Code::kInvalidArgument,
                   "a connection string must hold no password: name the file that does");
    }
    settings.words_.emplace_back(option->keyword, option->val);
  }
  settings.Default("connect_timeout", "3");
  settings.Default("keepalives", "1");
  settings.Default("keepalives_idle", "2");
  settings.Default("keepalives_interval", "1");
  settings.Default("keepalives_count", "3");
  settings.Default("tcp_user_timeout", "5000");
  settings.Default("target_session_attrs", "read-write");
  settings.Default("sslmode", "verify-full");
  settings.Default("fallback_application_name", "dare-kms");
  settings.Default("client_encoding", "UTF8");
  return settings;
}

const std::string* Settings::Find(const std::string& keyword) const {
  for (const auto& [word, value] : words_) {
    if (word == keyword) return &value;
  }
  return nullptr;
}

void Settings::Default(const std::string& keyword, const std::string& value) {
  if (Find(keyword) == nullptr) words_.emplace_back(keyword, value);
}

std::string Settings::Target() const {
  const std::string* host = Find("host");
  if (host == nullptr) host = Find("hostaddr");
  const std::string* database = Find("dbname");
  return (host == nullptr ? std::string("the local socket") : *host) +
         (database == nullptr ? "" : " (database " + *database + ")");
}

std::string Settings::Weakness() const {
  const std::string* host = Find("host");
  if (host == nullptr) host = Find("hostaddr");
  if (host == nullptr || AllLocal(*host)) return {};
  const std::string& mode = *Find("sslmode");
  if (mode == "verify-full") return {};
  return "sslmode=" + mode +
         (mode == "verify-ca" ? " does not check whose certificate it is"
                              : " lets a network in between pretend to be the database");
}

}  // namespace dare::store::postgres
