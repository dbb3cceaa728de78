#pragma once

#include <functional>
#include <optional>
#include <string>

#include "server/admin.h"
#include "server/https.h"

namespace dare::server {

// Which entries of the audit log are asked for, all of it texts as they were asked; empty: not
// said.
struct AuditQuestion {
  std::string from;  // the first entry's number, or
  std::string last;  // how many entries before the end
  std::string principal, object, operation, decision, request;
  std::string since, until;  // like 2027-01-31T12:00:00Z
  std::string reading;       // of an answer before: this is the next page of the same
};

// What shall be removed from the log: what is older than a time, or not among what is kept.
struct PruneRequest {
  std::string before;        // like 2027-01-31T12:00:00Z, or
  std::string keep_seconds;  // a number
};

struct AuditAnswer {
  std::string text;
  bool continues = false;  // a reading that is in the audit log already
};

// What is asked of the audit log, and somebody behind the routes does. Answers are JSON texts. Any
// thread.
class AuditOffice {
 public:
  virtual ~AuditOffice() = default;
  // The rule by which `peer` may read the log; empty: by none.
  virtual std::string MayRead(const Peer& peer) = 0;
  virtual Result<AuditAnswer> Entries(const AuditQuestion& question, const Peer& peer) = 0;
  // Checkpoints from a byte of their file on.
  virtual Result<std::string> Checkpoints(const std::string& offset, const Peer& peer) = 0;
  // The same of another node's log that is witnessed here. kNotFound.
  virtual Result<std::string> Witnessed(const std::string& node, const std::string& offset,
                                        const Peer& peer) = 0;
  // The public keys that they are signed with, by the names of their files, and whose log it is.
  virtual Result<std::string> Key() = 0;
  // The signed records of what was removed, as they stand in their file.
  virtual Result<std::string> Prunings(const Peer& peer) = 0;
  // Removes the oldest entries for an administrator.
  virtual Result<std::string> Prune(const PruneRequest& request, const Peer& peer) = 0;
};

// Whether an administrator may prune now, who said how: kDenied with what to tell them.
using PruningPermit = std::function<Result<void>(const std::string& how, const Peer& who)>;

// Serves a request to /admin/v1/audit…; nothing where it is to none of them. Where neither the
// event is permitted nor the office lets its peer read, it is only named. `permit` may be empty:
// nobody else need be asked.
std::optional<Result<std::string>> ServeAudit(const HttpRequest& request, AdminEvent& event,
                                              AuditOffice& office,
                                              const PruningPermit& permit = {});

}  // namespace dare::server
