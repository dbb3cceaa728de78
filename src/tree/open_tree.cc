#include "tree/open_tree.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>
#include <utility>

#include "tree/checked_manifest.h"
#include "tree/data_file.h"
#include "tree/in_order.h"
#include "tree/target_folder.h"

namespace dare::tree {
namespace {

constexpr std::size_t kWindow = 1024;

enum class Outcome : std::uint8_t { kDone, kThere, kSkipped, kFailed };

struct Item {
  Entry entry;
  Outcome outcome = Outcome::kDone;
  std::optional<Error> error;
};

// One run over a sealed tree. Without a target it only checks.
class Opening {
 public:
  Opening(const SealedFolder& folder, const OpenTreeOptions& options, TreeObserver& observer)
      : folder_(folder), options_(options), observer_(observer) {
    flow_.workers = options.workers;
    flow_.cancelled = options.cancelled;
  }

  Result<OpenTreeSummary> Run(const std::optional<std::string>& target);

 private:
  Result<void> Claim(const std::string& target);
  Result<void> Start(unsigned workers);
  Result<void> Contents();
  Result<void> Visit(Entry entry);
  Result<void> TakeOldest();
  Result<void> HardLinks();
  Result<void> Folders();
  void FinishFolder(const Entry& entry);
  void Work(Item& item, unsigned worker);
  Result<void> OpenItem(Item& item, unsigned worker);
  void Report(const std::string& path, const Error& error);
  bool cancelled() const {
    return options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed);
  }

  const SealedFolder& folder_;
  const OpenTreeOptions& options_;
  TreeObserver& observer_;
  ContentFlow flow_;
  std::optional<TargetFolder> target_;
  std::optional<CheckedManifest> manifest_;
  std::vector<envelope::Keyring> keyrings_;    // one a worker
  std::vector<TargetFolder::Parent> parents_;  // one a worker
  OpenTreeSummary summary_;

  Mutex progress_mutex_;
  std::uint64_t done_ GUARDED_BY(progress_mutex_) = 0;

