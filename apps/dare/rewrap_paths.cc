#include "rewrap_paths.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "envelope/inspect.h"
#include "envelope/sealed_file.h"
#include "folders.h"
#include "tree/sealed_folder.h"

namespace dare::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kListPiece = 64u << 10;
constexpr std::size_t kMostPathBytes = 1u << 20;  // in a list; the kernel takes 4096

std::string KeyBlockOf(const std::string& folder) {
  return folder + (folder.ends_with('/') ? "" : "/") + std::string(tree::kKeyBlockName);
}

// A folder is not passed over as a sealed one because some file in it has the right name.
bool IsTree(const std::string& folder) {
  if (!tree::IsSealedTree(folder)) return false;
  if (FileExists(folder + "/" + std::string(tree::kManifestName))) return true;
  const auto found = envelope::FindOpeningKeys(KeyBlockOf(folder));
  return found && found->kind == envelope::FileKind::kKeyBlocks;
}

envelope::RewrapCandidate Unlisted(const std::string& folder, const std::error_code& error) {
  return {.path = folder,
          .named = false,
          .error = Error(Code::kIo, "cannot list " + folder + ": " + error.message())};
}

}  // namespace

Result<void> RewrapPaths::GoOnWith(const std::string& list, char end) {
  int fd = STDIN_FILENO;
  if (list != envelope::kStandardStream) {
    list_file_ = FileDescriptor(::open(list.c_str(), O_RDONLY | O_CLOEXEC));
    if (!list_file_) return IoError("cannot open " + list, errno);
    fd = list_file_.get();
  }
  list_ = std::make_unique<envelope::FdSource>(
      fd, list == envelope::kStandardStream ? "standard input" : list, &cancelled_);
  list_end_ = end;
  return {};
}

std::optional<RewrapPaths::Candidate> RewrapPaths::Next() {
  while (!cancelled_.load()) {
    if (next_) return std::exchange(next_, std::nullopt);
    if (entries_ != fs::directory_iterator()) {
      if (std::optional<Candidate> found = NextEntry()) return found;
      continue;
    }
    if (!folders_.empty()) {
      const std::string folder = std::move(folders_.back());
      folders_.pop_back();
      if (std::optional<Candidate> found = Enter(folder)) return found;
      continue;
    }
    const std::optional<std::string> name = NextName();
    if (!name && list_error_) return Candidate{.path = "", .error = std::exchange(list_error_, {})};
    if (!name) return std::nullopt;
    if (std::optional<Candidate> found = AtName(*name)) return found;
  }
  return std::nullopt;
}

std::optional<std::string> RewrapPaths::NextName() {
  if (next_named_ < named_.size()) return named_[next_named_++];
  while (std::optional<std::string> name = NextOfList()) {
    if (!name->empty()) return name;
  }
  return std::nullopt;
}

std::optional<std::string> RewrapPaths::NextOfList() {
  for (;;) {
    const std::size_t end = list_rest_.find(list_end_, list_at_);
    if (end != std::string::npos) {
      std::string name = list_rest_.substr(list_at_, end - list_at_);
      list_at_ = end + 1;
      return name;
    }
    list_rest_.erase(0, std::exchange(list_at_, 0));
    if (list_ == nullptr) {
      if (list_rest_.empty()) return std::nullopt;
      return std::exchange(list_rest_, {});  // the last one needs no end
    }
    Bytes piece(kListPiece);
    Result<std::size_t> n =
        list_rest_.size() > kMostPathBytes
            ? Result<std::size_t>(Error(Code::kTooLarge, "a path in the list of files has no end"))
            : list_->Read(piece);
    if (!n) {
      list_error_ = std::move(n).error();
      list_rest_.clear();
    } else {
      list_rest_ += AsText(ByteView(piece).first(*n));
    }
    if (list_error_ || *n < piece.size()) list_.reset();
  }
}

std::optional<RewrapPaths::Candidate> RewrapPaths::AtName(const std::string& name) {
  if (!IsFolder(name)) return Candidate{.path = name};
  if (IsTree(name)) return Candidate{.path = KeyBlockOf(name)};
  if (!recursive_) {
    return Candidate{.path = name,
                     .error = Error(Code::kInvalidArgument,
                                    name + " is a folder and not a sealed one; -r goes into it")};
  }
  folders_.push_back(name);
  return std::nullopt;
}

std::optional<RewrapPaths::Candidate> RewrapPaths::Enter(const std::string& folder) {
  if (IsTree(folder)) return Candidate{.path = KeyBlockOf(folder), .named = false};
  std::error_code error;
  folder_ = folder;
  entries_ = fs::directory_iterator(folder, error);
  if (!error) return std::nullopt;
  return Unlisted(folder, error);
}

std::optional<RewrapPaths::Candidate> RewrapPaths::NextEntry() {
  std::optional<Candidate> found;
  std::error_code error;
  // What goes away meanwhile is no file any more.
  const fs::file_status status = entries_->symlink_status(error);
  if (status.type() == fs::file_type::directory) {
    folders_.push_back(entries_->path().string());
  } else if (status.type() == fs::file_type::regular) {
    found = Candidate{.path = entries_->path().string(), .named = false};
  }
  error.clear();
  entries_.increment(error);
  if (!error) return found;
  entries_ = fs::directory_iterator();
  Candidate unlisted = Unlisted(folder_, error);
  if (!found) return unlisted;
  next_ = std::move(unlisted);
  return found;
}

}  // namespace dare::cli
