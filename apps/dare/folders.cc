#include "folders.h"

#include <sys/stat.h>

#include "file_error.h"
#include "progress_bar.h"
#include "session.h"
#include "tree_report.h"

namespace dare::cli {
namespace {

// Without the slashes that a shell's completion leaves at the end.
std::string Trimmed(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

tree::OpenTreeOptions TreeOptions(const OpenFolderOptions& options) {
  tree::OpenTreeOptions tree;
  if (options.resume) tree.existing = tree::Existing::kResume;
  if (options.force) tree.existing = tree::Existing::kReplace;
  tree.at_least_generation = options.at_least_generation;
  tree.workers = options.threads;
  tree.cancelled = &Session::cancelled();
  return tree;
}

Result<std::string> TargetOf(const OpenFolderOptions& options) {
  constexpr std::string_view kSuffix = ".dare";
  const std::string in = Trimmed(options.in);
  if (!options.out.empty()) return Trimmed(options.out);
  const std::string name = in.substr(in.rfind('/') == std::string::npos ? 0 : in.rfind('/') + 1);
  if (!name.ends_with(kSuffix) || name.size() == kSuffix.size()) {
    return Error(Code::kInvalidArgument, in + " does not end with .dare; name the output with -o");
  }
  return in.substr(0, in.size() - kSuffix.size());
}

}  // namespace

bool IsFolder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string KeyBlockFileOf(const std::string& path) {
  if (!tree::IsSealedTree(path)) return path;
  return Trimmed(path) + "/" + std::string(tree::kKeyBlockName);
}

Result<void> SealFolder(const SealFolderOptions& options, const MakeKeyring& old_keks,
                        const MakeKeyring& new_keks) {
  const std::string in = Trimmed(options.in);
  const std::string out = options.out.empty() ? in + ".dare" : Trimmed(options.out);
  if (out == "-") {
    return Error(Code::kInvalidArgument, "a folder is sealed into a folder, not into a pipe");
  }
  Result<tree::SealedFolder> folder = tree::SealedFolder::ForSealing(out, old_keks, new_keks);
  if (!folder) return OpeningError(out, folder.error());
  tree::SealTreeOptions tree;
  tree.encrypt_names = options.encrypt_names;
  tree.anew = options.anew;
  tree.context = options.context;
  tree.workers = options.threads;
  tree.cancelled = &Session::cancelled();
  TreeReport report(out, options.json);
  ProgressBar bar("sealing");
  tree.progress = bar.Callback();
  const tree::SealTreeSummary summary = TRY(tree::SealTree(in, *folder, tree, report));
  return report.Finish(summary);
}

Result<void> OpenFolder(const OpenFolderOptions& options, const envelope::Keyring& keks) {
  const std::string target = TRY(TargetOf(options));
  const std::string in = Trimmed(options.in);
  const Result<tree::SealedFolder> folder = tree::SealedFolder::ForOpening(in, keks);
  if (!folder) return OpeningError(in, folder.error());
  TreeReport report(in, options.json);
  tree::OpenTreeOptions tree = TreeOptions(options);
  ProgressBar bar("opening");
  tree.progress = bar.Callback();
  const auto summary = tree::OpenTree(*folder, target, tree, report);
  if (!summary) return SealingError(summary.error());
  return report.Finish(*summary, false);
}

Result<void> VerifyFolder(const OpenFolderOptions& options, const envelope::Keyring& keks) {
  const std::string in = Trimmed(options.in);
  const Result<tree::SealedFolder> folder = tree::SealedFolder::ForOpening(in, keks);
  if (!folder) return OpeningError(in, folder.error());
  TreeReport report(in, options.json);
  tree::OpenTreeOptions tree = TreeOptions(options);
  ProgressBar bar("verifying");
  tree.progress = bar.Callback();
  const tree::OpenTreeSummary summary = TRY(tree::VerifyTree(*folder, tree, report));
  return report.Finish(summary, true);
}

}  // namespace dare::cli