  std::unique_ptr<InOrder<Item>> work_;  // the last member: its threads use the others
};

Result<void> Opening::Start(unsigned workers) {
  if (workers == 0) workers = std::max(1u, std::thread::hardware_concurrency());
  workers = std::min(workers, 64u);
  for (unsigned i = 0; i < workers; ++i) keyrings_.push_back(TRY(folder_.DataKeyring()));
  parents_.resize(workers);
  if (options_.progress) {
    flow_.done = [this](std::uint64_t more) {
      const MutexLock lock(progress_mutex_);
      done_ += more;
      options_.progress(done_, manifest_->wanted().bytes);
    };
  }
  work_ = std::make_unique<InOrder<Item>>(
      workers, kWindow, [this](Item& item, unsigned worker) { Work(item, worker); });
  return {};
}

Result<void> Opening::Claim(const std::string& target) {
  const bool anew = options_.existing == Existing::kRefuse;
  if (manifest_->top().kind == EntryKind::kFolder) {
    target_.emplace(TRY(TargetFolder::Claim(target, options_.only, anew, !anew)));
  } else {
    target_.emplace(TRY(TargetFolder::ForOne(target, options_.only, !anew)));
  }
  return {};
}

Result<OpenTreeSummary> Opening::Run(const std::optional<std::string>& target) {
  manifest_.emplace(
      TRY(CheckedManifest::Read(folder_, options_.only, options_.at_least_generation)));
  summary_.generation = manifest_->header().generation;
  summary_.entries = manifest_->wanted().entries;
  summary_.files = manifest_->wanted().files;
  summary_.folders = manifest_->wanted().folders;
  if (target) TRY(Claim(*target));
  TRY(Start(options_.workers));
  TRY(Contents());
  if (target_) {
    if (manifest_->wanted().hard_links > 0) TRY(HardLinks());
    TRY(Folders());
    TRY(target_->Sync());
  }
  return summary_;
}

Result<void> Opening::Contents() {
  CheckedManifest::Reading entries = TRY(manifest_->Again());
  for (;;) {
    if (cancelled()) return envelope::Cancelled();
    std::optional<Entry> entry = TRY(entries.Next());
    if (!entry) break;
    TRY(Visit(*std::move(entry)));
  }
  while (!work_->empty()) TRY(TakeOldest());
  return {};
}

Result<void> Opening::Visit(Entry entry) {
  if (entry.kind == EntryKind::kFolder) {
    if (!target_ || entry.path == options_.only) return {};
    const Result<void> made = target_->MakeFolder(entry.path);
    if (!made) Report(entry.path, made.error());
    return {};
  }
  if (entry.kind != EntryKind::kFile && !target_) return {};
  if (entry.file.linked && manifest_->FirstNameOf(entry) != entry.path) return {};
  while (work_->full()) TRY(TakeOldest());
  Item item;
  item.entry = std::move(entry);
  work_->Push(std::move(item));
  return {};
}

Result<void> Opening::TakeOldest() {
  const Item item = work_->Pop();
  if (cancelled()) return envelope::Cancelled();
  if (item.error) {
    // On a full disk nothing more will go well.
    if (item.error->detail == ENOSPC || item.error->detail == EDQUOT) {
      return Error(Code::kIo,
                   "no space left on the disk; what was opened is whole, and --resume "
                   "goes on from there");
    }
    Report(item.entry.path, *item.error);
    return {};
  }
  if (item.outcome == Outcome::kSkipped) {
    ++summary_.skipped;
    observer_.Skipped(item.entry.path, "a device, which only root makes");
  }
  if (item.outcome == Outcome::kThere) ++summary_.there;
  if (item.entry.kind == EntryKind::kFile) summary_.bytes += item.entry.file.content_size();
  return {};
}

void Opening::Report(const std::string& path, const Error& error) {
  ++(error.code == Code::kDamaged ? summary_.damaged : summary_.failed);
  observer_.Failed(path, error);
}

void Opening::Work(Item& item, unsigned worker) {
  if (cancelled()) return;
  if (const Result<void> opened = OpenItem(item, worker); !opened) {
    item.error = opened.error();
    item.outcome = Outcome::kFailed;
  }
}

Result<void> Opening::OpenItem(Item& item, unsigned worker) {
  const Entry& entry = item.entry;
  const envelope::Keyring& keyring = keyrings_[worker];
  const bool names_encrypted = manifest_->header().names_encrypted;
  if (!target_) {
    return OpenContent(folder_.fd(), names_encrypted, keyring, flow_, entry, nullptr);
  }
  if (entry.kind != EntryKind::kFile) {
    const bool device =
        entry.kind == EntryKind::kCharDevice || entry.kind == EntryKind::kBlockDevice;
    if (device && ::geteuid() != 0) {
      item.outcome = Outcome::kSkipped;
      return {};
    }
    return target_->MakeSpecial(entry);
  }
  if (options_.existing == Existing::kResume && target_->HasFile(entry)) {
    item.outcome = Outcome::kThere;
    return {};
  }
  TargetFolder::NewFile file = TRY(target_->BeginFile(entry.path, parents_[worker]));
  envelope::FileWriter writer(file.fd.get(), "it");
  Result<void> opened = OpenContent(folder_.fd(), names_encrypted, keyring, flow_, entry, &writer);
  // Holes at the end need the size; those before come by themselves.
  if (opened && entry.file.sparse &&
      ::ftruncate(file.fd.get(), static_cast<off_t>(entry.file.size)) != 0) {
    opened = IoError("cannot give it its size", errno);
  }
  if (!opened) {
    target_->DropFile(file);
    return opened;
  }
  return target_->FinishFile(std::move(file), entry);
}

Result<void> Opening::HardLinks() {
  CheckedManifest::Reading entries = TRY(manifest_->Again());
  for (;;) {
    if (cancelled()) return envelope::Cancelled();
    const std::optional<Entry> entry = TRY(entries.Next());
    if (!entry) return {};
    if (entry->kind != EntryKind::kFile || !entry->file.linked) continue;
    const std::string& first = manifest_->FirstNameOf(*entry);
    if (first == entry->path) continue;
    const Result<void> linked = target_->MakeHardLink(entry->path, first);
    if (!linked) Report(entry->path, linked.error());
  }
}

void Opening::FinishFolder(const Entry& entry) {
  const Result<void> finished = target_->FinishFolder(entry);
  if (!finished) Report(entry.path, finished.error());
}

// Once everything is in them, the innermost first: a mode may forbid what is below, and what is
// made in a folder changes its time.
Result<void> Opening::Folders() {
  CheckedManifest::Reading entries = TRY(manifest_->Again());
  const std::size_t top = DepthOf(options_.only);
  std::vector<Entry> open;
  for (;;) {
    if (cancelled()) return envelope::Cancelled();
    std::optional<Entry> entry = TRY(entries.Next());
    const std::size_t depth = entry ? DepthOf(entry->path) - top : 0;
    while (open.size() > depth) {
      FinishFolder(open.back());
      open.pop_back();
    }
    if (!entry) return {};
    if (entry->kind == EntryKind::kFolder) open.push_back(*std::move(entry));
  }
}

}  // namespace

Result<OpenTreeSummary> OpenTree(const SealedFolder& folder, const std::string& target,
                                 const OpenTreeOptions& options, TreeObserver& observer) {
  Opening opening(folder, options, observer);
  return opening.Run(target);
}

Result<OpenTreeSummary> VerifyTree(const SealedFolder& folder, const OpenTreeOptions& options,
                                   TreeObserver& observer) {
  Opening opening(folder, options, observer);
  return opening.Run(std::nullopt);
}

}  // namespace dare::tree
