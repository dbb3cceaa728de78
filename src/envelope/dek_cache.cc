#include "envelope/dek_cache.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace dare::envelope {
namespace {

// How often what is too old is looked for.
constexpr std::chrono::seconds kSweep{1};

// Each part with its length, so that no two lists of parts are hashed alike.
crypto::Sha256Digest NameOf(std::initializer_list<ByteView> parts) {
  Bytes joined;
  for (const ByteView part : parts) {
    std::uint8_t length[8];
    PutU64(length, part.size());
    Append(joined, length);
    Append(joined, part);
  }
  return crypto::Sha256(joined);
}

std::vector<std::string> NamesOfKeys(std::span<const EncryptedDataKey> edks) {
  std::vector<std::string> names;
  for (const EncryptedDataKey& edk : edks) {
    if (auto info = ParseAesProviderInfo(edk.provider_info)) names.push_back(std::move(info->name));
  }
  return names;
}

// The key server could not say whether it still agrees.
bool Undecided(const Error& error) {
  return error.code == Code::kUnavailable || error.code == Code::kTimeout;
}

}  // namespace

DekCache::DekCache(const DekCacheLimits& limits, const Clock& clock)
    : limits_(limits), clock_(clock) {}

DekCache::~DekCache() {
  std::jthread thread;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    thread = std::move(thread_);
    work_.NotifyAll();
  }
}

Result<std::shared_ptr<const WrappedDek>> DekCache::ForSealing(std::string_view name, ByteView aad,
                                                               std::uint64_t bytes,
                                                               const Fetch& now,
                                                               const Fetch& later) {
  const Name entry_name = NameOf({AsBytes("seal"), AsBytes(name), aad});
  const bool kept = keeps() && bytes <= limits_.bytes;
  if (kept) {
    if (auto dek = Take(entry_name, bytes, later)) return dek;
  }
  const std::uint64_t before = flushes();
  const Time asked = clock_.Steady();
  auto dek = std::make_shared<const WrappedDek>(TRY(now()));
  if (kept) {
    Keep(entry_name,
         {.dek = dek,
          .since = asked,
          .keys = NamesOfKeys(dek->edks),
          .seals = true,
          .uses = 1,
          .bytes = bytes},
         before, false);
  }
  return std::shared_ptr<const WrappedDek>(std::move(dek));
}

Result<std::optional<Dek>> DekCache::ForOpening(const EncryptedDataKey& edk, ByteView aad,
                                                const Unwrap& now, const Unwrap& later) {
  const Name name =
      NameOf({AsBytes("open"), AsBytes(edk.provider_id), edk.provider_info, edk.ciphertext, aad});
  if (keeps()) {
    const Fetch fetch = [later]() -> Result<WrappedDek> {
      std::optional<Dek> dek = TRY(later());
      if (!dek) return Error(Code::kDamaged, "the wrapped key is nobody's any more");
      return WrappedDek{.dek = *std::move(dek), .edks = {}};
    };
    if (const auto dek = Take(name, 0, fetch)) return std::optional<Dek>(TRY(dek->dek.Clone()));
  }
  const std::uint64_t before = flushes();
  const Time asked = clock_.Steady();
  std::optional<Dek> dek = TRY(now());
  if (dek && keeps()) {
    WrappedDek copy{.dek = TRY(dek->Clone()), .edks = {}};
    Keep(name,
         {.dek = std::make_shared<const WrappedDek>(std::move(copy)),
          .since = asked,
          .keys = NamesOfKeys({&edk, 1})},
         before, false);
  }
  return dek;
}

std::shared_ptr<const WrappedDek> DekCache::Take(const Name& name, std::uint64_t bytes,
                                                 const Fetch& later) {
  MutexLock lock(mutex_);
  const auto found = entries_.find(name);
  const Time now = clock_.Steady();
  if (found != entries_.end() && TooOld(found->second, now)) {
    Erase(found);
  } else if (found != entries_.end()) {
    Entry& entry = found->second;
    const bool room =
        !entry.seals || (entry.uses < limits_.uses && bytes <= limits_.bytes - entry.bytes);
    if (room) {
      ++entry.uses;
      entry.bytes += bytes;
      ++counts_.hits;
      by_use_.splice(by_use_.begin(), by_use_, entry.place);
      if (NearItsEnd(entry, now)) WantRefresh(name, entry, later);
      return entry.dek;
    }
  }
  ++counts_.misses;
  return nullptr;
}

bool DekCache::TooOld(const Entry& entry, Time now) const {
  if (now - entry.since >= limits_.time) return true;
  if (!limits_.unheard || hearing_ == Hearing::kHears) return false;
  return hearing_ == Hearing::kRefused ||
         now - std::max(entry.since, last_heard_) >= *limits_.unheard;
}

bool DekCache::NearItsEnd(const Entry& entry, Time now) const {
  if (limits_.refresh.count() == 0 || now < entry.refresh_after) return false;
  if (now - entry.since >= limits_.time - limits_.refresh) return true;
  if (!entry.seals) return false;
  return limits_.uses - entry.uses <= limits_.uses / 8 ||
         limits_.bytes - entry.bytes <= limits_.bytes / 8;
}

void DekCache::WantRefresh(const Name& name, Entry& entry, const Fetch& later) {
  if (entry.refreshing || ending_) return;
  entry.refreshing = true;
  wanted_.push_back({name, entry.keys, flushes_, later});
  StartThread();
  work_.NotifyOne();
}

