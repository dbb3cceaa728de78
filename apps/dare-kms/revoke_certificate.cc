#include <iostream>

#include "commands.h"
#include "process.h"
#include "server/config.h"
#include "server/enrolment_store.h"

namespace dare::kms {

Result<void> RevokeCertificate(const RevokeOptions& options) {
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(1u << 16));
  auto records = TRY(server::EnrolmentStore::Open(config.enrolment_path));
  if (!options.serial.empty()) {
    const bool fresh = TRY(records->RevokeSerial(options.serial));
    std::cout << (fresh ? "revoked " : "already revoked ") << options.serial << std::endl;
    return {};
  }
  const std::size_t count = TRY(records->RevokeName(options.name));
  std::cout << "revoked " << count << (count == 1 ? " certificate" : " certificates") << " of "
            << options.name << std::endl;
  return {};
}

}  // namespace dare::kms
