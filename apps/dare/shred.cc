#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>

#include "client/key_directory.h"
#include "envelope/inspect.h"
#include "session.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;
using envelope::FileKind;

struct ShredCommand {
  std::string key;
  std::vector<std::string> under;
  std::string yes_destroy;
  bool dry_run = false;
  bool force = false;  // also when something could not be examined
  bool json = false;
};

struct FoundFile {
  std::string path;
  FileKind kind = FileKind::kOther;
  std::vector<std::string> other_keys;  // that open it besides the one to be destroyed
};

struct Findings {
  std::vector<FoundFile> lost;
  std::vector<FoundFile> kept;
  std::vector<std::pair<std::string, std::string>> failed;  // path, why
  std::uint64_t other = 0;                                  // files that the key does not open
  std::uint64_t under_blocks = 0;  // messages that stand and fall with key blocks beside them
};

const char* KindText(FileKind kind) {
  switch (kind) {
    case FileKind::kSealedFile:
      return "sealed-file";
    case FileKind::kKeyBlocks:
      return "key-blocks";
    case FileKind::kMessage:
      return "message";
    case FileKind::kOther:
      return "other";
  }
  return "other";
}

// Looks at files and says what the loss of one key would do to each.
class Survey {
 public:
  Survey(client::KeyDirectory& directory, std::string key_namespace, std::string key_id)
      : directory_(directory), namespace_(std::move(key_namespace)), key_id_(std::move(key_id)) {}

  // A file, or everything below a folder; symbolic links are not followed below it. One that cannot
  // be examined is noted and never stops the rest.
  void Walk(const std::string& start) {
    std::vector<std::string> waiting{start};
    while (!waiting.empty() && !Session::cancelled().load()) {
      const std::string path = std::move(waiting.back());
      waiting.pop_back();
      struct stat status {};
      const int failed =
          path == start ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status);
      if (failed != 0) {
        Fail(path, IoError("cannot stat it", errno));
      } else if (S_ISDIR(status.st_mode)) {
        ListFolder(path, waiting);
      } else if (S_ISREG(status.st_mode)) {
        Examine(path);
      }
    }
  }

  Findings Finish() {
    const auto by_path = [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; };
    std::sort(findings_.lost.begin(), findings_.lost.end(), by_path);
    std::sort(findings_.kept.begin(), findings_.kept.end(), by_path);
    std::sort(findings_.failed.begin(), findings_.failed.end());
    return std::move(findings_);
  }

 private:
  void Fail(const std::string& path, const Error& error) {
    findings_.failed.emplace_back(path, error.message);
  }

  void ListFolder(const std::string& path, std::vector<std::string>& waiting) {
    std::error_code error;
    std::filesystem::directory_iterator entries(path, error);
    for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
      waiting.push_back(entries->path().string());
    }
    if (error) Fail(path, Error(Code::kIo, "cannot list it: " + error.message()));
  }

  void Examine(const std::string& path) {
    const auto found = envelope::FindOpeningKeys(path);
    if (!found) return Fail(path, found.error());
    FoundFile file{path, found->kind, {}};
    bool ours = false, block = false;
    for (const envelope::EncryptedDataKey& edk : found->keys) {
      const std::string name = KeyNameOf(edk);
      block = block || edk.provider_id == envelope::kKeyBlockNamespace;
      if (edk.provider_id == namespace_ && name == key_id_) {
        ours = true;
      } else if (MayOpen(edk.provider_id, name)) {
        file.other_keys.push_back(edk.provider_id + " " + name);
      }
    }
    if (!ours) {
      ++(block ? findings_.under_blocks : findings_.other);
    } else if (file.other_keys.empty()) {
      findings_.lost.push_back(std::move(file));
    } else {
      findings_.kept.push_back(std::move(file));
    }
  }

  // False when the key server says that this key is gone; of keys elsewhere, and of others' keys,
  // nobody here can tell.
  bool MayOpen(const std::string& key_namespace, const std::string& name) {
    if (key_namespace != namespace_) return true;
    const auto known = may_open_.find(name);
    if (known != may_open_.end()) return known->second;
    const auto facts = directory_.Show(name);
    const bool gone = facts ? facts->state == kmip::State::kDestroyed ||
                                  facts->state == kmip::State::kDestroyedCompromised
                            : facts.error().code == Code::kNotFound;
    return may_open_[name] = !gone;
  }

  client::KeyDirectory& directory_;
  const std::string namespace_;
  const std::string key_id_;
  std::map<std::string, bool> may_open_;
  Findings findings_;
};

void PrintFiles(const char* title, const std::vector<FoundFile>& files) {
  if (!files.empty()) std::cout << title << "\n";
  for (const FoundFile& file : files) {
    std::cout << "  " << Printable(file.path);
    if (file.kind != FileKind::kSealedFile) std::cout << "  (" << KindText(file.kind) << ")";
    std::cout << "\n";
    for (const std::string& key : file.other_keys) {
      std::cout << "      " << Printable(key) << "\n";
    }
  }
}

