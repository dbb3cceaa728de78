#include "attachments.h"

#include <algorithm>
#include <iostream>

#include "base/file.h"
#include "store/sqlite_copy.h"

namespace dare::kms {

std::vector<AttachedFile> AttachedFiles(const server::Config& config) {
  return {{"server-certificate", config.tls.certificate_file},
          {"client-ca", config.tls.client_ca_file},
          {"ca-certificate", config.ca.certificate_file},
          {"certify-certificate", config.certify.certificate_file},
          {"enrolment-database", config.enrolment_path, true},
          {"credentials-database", config.credentials_path, true}};
}

Result<std::vector<backup::Attachment>> CollectAttachments(const server::Config& config) {
  std::vector<backup::Attachment> attachments;
  attachments.push_back({kConfigRole, TRY(ReadFile(config.file))});
  for (const AttachedFile& file : AttachedFiles(config)) {
    if (file.path.empty() || !FileExists(file.path)) continue;
    auto content = file.database ? store::CopySqliteDatabase(file.path) : ReadFile(file.path);
    if (!content) return content.error().In(file.path);
    attachments.push_back({file.role, std::move(*content)});
  }
  return attachments;
}

Result<void> RequirePlaceFor(const server::Config& config) {
  for (const AttachedFile& file : AttachedFiles(config)) {
    if (!file.database || !FileExists(file.path)) continue;
    return Error(Code::kAlreadyExists,
                 file.path + " is there: nothing is ever written over; restore to another place");
  }
  return {};
}

Result<void> WriteAttachments(const server::Config& config,
                              const std::vector<backup::Attachment>& attachments,
                              std::vector<std::string>& written) {
  for (const AttachedFile& file : AttachedFiles(config)) {
    const auto found = std::ranges::find(attachments, file.role, &backup::Attachment::role);
    if (file.path.empty() || found == attachments.end()) continue;
    if (FileExists(file.path)) {
      std::cout << "kept    " << file.path << ", which was there\n";
      continue;
    }
    TRY(MakeFolders(FolderOf(file.path), 0700));
    TRY(WriteFileDurably(file.path, found->content, file.database ? 0600 : 0644, false));
    written.push_back(file.path);
    std::cout << "wrote   " << file.path << "\n";
  }
  return {};
}

}  // namespace dare::kms
