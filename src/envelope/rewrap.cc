#include "envelope/rewrap.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <utility>

#include "base/file.h"
#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

// The area at the front of a file.
class FileArea final : public RewritableArea {
 public:
  FileArea(int fd, const std::string& path) : fd_(fd), reader_path_(path), writer_(fd, path) {}

  Result<Bytes> Read() override {
    const FileReader reader = TRY(FileReader::Create(fd_, reader_path_));
    Bytes area(kKeyBlockAreaSize);
    area.resize(TRY(reader.ReadAt(0, area)));
    return area;
  }
  Result<void> WriteSlot(std::size_t index, ByteView bytes) override {
    return writer_.WriteAt(index * kSlotSize, bytes);
  }
  Result<void> Sync() override {
    if (::fsync(fd_) != 0) return IoError("cannot sync " + reader_path_, errno);
    return {};
  }

 private:
  const int fd_;
  const std::string reader_path_;
  FileWriter writer_;
};

// Zeroes first: whatever part of a write a crash leaves behind, the slot then either is the new
// message or shows, by a sector of zeroes, that it was being replaced. A reader needs that to tell
// an interrupted replacement, which it tolerates, from damage, which it does not.
Result<void> ReplaceSlot(RewritableArea& area, std::size_t index, ByteView message) {
  const Bytes zeroes(kSlotSize, 0);
  TRY(area.WriteSlot(index, zeroes));
  TRY(area.Sync());
  TRY(area.WriteSlot(index, message));
  return area.Sync();
}

Result<void> ReadBack(RewritableArea& area, std::size_t index, const Bytes& message) {
  const Bytes now = TRY(area.Read());
  if (now.size() == kKeyBlockAreaSize &&
      EqualInConstantTime(ByteView(now).subspan(index * kSlotSize, kSlotSize), message)) {
    return {};
  }
  return Error(Code::kIo, "the new key block reads back differently; the old one was left alone");
}

Result<FileDescriptor> OpenAndLock(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY));
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

}  // namespace

Result<RewrapSummary> RewrapArea(RewritableArea& area, const Keyring& old_keks,
                                 const Keyring& new_keks) {
  const Bytes before = TRY(area.Read());
  if (before.size() != kKeyBlockAreaSize) return NotAuthentic();
  OpenedSlot current = TRY(OpenKeyBlockArea(before, old_keks, SlotTolerance::kRepair));
  if (current.block.generation == std::numeric_limits<std::uint32_t>::max()) {
    return Error(Code::kTooLarge, "the key block has no generation left; seal the file anew");
  }
  ++current.block.generation;
  // A new message, with a new DEK and message id: never a new header for the old one.
  const Bytes message = TRY(SealKeyBlock(current.block, new_keks));
  const std::size_t spare = 1 - current.index;
  TRY(ReplaceSlot(area, spare, message));
  TRY(ReadBack(area, spare, message));
  // The same bytes again, so that no slot needs an old KEK.
  TRY(ReplaceSlot(area, current.index, message));
  return RewrapSummary{current.block.id, current.block.generation};
}

Result<RewrapSummary> RewrapFile(const std::string& path, const Keyring& old_keks,
                                 const Keyring& new_keks) {
  const FileDescriptor fd = TRY(OpenAndLock(path));
  FileArea area(fd.get(), path);
  Result<RewrapSummary> summary = RewrapArea(area, old_keks, new_keks);
  if (!summary && summary.error().code == Code::kDamaged) {
    return Error(Code::kDamaged, path + ": not a sealed file or damaged");
  }
  return summary;
}

}  // namespace dare::envelope