void PrintText(const client::KeyFacts& key, const ShredCommand& command, const Findings& found) {
  std::cout << "key " << Printable(command.key) << "  " << Printable(key.id) << "\n";
  PrintFiles("unreadable for ever without it:", found.lost);
  PrintFiles("still readable, by:", found.kept);
  if (!found.failed.empty()) std::cout << "not examined:\n";
  for (const auto& [path, why] : found.failed) {
    std::cout << "  " << Printable(path) << ": " << Printable(why) << "\n";
  }
  std::cout << found.lost.size() << " unreadable, " << found.kept.size() << " still readable, "
            << found.failed.size() << " not examined, " << found.other << " not under this key";
  if (found.under_blocks != 0) {
    std::cout << ", " << found.under_blocks << " that stand and fall with key blocks above";
  }
  std::cout << "\n";
  if (command.under.empty()) std::cout << "nothing was looked at; --under FOLDER does\n";
  if (key.replaces) {
    std::cout << "its earlier version " << Printable(*key.replaces)
              << " is a key of its own and stays\n";
  }
}

json::array ToJson(const std::vector<FoundFile>& files) {
  json::array out;
  for (const FoundFile& file : files) {
    json::object entry{{"file", file.path}, {"kind", KindText(file.kind)}};
    if (!file.other_keys.empty()) {
      entry["other_keys"] = json::array(file.other_keys.begin(), file.other_keys.end());
    }
    out.push_back(std::move(entry));
  }
  return out;
}

void PrintJson(const client::KeyFacts& key, const Findings& found, bool destroy) {
  json::array failed;
  for (const auto& [path, why] : found.failed) {
    failed.push_back(json::object{{"file", path}, {"error", why}});
  }
  json::object out{{"key", key.id},
                   {"unreadable", ToJson(found.lost)},
                   {"readable", ToJson(found.kept)},
                   {"failed", std::move(failed)},
                   {"other_files", found.other},
                   {"under_key_blocks", found.under_blocks},
                   {"destroy", destroy}};
  if (key.replaces) out["earlier_version"] = *key.replaces;
  std::cout << out << "\n";
}

// The key's name once more, from the terminal or --yes-destroy.
Result<void> Confirm(const ShredCommand& command) {
  std::string typed = command.yes_destroy;
  if (typed.empty()) {
    if (::isatty(STDIN_FILENO) != 1) {
      return Error(Code::kInvalidArgument,
                   "nothing was destroyed; without a terminal, --yes-destroy NAME confirms it");
    }
    std::cout.flush();
    std::cerr << "There is no way back. Type the key's name to destroy it: ";
    std::getline(std::cin, typed);
  }
  if (typed == command.key) return {};
  return Error(Code::kInvalidArgument, "nothing was destroyed: that is not the key's name");
}

Result<void> Destroy(client::KeyDirectory& directory, const client::KeyFacts& key) {
  if (key.state == kmip::State::kActive) {
    TRY(directory.Revoke(key.id, {kmip::RevocationReasonCode::kCessationOfOperation, "shredded"}));
  }
  return directory.Destroy(key.id);
}

Result<void> Shred(Session& session, const ShredCommand& command) {
  if (!command.yes_destroy.empty() && command.yes_destroy != command.key) {
    return Error(Code::kInvalidArgument, "--yes-destroy must repeat the key's name");
  }
  client::KmsClient* kms = TRY(session.Kms());
  client::KeyDirectory directory(*kms);
  const std::string id = TRY(directory.Resolve(command.key));
  const client::KeyFacts key = TRY(directory.Show(id));
  if (key.state == kmip::State::kDestroyed || key.state == kmip::State::kDestroyedCompromised) {
    return Error(Code::kConflict, "the key " + command.key + " is destroyed already");
  }
  Survey survey(directory, kms->config().key_namespace, id);
  for (const std::string& path : command.under) survey.Walk(path);
  if (Session::cancelled().load()) return IoError("cancelled", EINTR);
  const Findings found = survey.Finish();
  if (command.json) {
    PrintJson(key, found, !command.dry_run);
  } else {
    PrintText(key, command, found);
  }
  if (command.dry_run) return {};
  if (!found.failed.empty() && !command.force) {
    return Error(Code::kConflict, "nothing was destroyed: " + std::to_string(found.failed.size()) +
                                      " paths could not be examined; --force does not mind");
  }
  TRY(Confirm(command));
  return Destroy(directory, key);
}

}  // namespace

void AddShred(CLI::App& app, Session& session) {
  const auto command = std::make_shared<ShredCommand>();
  CLI::App* verb = app.add_subcommand(
      "shred", "Show what only this key opens, then destroy the key, and all that with it");
  verb->add_option("KEY", command->key, "Name or id")->required();
  verb->add_option("--under", command->under, "Files and folders to look for sealed files in")
      ->type_name("PATH");
  verb->add_option("--yes-destroy", command->yes_destroy,
                   "Do not ask on the terminal; KEY once more")
      ->type_name("KEY");
  verb->add_flag("-n,--dry-run", command->dry_run, "Show only");
  verb->add_flag("-f,--force", command->force, "Also when something could not be examined");
  verb->add_flag("--json", command->json, "The findings as a JSON object");
  verb->callback([&session, command] {
    session.action = [&session, command] { return Shred(session, *command); };
  });
}

}  // namespace dare::cli
