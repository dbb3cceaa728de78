#pragma once

#include <functional>
#include <optional>
#include <string>

#include "policy/role.h"
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

// What an administrator asks of the kill switch (docs/kill-switch.md). Calls as above.
class LockoutOffice {
 public:
  struct Target {
    std::string kind;  // "principal", "group"
    std::string name;
  };
  virtual ~LockoutOffice() = default;
  virtual Result<std::string> Lockouts() = 0;
  // kInvalidArgument where it would hit `who`, who asks.
  virtual Result<std::string> LockOut(const Target& target, const std::string& reason,
                                      const Peer& who) = 0;
  virtual Result<std::string> Unlock(const Target& target) = 0;  // kNotFound
  virtual Result<std::string> Seal(const std::string& reason, const Peer& who) = 0;
  virtual Result<std::string> Unseal() = 0;
};

// One request to the routes, for the audit log.
struct AdminEvent {
  Peer peer;
  std::string operation;               // "rotate master key"
  std::string subject;                 // a token's name, who is locked out
  std::string detail;                  //
  std::string rule = "administrator";  // what decides
  bool permitted = false;              // has the role
  bool mere_look = false;              // asks for something to be shown, and changes nothing
  std::optional<Error> failure;        // why it was not done
};

struct AdminOptions {
  std::function<bool(const Peer& peer)> is_administrator;
  // Called before the answer leaves, but not for a mere look that was permitted. When it
  // fails, the answer is withheld (503).
  std::function<Result<void>(const AdminEvent& event)> observer;
  // Who is served at all: these may ask about approvals. Null: administrators only.
  std::function<bool(const Peer& peer)> is_served = {};
  // What somebody else is to the service; may be empty: nobody is anything. Auditors may see
  // everything that the routes show; operators how the HSMs are and who is locked out, and they may
  // seal the key server, which anybody who watches it must be able to.
  std::function<std::optional<policy::Role>(const Peer& peer)> role_of = {};
};

class ApprovalOffice;
class AuditOffice;
class PolicyOffice;

// An answer that says in JSON why not.
HttpResponse RefusalInJson(int status, std::string_view code, const std::string& message);
// `done`, a JSON text, or why there is none.
HttpResponse AnswerInJson(const Result<std::string>& done);

// AdminRoutes are the paths under /admin/v1/ for whoever has the administrator role (dare-kms(8)
// lists them); some for auditors and operators, too, and those about approvals for
// everybody who is served. Everything else goes to `next`.
// Bodies are JSON objects without unknown members. Thread-safe; `next` and the offices outlive it.
class AdminRoutes : public HttpRoutes {
 public:
  // `policy`, `approvals` and `audit` may be null: then there are no routes about them.
  AdminRoutes(HttpRoutes& next, KeyOffice& office, LockoutOffice& lockouts, AdminOptions options,
              PolicyOffice* policy = nullptr, ApprovalOffice* approvals = nullptr,
              AuditOffice* audit = nullptr)
      : next_(next),
        office_(office),
        lockouts_(lockouts),
        options_(std::move(options)),
        policy_(policy),
        approvals_(approvals),
        audit_(audit) {}
  HttpResponse Serve(const HttpRequest& request, const Caller& caller) override;

 private:
  HttpResponse Answer(AdminEvent event, const Result<std::string>& done);
  Result<std::string> Do(const HttpRequest& request, AdminEvent& event);
  std::optional<Result<std::string>> DoLockouts(const HttpRequest& request, AdminEvent& event);

  HttpRoutes& next_;
  KeyOffice& office_;
  LockoutOffice& lockouts_;
  const AdminOptions options_;
  PolicyOffice* const policy_;
  ApprovalOffice* const approvals_;
  AuditOffice* const audit_;
};

}  // namespace dare::server
