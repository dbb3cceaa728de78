#include "envelope/rewrap.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "envelope/io.h"
#include "envelope/key_block.h"
#include "envelope/recovery_key.h"

namespace dare::envelope {
namespace {

// The area at the front of a file. Owns the descriptor, and with it the lock.
class FileArea final : public RewritableArea {
 public:
  FileArea(FileDescriptor fd, const std::string& path)
      : fd_(std::move(fd)), path_(path), writer_(fd_.get(), path) {}

  Result<Bytes> Read() override {
    const FileReader reader = TRY(FileReader::Create(fd_.get(), path_));
    Bytes area(kKeyBlockAreaSize);
    area.resize(TRY(reader.ReadAt(0, area)));
    return area;
  }
  Result<void> WriteSlot(std::size_t index, ByteView bytes) override {
    TRY(writer_.WriteAt(index * kSlotSize, bytes));
    written_ += bytes.size();
    return {};
  }
  // No length changes, so what fsync() would write besides is nothing but times.
  Result<void> Sync() override {
    if (::fdatasync(fd_.get()) != 0) return IoError("cannot sync " + path_, errno);
    return {};
  }
  std::uint64_t written() const { return written_; }

 private:
  const FileDescriptor fd_;
  const std::string path_;
  FileWriter writer_;
  std::uint64_t written_ = 0;
};

Result<FileDescriptor> OpenAndLock(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return IoError("cannot open " + path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return IoError("cannot stat " + path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error(Code::kInvalidArgument, path + " is not a regular file");
  }
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error(Code::kConflict, path + " is being rewrapped by another process");
    }
    return IoError("cannot lock " + path, errno);
  }
  return fd;
}

NamedKey NamedKeyOf(const EncryptedDataKey& edk) { return {edk.provider_id, KeyNameOf(edk)}; }

// True when the copies of `found` are one under each of `keks` and no other.
bool AreUnderExactly(const std::vector<EncryptedDataKey>& found, const Keyring& keks) {
  std::vector<NamedKey> have, want;
  for (const EncryptedDataKey& edk : found) have.push_back(NamedKeyOf(edk));
  for (const std::shared_ptr<KeyWrapper>& kek : keks) {
    std::optional<NamedKey> key = kek->named_key();
    if (!key) return false;
    want.push_back(*std::move(key));
  }
  std::sort(have.begin(), have.end());
  std::sort(want.begin(), want.end());
  return have == want;
}

Result<void> CheckRecoveryKept(const std::vector<EncryptedDataKey>& found, const Keyring& keks) {
  for (const EncryptedDataKey& edk : found) {
    if (edk.provider_id != kRecoveryNamespace) continue;
    const NamedKey key = NamedKeyOf(edk);
    const bool kept = std::any_of(keks.begin(), keks.end(),
                                  [&](const auto& kek) { return kek->named_key() == key; });
    if (kept) continue;
    return Error(Code::kInvalidArgument, std::string(kLosesRecovery));
  }
  return {};
}

constexpr const char* kNotSealedOrDamaged = "not a sealed file or damaged";

}  // namespace

Result<RewrapNeed> NeedOfRewrap(const OpeningKeys& found, const RewrapWish& wish) {
  if (found.kind == FileKind::kOther) {
    if (found.looks_sealed) return Error(Code::kDamaged, kNotSealedOrDamaged);
    return RewrapNeed::kOther;
  }
  const auto opens = [&](const NamedKey& key) {
    return std::any_of(found.keys.begin(), found.keys.end(),
                       [&](const EncryptedDataKey& edk) { return NamedKeyOf(edk) == key; });
  };
  if (found.kind == FileKind::kMessage &&
      std::all_of(found.keys.begin(), found.keys.end(), [](const EncryptedDataKey& edk) {
        return edk.provider_id == kKeyBlockNamespace;
      })) {
    return RewrapNeed::kOther;
  }
  if (!wish.from.empty() && std::none_of(wish.from.begin(), wish.from.end(), opens)) {
    return RewrapNeed::kOtherKeys;
  }
  if (found.kind == FileKind::kMessage) return RewrapNeed::kMessage;
  if (found.settled && AreUnderExactly(found.keys, wish.new_keks)) return RewrapNeed::kDone;
  if (!wish.drop_recovery) TRY(CheckRecoveryKept(found.keys, wish.new_keks));
  return RewrapNeed::kNeeded;
}

FilesRewrapped RewrapFiles(std::span<const std::string> paths, const RewrapWish& wish) {
  FilesRewrapped rewrapped;
  std::vector<std::unique_ptr<FileArea>> files;
  std::vector<RewritableArea*> areas;
  std::vector<Result<void>> locked;
  for (const std::string& path : paths) {
    Result<FileDescriptor> fd = OpenAndLock(path);
    locked.push_back(fd ? Result<void>() : Result<void>(fd.error()));
    if (!fd) continue;
    files.push_back(std::make_unique<FileArea>(*std::move(fd), path));
    areas.push_back(files.back().get());
  }
  RewrapResults results = RewrapAreas(areas, wish.old_keks, wish.new_keks);
  for (const auto& file : files) rewrapped.bytes_written += file->written();
  rewrapped.results.new_keks_fault = std::move(results.new_keks_fault);
  std::size_t next = 0;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!locked[i]) {
      rewrapped.results.each.emplace_back(std::move(locked[i]).error());
      continue;
    }
    Result<RewrapSummary>& summary = results.each[next++];
    if (!summary && summary.error().code == Code::kDamaged) {
      summary = Error(Code::kDamaged, paths[i] + ": " + kNotSealedOrDamaged);
    }
    rewrapped.results.each.push_back(std::move(summary));
  }
  return rewrapped;
}

Result<RewrapSummary> RewrapFile(const std::string& path, const RewrapWish& wish) {
  const OpeningKeys found = TRY(FindOpeningKeys(path));
  if (!wish.drop_recovery) {
    const Result<void> kept = CheckRecoveryKept(found.keys, wish.new_keks);
    if (!kept) return kept.error().In(path);
  }
  return std::move(RewrapFiles({&path, 1}, wish).results.each.front());
}

}  // namespace dare::envelope
