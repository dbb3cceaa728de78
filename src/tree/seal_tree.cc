#include "tree/seal_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "tree/data_file.h"
#include "tree/in_order.h"
#include "tree/manifest_file.h"
#include "tree/source_folder.h"

namespace dare::tree {
namespace {

constexpr std::size_t kWindow = 1024;              // entries between walk and manifest
constexpr std::uint64_t kFlushedFile = 64u << 20;  // worth a frame of the manifest at once
// SP 800-38D 8.3: at most 2^32 random IVs under one key, and each message takes one of the block
// key's.
constexpr std::uint64_t kMostMessages = (1ull << 32) - (1ull << 24);

std::array<std::uint8_t, 16> BootId() {
  std::array<std::uint8_t, 16> id{};
  const Result<Bytes> text = ReadFile("/proc/sys/kernel/random/boot_id", 64);
  if (!text) return id;
  std::string digits;
  std::copy_if(text->begin(), text->end(), std::back_inserter(digits),
               [](std::uint8_t c) { return std::isxdigit(c) != 0; });
  const Result<Bytes> bytes = FromHex(digits);
  if (bytes && bytes->size() == id.size()) std::copy(bytes->begin(), bytes->end(), id.begin());
  return id;
}

Time WallClock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return {now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec)};
}

// What an earlier run knew, walked beside the source.
class Earlier {
 public:
  explicit Earlier(std::optional<ManifestInput> input, bool unfinished)
      : input_(std::move(input)), unfinished_(unfinished) {}

  bool there() const { return input_.has_value(); }
  const ManifestHeader& header() const { return input_->header(); }
  std::uint64_t passed() const { return passed_; }  // entries that nobody asked for
  std::uint64_t seen() const { return seen_; }

  Result<void> Start() { return Advance(); }

  // The entry of that path; paths are asked for in ascending order.
  Result<std::optional<Entry>> Take(const std::string& path) {
    while (next_ && ComparePaths(next_->path, path) < 0) {
      ++passed_;
      TRY(Advance());
    }
    std::optional<Entry> found;
    if (next_ && next_->path == path) {
      found = std::move(next_);
      TRY(Advance());
    }
    return found;
  }
  // The next entry below the folder `path`, which was taken.
  Result<std::optional<Entry>> TakeBelow(const std::string& path) {
    std::optional<Entry> found;
    if (next_ && (path.empty() || next_->path.starts_with(path + "/"))) {
      found = std::move(next_);
      TRY(Advance());
    }
    return found;
  }
  Result<void> Finish() {
    while (next_) {
      ++passed_;
      TRY(Advance());
    }
    return {};
  }

 private:
  Result<void> Advance() {
    next_.reset();
    if (!input_ || ended_) return {};
    Result<std::optional<Entry>> next = input_->Next();
    // Where a killed run stopped, its manifest stops too.
    if (!next && !unfinished_) return next.error();
    if (next) next_ = *std::move(next);
    ended_ = !next_;
    if (next_) ++seen_;
    return {};
  }

  std::optional<ManifestInput> input_;
  bool unfinished_;
  bool ended_ = false;
  std::optional<Entry> next_;
  std::uint64_t passed_ = 0, seen_ = 0;
};

enum class Outcome : std::uint8_t { kPending, kSealed, kUnchanged, kDone, kKept, kAlias, kFailed };

struct Inode {
  dev_t device = 0;
  ino_t number = 0;
  friend auto operator<=>(const Inode&, const Inode&) = default;
};

struct Item {
  Entry entry;
  Inode inode;
  std::optional<Entry> from_killed;  // the same path, as a killed run had it
  std::optional<Entry> from_last;    // the same path in the last manifest
  Outcome outcome = Outcome::kPending;
  std::optional<Error> error;
};

class Sealing {
 public:
  Sealing(FileDescriptor source, const SealedFolder& folder, const SealTreeOptions& options,
          TreeObserver& observer)
      : source_(std::move(source)), folder_(folder), options_(options), observer_(observer) {
    flow_.workers = options.workers;
    flow_.cancelled = options.cancelled;
  }

  Result<SealTreeSummary> Run();

