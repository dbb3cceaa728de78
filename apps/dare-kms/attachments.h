#pragma once

#include <string>
#include <vector>

#include "backup/item.h"
#include "key_station.h"
#include "server/config.h"

// What a backup carries beside the store: the files without which an empty machine would not be the
// same server. No private key, no PIN: TLS keys are made anew (dare-kms renew-server-certificate).
namespace dare::kms {

inline constexpr char kConfigRole[] = "configuration";

struct AttachedFile {
  const char* role;
  std::string path;  // as the configuration names it; empty: not there
  bool database = false;
};
std::vector<AttachedFile> AttachedFiles(const server::Config& config);

// `station` is the store of `config`, with its keys open where the records are in it: those come as
// the files that another server can have.
Result<std::vector<backup::Attachment>> CollectAttachments(const server::Config& config,
                                                           const KeyStation& station);
// kAlreadyExists where a database would have to be written over.
Result<void> RequirePlaceFor(const server::Config& config);
// Writes those that are not there yet; tells which on standard output. `written` gets their paths,
// also of those before one that failed.
Result<void> WriteAttachments(const server::Config& config,
                              const std::vector<backup::Attachment>& attachments,
                              std::vector<std::string>& written);

}  // namespace dare::kms
