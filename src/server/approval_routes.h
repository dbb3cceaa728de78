#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/admin.h"
#include "server/https.h"

namespace dare::server {

// What people ask of the requests that wait for approval (docs/dual-control.md), and somebody
// behind the routes does. It judges by itself what concerns `who`: they need not be administrators.
// Answers are JSON texts. Any thread.
class ApprovalOffice {
 public:
  virtual ~ApprovalOffice() = default;
  virtual Result<std::string> List(const Peer& who) = 0;
  virtual Result<std::string> Show(const std::string& id, const Peer& who) = 0;
  virtual Result<std::string> Approve(const std::string& id, const Peer& who) = 0;
  virtual Result<std::string> Refuse(const std::string& id, const Peer& who) = 0;
  virtual Result<std::string> LetPass(const std::string& id, const std::string& reason,
                                      const Peer& who) = 0;
  virtual Result<std::string> Acknowledge(const std::string& id, const Peer& who) = 0;
  // For the other routes: whether an administrator may do now what may need an approval. Returns
  // when it may; kDenied with what to tell them. `act` is one of docs/dual-control.md.
  virtual Result<void> Permit(std::string_view act, const std::string& how, const Peer& who) = 0;
};

// Whether the path is about approvals, so that others than administrators may ask.
bool ConcernsApprovals(std::string_view path);

// Serves such a request; nothing where it is to no such route. Where the event is not permitted, it
// is only named.
std::optional<Result<std::string>> ServeApprovals(const HttpRequest& request, AdminEvent& event,
                                                  ApprovalOffice& office);

}  // namespace dare::server