 private:
  Result<void> Prepare();
  Result<void> CheckLast();
  Result<void> Start(unsigned workers);
  Result<void> Walk(const std::string& path);
  Result<void> Visit(const SeenName& seen, const std::string& path);
  Result<void> KeepBelow(const std::string& path);
  Result<void> Submit(Item item);
  Result<void> EmitOldest();
  Result<void> Emit(Item& item);
  Result<void> Add(Item& item);
  void Work(Item& item, unsigned worker);
  Result<void> SealItem(Item& item, unsigned worker);
  bool Reuse(const Item& item, const std::optional<Entry>& earlier, bool killed, unsigned worker);
  void Report(const std::string& path, const Error& error);
  bool cancelled() const {
    return options_.cancelled != nullptr && options_.cancelled->load(std::memory_order_relaxed);
  }

  FileDescriptor source_;
  const SealedFolder& folder_;
  const SealTreeOptions& options_;
  TreeObserver& observer_;
  ContentFlow flow_;
  struct stat sealed_status_ {};
  ManifestHeader header_;
  std::optional<Earlier> killed_, last_;
  bool verify_killed_ = false;  // the machine was started anew since: look at every byte
  ManifestTotals totals_;
  std::optional<ManifestOutput> manifest_;
  std::vector<envelope::Keyring> keyrings_;       // one for each worker
  std::map<Inode, std::optional<Entry>> linked_;  // the first entry of each linked file, emitted
  std::vector<std::uint64_t> ids_;
  SealTreeSummary summary_;

  Mutex progress_mutex_;
  std::uint64_t done_ GUARDED_BY(progress_mutex_) = 0;
  std::optional<std::uint64_t> total_;

  std::unique_ptr<InOrder<Item>> work_;  // the last member: its threads use the others
};

// Reads the whole of the last manifest: nothing is built upon a damaged one.
Result<void> Sealing::CheckLast() {
  std::optional<ManifestInput> last =
      TRY(ManifestInput::Begin(folder_, kManifestName, Completeness::kWhole));
  if (!last) return {};
  for (;;) {
    const std::optional<Entry> entry = TRY(last->Next());
    if (!entry) break;
  }
  totals_.messages = last->totals().messages;
  if (totals_.messages >= kMostMessages) {
    return Error(Code::kExhausted, folder_.path() +
                                       " has made as many messages as its key may; "
                                       "seal into a new tree");
  }
  return {};
}

Result<void> Sealing::Prepare() {
  if (Result<void> checked = CheckLast(); !checked) {
    if (checked.error().code != Code::kDamaged) return checked;
    return Error(Code::kDamaged, folder_.path() + ": not a sealed tree or damaged");
  }
  TRY(folder_.KeepUnfinished());
  std::optional<ManifestInput> last =
      TRY(ManifestInput::Begin(folder_, kManifestName, Completeness::kWhole));
  header_.names_encrypted = options_.encrypt_names;
  if (last) {
    if (options_.encrypt_names && !last->header().names_encrypted) {
      return Error(Code::kInvalidArgument,
                   folder_.path() + " was sealed with its names kept; seal into a new tree");
    }
    header_.names_encrypted = last->header().names_encrypted;
    header_.generation = last->header().generation + 1;
  }
  header_.boot_id = BootId();
  header_.created = SystemClock::Get().Now();
  // What a killed run left is only a hint: when it cannot be read, it is not used.
  Result<std::optional<ManifestInput>> killed =
      ManifestInput::Begin(folder_, kResumeManifestName, Completeness::kUnfinished);
  std::optional<ManifestInput> usable;
  if (killed && *killed && (*killed)->header().names_encrypted == header_.names_encrypted) {
    usable = *std::move(killed);
    header_.generation = std::max(header_.generation, usable->header().generation + 1);
    verify_killed_ = usable->header().boot_id != header_.boot_id;
    summary_.resumed = true;
  }
  killed_.emplace(std::move(usable), true);
  last_.emplace(std::move(last), false);
  TRY(killed_->Start());
  return last_->Start();
}

Result<void> Sealing::Start(unsigned workers) {
  if (workers == 0) workers = std::max(1u, std::thread::hardware_concurrency());
  workers = std::min(workers, 64u);
  for (unsigned i = 0; i < workers; ++i) keyrings_.push_back(TRY(folder_.DataKeyring()));
  if (options_.progress) {
    total_ = CountBytes(source_.get(), "");
    flow_.done = [this](std::uint64_t more) {
      const MutexLock lock(progress_mutex_);
      done_ += more;
      options_.progress(done_, total_);
    };
  }
  manifest_.emplace(TRY(ManifestOutput::Begin(folder_, header_, options_.context)));
  work_ = std::make_unique<InOrder<Item>>(
      workers, kWindow, [this](Item& item, unsigned worker) { Work(item, worker); });
  return {};
}

