#pragma once

#include <functional>
#include <optional>
#include <string>

#include "server/https.h"

namespace dare::server {

// What an administrator asks of the store's keys, and somebody behind the routes does. Answers are
// JSON texts. Calls may take as long as HSMs do; any thread.
class KeyOffice {
 public:
  struct Rotation {
    std::string sealing;   // "direct", "root"; empty: as it is
    std::string prepared;  // hex id of a key that a ceremony made ready; empty: a new one
  };
  virtual ~KeyOffice() = default;
  virtual Result<std::string> Status() = 0;
  virtual Result<std::string> Rotate(const Rotation& rotation) = 0;
  virtual Result<std::string> DestroyRetired() = 0;
  virtual Result<std::string> AddToken(const std::string& token) = 0;
  virtual Result<std::string> RemoveToken(const std::string& token) = 0;
};

// One request to the routes, for the audit log.
struct AdminEvent {
  Peer peer;
  std::string operation;         // "rotate master key"
  std::string subject;           // a token's name
  std::string detail;            //
  bool permitted = false;        // has the role
  std::optional<Error> failure;  // why it was not done
};

struct AdminOptions {
  std::function<bool(const Peer& peer)> is_administrator;
  // Called before the answer leaves, but not for a look at the status that was permitted. When it
  // fails, the answer is withheld (503).
  std::function<Result<void>(const AdminEvent& event)> observer;
};

// AdminRoutes are the paths under /admin/v1/ for clients whose certificate has the administrator
// role (dare-kms(8) lists them); everything else goes to `next`. Bodies are JSON objects without
// unknown members. Thread-safe; `next` and `office` outlive it.
class AdminRoutes : public HttpRoutes {
 public:
  AdminRoutes(HttpRoutes& next, KeyOffice& office, AdminOptions options)
      : next_(next), office_(office), options_(std::move(options)) {}
  HttpResponse Serve(const HttpRequest& request, const Caller& caller) override;

 private:
  HttpResponse Answer(AdminEvent event, const Result<std::string>& done);
  Result<std::string> Do(const HttpRequest& request, AdminEvent& event);

  HttpRoutes& next_;
  KeyOffice& office_;
  const AdminOptions options_;
};

}  // namespace dare::server
