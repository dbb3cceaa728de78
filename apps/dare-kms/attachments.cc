#include "attachments.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <optional>
#include <utility>

#include "base/file.h"
#include "open_store.h"
#include "records.h"
#include "store/sqlite_copy.h"

namespace dare::kms {
namespace {

constexpr char kEnrolmentRole[] = "enrolment-database";
constexpr char kCredentialsRole[] = "credentials-database";

// A private folder that goes with the object, and what is in it.
class PassingFolder {
 public:
  static Result<PassingFolder> Make(const std::string& beside) {
    std::string path = beside + "/records-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return IoError("cannot make a folder " + path, errno);
    return PassingFolder(std::move(path));
  }
  PassingFolder(PassingFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  PassingFolder& operator=(PassingFolder&&) = delete;
  ~PassingFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit PassingFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace

std::vector<AttachedFile> AttachedFiles(const server::Config& config) {
  return {{"server-certificate", config.tls.certificate_file},
          {"client-ca", config.tls.client_ca_file},
          {"ca-certificate", config.ca.certificate_file},
          {"certify-certificate", config.certify.certificate_file},
          {kEnrolmentRole, config.enrolment_path, true},
          {kCredentialsRole, config.credentials_path, true}};
}

Result<std::vector<backup::Attachment>> CollectAttachments(const server::Config& config,
                                                           const KeyStation& station) {
  std::vector<backup::Attachment> attachments;
  attachments.push_back({kConfigRole, TRY(ReadFile(config.file))});
  std::optional<PassingFolder> folder;
  std::vector<AttachedFile> files = AttachedFiles(config);
  if (IsShared(config)) {
    folder.emplace(TRY(PassingFolder::Make(FolderOf(config.enrolment_path))));
    for (AttachedFile& file : files) {
      if (file.database) file.path = folder->path() + "/" + file.role;
    }
    Records records = TRY(OpenRecords(config, station));
    TRY(WriteRecordFiles(records, folder->path() + "/" + kEnrolmentRole,
                         folder->path() + "/" + kCredentialsRole));
  }
  for (const AttachedFile& file : files) {
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
