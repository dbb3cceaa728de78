#include "folders.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "envelope/output_file.h"
#include "file_error.h"
#include "progress_bar.h"
#include "session.h"
#include "tree/read_tree.h"
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
  tree.only = options.only;
  tree.workers = options.threads;
  tree.cancelled = &Session::cancelled();
  return tree;
}

// As the manifest has it. People write "./etc/" as well.
Result<std::string> PathInTree(const std::string& path) {
  std::string in_tree;
  if (path.starts_with("/")) {
    return Error(Code::kInvalidArgument,
                 path + " begins with /; --only names an entry from the sealed folder on");
  }
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return Error(Code::kInvalidArgument, path + ": --only takes no \"..\"");
    in_tree += (in_tree.empty() ? "" : "/") + part;
  }
  return in_tree;
}

Result<std::string> TargetOf(const OpenFolderOptions& options) {
  constexpr std::string_view kSuffix = ".dare";
  const std::string in = Trimmed(options.in);
  if (!options.out.empty()) return Trimmed(options.out);
  if (!options.only.empty()) return options.only.substr(options.only.rfind('/') + 1);
  const std::string name = in.substr(in.rfind('/') == std::string::npos ? 0 : in.rfind('/') + 1);
  if (!name.ends_with(kSuffix) || name.size() == kSuffix.size()) {
    return Error(Code::kInvalidArgument, in + " does not end with .dare; name the output with -o");
  }
  return in.substr(0, in.size() - kSuffix.size());
}

// Standard output, a pipe, a device: what is written to in order.
bool IsStream(const std::string& path) {
  struct stat status {};
  return path == "-" || (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) &&
                         !S_ISDIR(status.st_mode));
}

// The content of one file, or a part of it, in order.
Result<void> OpenContentOf(const OpenFolderOptions& options, const tree::SealedFolder& folder,
                           const std::string& target) {
  std::optional<envelope::OutputFile> out;
  if (target != "-") out.emplace(TRY(envelope::OutputFile::Create(target, options.force)));
  envelope::FdSink sink(out ? out->fd() : STDOUT_FILENO, out ? target : "standard output",
                        &Session::cancelled());
  tree::OpenTreeOptions tree = TreeOptions(options);
  ProgressBar bar("opening");
  tree.progress = bar.Callback();
  const tree::Entry entry = TRY(tree::ReadTreeFile(folder, tree, options.range, sink));
  return out ? out->Commit(std::nullopt, entry.mode & 0777) : Result<void>();
}

Result<void> OpenTree(const OpenFolderOptions& options, const tree::SealedFolder& folder,
                      const std::string& target) {
  TreeReport report(folder.path(), options.json);
  tree::OpenTreeOptions tree = TreeOptions(options);
  ProgressBar bar("opening");
  tree.progress = bar.Callback();
  const tree::OpenTreeSummary summary = TRY(tree::OpenTree(folder, target, tree, report));
  return report.Finish(summary, false);
}

}  // namespace

bool IsFolder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
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

Result<void> OpenFolder(const OpenFolderOptions& given, const envelope::Keyring& keks) {
  OpenFolderOptions options = given;
  options.only = TRY(PathInTree(given.only));
  const std::string target = TRY(TargetOf(options));
  const std::string in = Trimmed(options.in);
  if (target == "-" && options.only.empty()) {
    return Error(Code::kInvalidArgument, "a folder is opened into a folder, not into a pipe");
  }
  const Result<tree::SealedFolder> folder = tree::SealedFolder::ForOpening(in, keks);
  if (!folder) return OpeningError(in, folder.error());
  const bool content = options.range || (!options.only.empty() && IsStream(target));
  const Result<void> opened =
      content ? OpenContentOf(options, *folder, target) : OpenTree(options, *folder, target);
  return opened ? opened : SealingError(opened.error());
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

Result<void> ListFolder(const OpenFolderOptions& given, const envelope::Keyring& keks) {
  OpenFolderOptions options = given;
  options.only = TRY(PathInTree(given.only));
  const std::string in = Trimmed(options.in);
  const Result<tree::SealedFolder> folder = tree::SealedFolder::ForOpening(in, keks);
  if (!folder) return OpeningError(in, folder.error());
  TreeReport report(in, options.json);
  const tree::OpenTreeSummary summary = TRY(tree::ListTree(
      *folder, TreeOptions(options), [&](const tree::Entry& entry) { report.Listed(entry); }));
  report.FinishList(summary);
  return {};
}

}  // namespace dare::cli
