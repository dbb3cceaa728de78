#include "tree/open_tree.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "tree/data_file.h"
#include "tree/in_order.h"
#include "tree/manifest_file.h"
#include "tree/target_folder.h"

namespace dare::tree {
namespace {

constexpr std::size_t kWindow = 1024;

Error NotOne(const SealedFolder& folder) {
  return Error(Code::kDamaged, folder.path() + ": not a sealed tree or damaged");
}

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
  Result<ManifestInput> BeginManifest();
  Result<void> ReadWhole();
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
  Bytes manifest_id_;  // of the one that was read first
  ManifestHeader header_;
  ManifestTotals totals_;
  std::vector<envelope::Keyring> keyrings_;
  std::map<MessageId, Entry> linked_;  // the first entry of each linked file
  std::uint64_t hard_links_ = 0;
  OpenTreeSummary summary_;

  Mutex progress_mutex_;
  std::uint64_t done_ GUARDED_BY(progress_mutex_) = 0;

  std::unique_ptr<InOrder<Item>> work_;  // the last member: its threads use the others
};

Result<ManifestInput> Opening::BeginManifest() {
  Result<std::optional<ManifestInput>> input =
      ManifestInput::Begin(folder_, kManifestName, Completeness::kWhole);
  if (!input && input.error().code == Code::kDamaged) return NotOne(folder_);
  if (!input) return input.error();
  if (!*input) return NotOne(folder_);
  // What was checked is what is used, whatever lies there by now: another one may be as authentic.
  if (manifest_id_.empty()) manifest_id_ = (*input)->message_id();
  if ((*input)->message_id() != manifest_id_) return NotOne(folder_);
  return **std::move(input);
}

// All of it, before anything is done: linked entries must agree, totals must be true.
Result<void> Opening::ReadWhole() {
  ManifestInput input = TRY(BeginManifest());
  header_ = input.header();
  std::uint64_t bytes = 0;
  for (;;) {
    Result<std::optional<Entry>> next = input.Next();
    if (!next) return next.error().code == Code::kDamaged ? NotOne(folder_) : next.error();
    if (!*next) break;
    Entry& entry = **next;
    if (entry.kind == EntryKind::kFolder) ++summary_.folders;
    if (entry.kind != EntryKind::kFile) continue;
    if (entry.file.linked) {
      const auto [first, is_first] = linked_.try_emplace(entry.file.message_id, entry);
      if (!is_first && first->second.file != entry.file) return NotOne(folder_);
      if (!is_first) ++hard_links_;
      if (!is_first) continue;
    }
    bytes += entry.file.content_size();
  }
  totals_ = input.totals();
  if (bytes != totals_.bytes) return NotOne(folder_);
  summary_.generation = header_.generation;
  summary_.entries = totals_.entries;
  summary_.files = totals_.files;
  if (header_.generation < options_.at_least_generation) {
    return Error(Code::kDamaged, folder_.path() + " is of generation " +
                                     std::to_string(header_.generation) + ", older than " +
                                     std::to_string(options_.at_least_generation));
  }
  return {};
}

Result<void> Opening::Start(unsigned workers) {
  if (workers == 0) workers = std::max(1u, std::thread::hardware_concurrency());
  workers = std::min(workers, 64u);
  for (unsigned i = 0; i < workers; ++i) keyrings_.push_back(TRY(folder_.DataKeyring()));
  if (options_.progress) {
    flow_.done = [this](std::uint64_t more) {
      const MutexLock lock(progress_mutex_);
      done_ += more;
      options_.progress(done_, totals_.bytes);
    };
  }
  work_ = std::make_unique<InOrder<Item>>(
      workers, kWindow, [this](Item& item, unsigned worker) { Work(item, worker); });
  return {};
}

Result<OpenTreeSummary> Opening::Run(const std::optional<std::string>& target) {
  TRY(ReadWhole());
  if (target) {
    target_.emplace(TRY(TargetFolder::Claim(*target, options_.existing == Existing::kRefuse,
                                            options_.existing != Existing::kRefuse)));
  }
  TRY(Start(options_.workers));
  TRY(Contents());
  if (target_) {
    if (hard_links_ > 0) TRY(HardLinks());
    TRY(Folders());
    TRY(target_->Sync());
  }
  return summary_;
}

Result<void> Opening::Contents() {
  ManifestInput input = TRY(BeginManifest());
  for (;;) {
    if (cancelled()) return envelope::Cancelled();
    std::optional<Entry> entry = TRY(input.Next());
    if (!entry) break;
    TRY(Visit(*std::move(entry)));
  }
  while (!work_->empty()) TRY(TakeOldest());
  return {};
}

Result<void> Opening::Visit(Entry entry) {
  if (entry.kind == EntryKind::kFolder) {
    if (!target_ || entry.path.empty()) return {};
    const Result<void> made = target_->MakeFolder(entry.path);
    if (!made) Report(entry.path, made.error());
    return {};
  }
  if (entry.kind != EntryKind::kFile && !target_) return {};
  if (entry.file.linked && linked_.at(entry.file.message_id).path != entry.path) return {};
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
  if (!target_) {
    return OpenContent(folder_.fd(), header_.names_encrypted, keyring, flow_, entry, nullptr);
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
  TargetFolder::NewFile file = TRY(target_->BeginFile(entry.path));
  envelope::FileWriter writer(file.fd.get(), "it");
  Result<void> opened =
      OpenContent(folder_.fd(), header_.names_encrypted, keyring, flow_, entry, &writer);
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
  ManifestInput input = TRY(BeginManifest());
  for (;;) {
    if (cancelled()) return envelope::Cancelled();
    const std::optional<Entry> entry = TRY(input.Next());
    if (!entry) return {};
    if (entry->kind != EntryKind::kFile || !entry->file.linked) continue;
    const std::string& first = linked_.at(entry->file.message_id).path;
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
  ManifestInput input = TRY(BeginManifest());
  std::vector<Entry> open;
  for (;;) {
    if (cancelled()) return envelope::Cancelled();
    std::optional<Entry> entry = TRY(input.Next());
    const std::size_t depth = entry ? DepthOf(entry->path) : 0;
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