Result<SealTreeSummary> Sealing::Run() {
  if (::fstat(folder_.fd(), &sealed_status_) != 0) {
    return IoError("cannot look at " + folder_.path(), errno);
  }
  TRY(Prepare());
  TRY(Start(options_.workers));
  struct stat root {};
  if (::fstat(source_.get(), &root) != 0) return IoError("cannot look at the folder", errno);
  SeenName seen;
  seen.inode = root.st_ino;
  seen.device = root.st_dev;
  seen.mode = root.st_mode;
  TRY(Visit(seen, ""));
  while (!work_->empty()) TRY(EmitOldest());
  TRY(killed_->Finish());
  TRY(last_->Finish());
  summary_.removed = last_->passed();
  summary_.generation = header_.generation;
  totals_.messages += summary_.sealed + killed_->seen() + summary_.failed + 1;
  TRY(manifest_->Commit(folder_, totals_));
  std::sort(ids_.begin(), ids_.end());
  TRY(folder_.Sweep(ids_));
  summary_.entries = totals_.entries;
  summary_.files = totals_.files;
  summary_.bytes = totals_.bytes;
  return summary_;
}

Result<void> Sealing::Walk(const std::string& path) {
  const Result<std::vector<SeenName>> names = ListFolder(source_.get(), path);
  if (!names) {
    if (path.empty()) return names.error();
    Report(path, names.error());
    return KeepBelow(path);
  }
  for (const SeenName& seen : *names) {
    TRY(Visit(seen, seen.AsEntry(path).path));
  }
  return {};
}

Result<void> Sealing::Visit(const SeenName& seen, const std::string& path) {
  if (cancelled()) return envelope::Cancelled();
  if (path.size() > kMostPathBytes) {
    Report(path, Error(Code::kTooLarge, "its path is too long"));
    return {};
  }
  if (seen.inode == sealed_status_.st_ino && seen.device == sealed_status_.st_dev) {
    ++summary_.skipped;
    observer_.Skipped(path, "the sealed tree itself");
    return {};
  }
  if (S_ISSOCK(seen.mode)) {
    ++summary_.skipped;
    observer_.Skipped(path, "a socket");
    return {};
  }
  Item item;
  item.entry = seen.AsEntry("");
  item.entry.path = path;
  item.inode = {seen.device, seen.inode};
  item.from_killed = TRY(killed_->Take(path));
  item.from_last = TRY(last_->Take(path));
  if (S_ISREG(seen.mode) && seen.links > 1) {
    const auto [place, first] = linked_.try_emplace(item.inode);
    if (!first) item.outcome = Outcome::kAlias;
  }
  TRY(Submit(std::move(item)));
  return S_ISDIR(seen.mode) ? Walk(path) : Result<void>();
}

// The folder cannot be read now; what was sealed of it earlier stays.
Result<void> Sealing::KeepBelow(const std::string& path) {
  for (;;) {
    std::optional<Entry> entry = TRY(last_->TakeBelow(path));
    if (!entry) return {};
    Item item;
    item.entry = *std::move(entry);
    item.outcome = Outcome::kKept;
    TRY(Submit(std::move(item)));
  }
}

Result<void> Sealing::Submit(Item item) {
  while (work_->full()) TRY(EmitOldest());
  work_->Push(std::move(item));
  return {};
}

Result<void> Sealing::EmitOldest() {
  Item item = work_->Pop();
  if (cancelled()) return envelope::Cancelled();
  return Emit(item);
}

void Sealing::Report(const std::string& path, const Error& error) {
  ++summary_.failed;
  observer_.Failed(path, error);
}

Result<void> Sealing::Emit(Item& item) {
  if (item.outcome == Outcome::kAlias) {
    const std::optional<Entry>& first = linked_[item.inode];
    if (first) {
      const std::string path = std::exchange(item.entry, *first).path;
      item.entry.path = path;
    } else {
      item.outcome = Outcome::kFailed;
      item.error = Error(Code::kIo, "the file it is a link to could not be sealed");
    }
  }
  if (item.error) {
    // A full disk stops the run: the next one goes on from here.
    if (item.error->detail == ENOSPC || item.error->detail == EDQUOT) {
      return Error(Code::kIo, folder_.path() +
                                  ": no space left on the disk; once there is, run it "
                                  "again, and it goes on");
    }
    Report(item.entry.path, *item.error);
    const bool folder = item.entry.kind == EntryKind::kFolder;
    if (item.outcome == Outcome::kFailed && !folder) return {};
  }
  return Add(item);
}

