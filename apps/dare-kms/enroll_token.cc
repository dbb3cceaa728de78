#include <iostream>

#include "base/clock.h"
#include "commands.h"
#include "process.h"
#include "server/config.h"
#include "server/enrolment_store.h"

namespace dare::kms {

Result<void> EnrollToken(const EnrollTokenOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(1u << 16));
  server::TokenGrant grant;
  grant.subject.common_name = options.name;
  grant.subject.units.emplace_back(options.role == "administrator" ? server::kAdministratorUnit
                                                                   : server::kClientUnit);
  for (const std::string& group : options.groups) {
    if (group.starts_with("dare-")) {
      return Error(Code::kInvalidArgument, "group names must not begin with 'dare-'");
    }
    grant.subject.units.push_back(group);
  }
  grant.expires = SystemClock::Get().Now() + options.seconds;
  grant.uses = options.uses;
  auto records = TRY(server::EnrolmentStore::Open(config.enrolment_path));
  std::cout << TRY(records->AddToken(grant)) << std::endl;
  return {};
}

}  // namespace dare::kms