std::uint64_t DekCache::flushes() const {
  MutexLock lock(mutex_);
  return flushes_;
}

void DekCache::Keep(const Name& name, Entry entry, std::uint64_t flushes, bool replace) {
  std::shared_ptr<const WrappedDek> dropped;  // wiped after the lock is given up
  MutexLock lock(mutex_);
  if (flushes != flushes_ || ending_) return;
  const Time now = clock_.Steady();
  if (TooOld(entry, now)) return;
  auto found = entries_.find(name);
  if (found != entries_.end()) {
    // Several calls may have missed it at once: the first one's stays, unless it has no more room
    // for what this one is for.
    const Entry& old = found->second;
    const bool spent =
        old.seals && (old.uses >= limits_.uses || limits_.bytes - old.bytes < entry.bytes);
    if (!replace && !spent && !TooOld(old, now)) return;
    dropped = old.dek;
    Erase(found);
  }
  if (entries_.size() >= limits_.entries) Erase(entries_.find(by_use_.back()));
  by_use_.push_front(name);
  entry.place = by_use_.begin();
  entries_.emplace(name, std::move(entry));
  StartThread();
  work_.NotifyOne();
}

void DekCache::Erase(std::map<Name, Entry>::iterator entry) {
  CHECK(entry != entries_.end());
  by_use_.erase(entry->second.place);
  entries_.erase(entry);
}

void DekCache::EraseAll() {
  entries_.clear();
  by_use_.clear();
}

void DekCache::ForgetWhatIsAsked() {
  ++flushes_;
  wanted_.clear();
  for (auto& [name, entry] : entries_) entry.refreshing = false;
}

void DekCache::DropOld() {
  const Time now = clock_.Steady();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (TooOld(entry->second, now)) Erase(entry);
    entry = next;
  }
}

void DekCache::Flush() {
  MutexLock lock(mutex_);
  ForgetWhatIsAsked();
  EraseAll();
}

void DekCache::Recall(std::string_view key_name) {
  MutexLock lock(mutex_);
  ForgetWhatIsAsked();
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (std::ranges::find(entry->second.keys, key_name) != entry->second.keys.end()) {
      Erase(entry);
      ++counts_.recalls;
    }
    entry = next;
  }
}

void DekCache::RecallAll() {
  MutexLock lock(mutex_);
  ForgetWhatIsAsked();
  counts_.recalls += entries_.size();
  EraseAll();
}

void DekCache::SetHearing(Hearing hearing) {
  MutexLock lock(mutex_);
  if (hearing == Hearing::kHears) {
    ForgetWhatIsAsked();
    EraseAll();
  }
  if (hearing_ == Hearing::kHears) last_heard_ = clock_.Steady();
  hearing_ = hearing;
  DropOld();  // not only within the second that the thread takes
}

DekCacheCounts DekCache::counts() const {
  MutexLock lock(mutex_);
  DekCacheCounts counts = counts_;
  counts.entries = entries_.size();
  counts.hears = limits_.unheard && hearing_ == Hearing::kHears;
  return counts;
}

void DekCache::StartThread() {
  if (thread_.joinable() || ending_) return;
  try {
    thread_ = std::jthread([this] { Work(); });
  } catch (const std::system_error&) {
    // No thread to be had: DEKs are replaced when they are used up, and old ones go when they are
    // looked for. The next one that is kept tries again.
  }
}

void DekCache::Work() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // they are for the program's own threads
  while (const std::optional<Refresh> refresh = AwaitRefresh()) Do(*refresh);
}

std::optional<DekCache::Refresh> DekCache::AwaitRefresh() {
  MutexLock lock(mutex_);
  for (;;) {
    if (ending_) return std::nullopt;
    DropOld();
    if (!wanted_.empty()) {
      Refresh refresh = std::move(wanted_.front());
      wanted_.pop_front();
      return refresh;
    }
    if (entries_.empty()) {
      work_.Wait(mutex_);
    } else {
      work_.WaitFor(mutex_, kSweep);
    }
  }
}

void DekCache::Do(const Refresh& refresh) {
  const Time asked = clock_.Steady();
  Result<WrappedDek> fresh = refresh.fetch();
  if (fresh) {
    const bool seals = !fresh->edks.empty();
    std::vector<std::string> keys = seals ? NamesOfKeys(fresh->edks) : refresh.keys;
    Keep(refresh.name,
         {.dek = std::make_shared<const WrappedDek>(*std::move(fresh)),
          .since = asked,
          .keys = std::move(keys),
          .seals = seals},
         refresh.flushes, true);
    MutexLock lock(mutex_);
    ++counts_.refreshes;
    return;
  }
  MutexLock lock(mutex_);
  const auto found = entries_.find(refresh.name);
  if (found == entries_.end() || refresh.flushes != flushes_) return;
  if (!Undecided(fresh.error())) {
    Erase(found);
    return;
  }
  found->second.refreshing = false;
  found->second.refresh_after = clock_.Steady() + std::max(limits_.refresh / 8, kSweep);
}

Result<std::optional<Dek>> CachingKeyWrapper::Unwrap(const EncryptedDataKey& edk, ByteView aad) {
  return cache_.ForOpening(
      edk, aad, [&] { return now_->Unwrap(edk, aad); },
      [later = later_, edk, copy = ToBytes(aad)] { return later->Unwrap(edk, copy); });
}

}  // namespace dare::envelope
