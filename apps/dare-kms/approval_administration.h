#pragma once

#include <functional>
#include <string>
#include <utility>

#include "policy/principal.h"
#include "registry/approvals.h"
#include "server/approval_routes.h"

namespace dare::kms {

// Does what people ask of the requests that wait for approval. Everybody is shown what they asked
// themselves and what a rule names them for; administrators what concerns their domain and the
// service. Thread-safe; what it is given outlives it.
class ApprovalAdministration : public server::ApprovalOffice {
 public:
  ApprovalAdministration(registry::Approvals& approvals,
                         std::function<bool(const server::Peer&)> is_administrator)
      : approvals_(approvals), is_administrator_(std::move(is_administrator)) {}

  Result<std::string> List(const server::Peer& who) override;
  Result<std::string> Show(const std::string& id, const server::Peer& who) override;
  Result<std::string> Approve(const std::string& id, const server::Peer& who) override;
  Result<std::string> Refuse(const std::string& id, const server::Peer& who) override;
  Result<std::string> LetPass(const std::string& id, const std::string& reason,
                              const server::Peer& who) override;
  Result<std::string> Acknowledge(const std::string& id, const server::Peer& who) override;
  Result<void> Permit(std::string_view act, const std::string& how,
                      const server::Peer& who) override;

 private:
  policy::Principal PrincipalOf(const server::Peer& peer) const;
  Result<std::string> Speak(const std::string& id, const server::Peer& who, bool approves);

  registry::Approvals& approvals_;
  const std::function<bool(const server::Peer&)> is_administrator_;
};

}  // namespace dare::kms
