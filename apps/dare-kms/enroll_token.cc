#include <iostream>

#include "base/clock.h"
#include "commands.h"
#include "records.h"
#include "server/config.h"

namespace dare::kms {

Result<void> EnrollToken(const EnrollTokenOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
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
  RecordsWithKeys opened = TRY(OpenRecordsForVerb(config));
  std::cout << TRY(opened.records.enrolment().AddToken(grant)) << std::endl;
  return {};
}

}  // namespace dare::kms
