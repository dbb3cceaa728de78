#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"

namespace dare::store::postgres {

// How long one statement may work, and how much longer its answer may travel.
inline constexpr std::chrono::milliseconds kStatementTimeout{5000};
inline constexpr std::chrono::milliseconds kAnswerTimeout{kStatementTimeout +
                                                          std::chrono::seconds(2)};

// A libpq connection string, taken apart and completed: what it leaves open is set so that every
// wait ends, the server is the one that takes writes, and a network in between can neither read nor
// pretend (sslmode=verify-full). What it says itself stays. Constant after construction.
class Settings {
 public:
  // Asked at each connection, so that a password can be changed under a running server.
  using Password = std::function<Result<SecretBytes>()>;

  // kInvalidArgument: it cannot be read, or has a password in it. An empty `password`: none.
  static Result<Settings> Parse(const std::string& connection, Password password);

  const std::vector<std::pair<std::string, std::string>>& words() const { return words_; }
  const Password& password() const { return password_; }
  // Where it connects to, for messages: "db-1,db-2 (database dare)".
  std::string Target() const;
  // What weakens the connection, in words for the log; empty when nothing does.
  std::string Weakness() const;

 private:
  const std::string* Find(const std::string& keyword) const;
  void Default(const std::string& keyword, const std::string& value);

  std::vector<std::pair<std::string, std::string>> words_;
  Password password_;
};

}  // namespace dare::store::postgres
