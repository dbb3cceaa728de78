#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/kms.h"
#include "registry/approvals.h"
#include "registry/policy_book.h"
#include "server/policy_routes.h"

namespace dare::kms {

// Does what administrators ask of the policy over HTTPS. Thread-safe; what it is given outlives it.
class PolicyAdministration : public server::PolicyOffice {
 public:
  PolicyAdministration(registry::PolicyBook& book, registry::Approvals& approvals, engine::Kms& kms,
                       std::vector<std::string> administrators, const Clock& clock)
      : book_(book),
        approvals_(approvals),
        kms_(kms),
        administrators_(std::move(administrators)),
        clock_(clock) {}

  Result<std::string> InForce() override;
  Result<std::string> Version(std::uint64_t number) override;
  Result<std::string> History() override;
  Result<std::string> Check(const std::string& text) override;
  Result<std::string> Apply(const std::string& text, const std::string& comment, std::uint64_t base,
                            const std::string& who) override;
  Result<std::string> Explain(const server::PolicyQuestion& question,
                              const server::Peer& who) override;

 private:
  registry::PolicyBook& book_;
  registry::Approvals& approvals_;
  engine::Kms& kms_;
  const std::vector<std::string> administrators_;
  const Clock& clock_;
};

}  // namespace dare::kms
