#include <iostream>

#include "commands.h"
#include "records.h"
#include "server/config.h"

namespace dare::kms {

Result<void> RevokeCertificate(const RevokeOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  RecordsWithKeys opened = TRY(OpenRecordsForVerb(config));
  server::EnrolmentStore& records = opened.records.enrolment();
  if (!options.serial.empty()) {
    const bool fresh = TRY(records.RevokeSerial(options.serial));
    std::cout << (fresh ? "revoked " : "already revoked ") << options.serial << std::endl;
    return {};
  }
  const std::size_t count = TRY(records.RevokeName(options.name));
  std::cout << "revoked " << count << (count == 1 ? " certificate" : " certificates") << " of "
            << options.name << std::endl;
  return {};
}

}  // namespace dare::kms