Result<void> Sealing::Add(Item& item) {
  const Result<void> added = manifest_->Add(item.entry);
  if (!added && added.error().code == Code::kTooLarge) {
    Report(item.entry.path, added.error());
    return {};
  }
  TRY(Result<void>(added));
  ++totals_.entries;
  if (item.entry.kind == EntryKind::kFolder) ++summary_.folders;
  if (item.outcome == Outcome::kKept) ++summary_.kept;
  if (item.entry.kind != EntryKind::kFile) return {};
  ++totals_.files;
  ids_.push_back(GetU64(item.entry.file.message_id.data()));
  if (item.outcome == Outcome::kAlias) return {};
  totals_.bytes += item.entry.file.content_size();
  if (item.outcome == Outcome::kSealed) ++summary_.sealed;
  if (item.outcome == Outcome::kUnchanged) ++summary_.unchanged;
  if (const auto linked = linked_.find(item.inode); linked != linked_.end()) {
    linked->second = item.entry;
  }
  if (item.outcome == Outcome::kSealed && item.entry.file.size >= kFlushedFile) {
    return manifest_->Flush();
  }
  return {};
}

void Sealing::Work(Item& item, unsigned worker) {
  if (item.outcome != Outcome::kPending || cancelled()) return;
  const Result<void> sealed = SealItem(item, worker);
  if (sealed) return;
  item.error = sealed.error();
  item.outcome = Outcome::kFailed;
  const std::optional<Entry>& last = item.from_last;
  if (item.entry.kind == EntryKind::kFile && last && last->kind == EntryKind::kFile &&
      ContentIsThere(folder_.fd(), header_.names_encrypted, *last, false)) {
    item.entry = *last;
    item.outcome = Outcome::kKept;
  }
}

Result<void> Sealing::SealItem(Item& item, unsigned worker) {
  const FileDescriptor fd = TRY(ReadSource(source_.get(), item.inode.number, item.entry));
  item.outcome = Outcome::kDone;
  if (item.entry.kind != EntryKind::kFile) return {};
  for (const bool killed : {true, false}) {
    const std::optional<Entry>& earlier = killed ? item.from_killed : item.from_last;
    if (!Reuse(item, earlier, killed, worker)) continue;
    item.entry.file = earlier->file;
    item.outcome = Outcome::kUnchanged;
    if (flow_.done) flow_.done(item.entry.file.size);
    return {};
  }
  TRY(SealContent(fd.get(), folder_.fd(), header_.names_encrypted, keyrings_[worker], flow_,
                  item.entry));
  if (!IsUnchanged(fd.get(), item.entry)) {
    // Its message is named nowhere, so that the sweep takes it.
    return Error(Code::kConflict, "it changed while it was being sealed");
  }
  if (MayChangeUnseen(item.entry.file.changed, WallClock())) item.entry.file.changed = {};
  item.outcome = Outcome::kSealed;
  return {};
}

bool Sealing::Reuse(const Item& item, const std::optional<Entry>& earlier, bool killed,
                    unsigned worker) {
  if (options_.anew || !earlier || earlier->kind != EntryKind::kFile) return false;
  const FileData& now = item.entry.file;
  const FileData& then = earlier->file;
  if (now.size != then.size || now.inode != then.inode || now.changed != then.changed ||
      now.linked != then.linked || item.entry.modified != earlier->modified ||
      then.changed == Time{}) {
    return false;
  }
  if (killed && verify_killed_) {
    ContentFlow quiet;
    quiet.workers = 1;
    quiet.cancelled = options_.cancelled;
    return OpenContent(folder_.fd(), header_.names_encrypted, keyrings_[worker], quiet, *earlier,
                       nullptr)
        .has_value();
  }
  return ContentIsThere(folder_.fd(), header_.names_encrypted, *earlier, killed);
}

}  // namespace

Result<SealTreeSummary> SealTree(const std::string& source, const SealedFolder& folder,
                                 const SealTreeOptions& options, TreeObserver& observer) {
  FileDescriptor root(::open(source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return IoError("cannot open " + source, errno);
  Sealing sealing(std::move(root), folder, options, observer);
  return sealing.Run();
}

}  // namespace dare::tree
