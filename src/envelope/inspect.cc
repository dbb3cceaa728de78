#include "envelope/inspect.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "envelope/frame_cipher.h"

namespace dare::envelope {
namespace {

std::optional<std::size_t> CurrentSlot(const std::array<Slot, kSlotCount>& slots) {
  std::optional<std::size_t> current;
  for (std::size_t i = 0; i < kSlotCount; ++i) {
    if (slots[i].state != SlotState::kPresent) continue;
    if (!current || slots[i].generation > slots[*current].generation) current = i;
  }
  return current;
}

Result<SealedFileFacts> Inspect(const FileReader& reader) {
  SealedFileFacts facts;
  facts.file_bytes = reader.size();
  Bytes area(kKeyBlockAreaSize);
  ReaderSource in(reader, 0);
  if (TRY(in.Read(area)) != area.size()) return Error(Code::kDamaged, "too short");
  facts.slots = ExamineSlots(area);
  facts.slots_identical =
      std::equal(area.begin(), area.begin() + kSlotSize, area.begin() + kSlotSize);
  facts.current_slot = CurrentSlot(facts.slots);
  if (!facts.current_slot) return Error(Code::kDamaged, "no key block");
  facts.data_header = TRY(ReadHeader(in, MessageLimits{}));
  if (facts.data_header.content_type == ContentType::kFramed &&
      facts.data_header.suite->signature == FooterSignature::kNone) {
    const auto layout =
        FrameLayout::OfBody(reader.size() - in.offset(), facts.data_header.frame_length);
    if (layout) facts.plaintext_bytes = layout->plaintext_size();
  }
  return facts;
}

}  // namespace

Result<SealedFileFacts> InspectFile(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd) return IoError("cannot open " + path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return IoError("cannot stat " + path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error(Code::kInvalidArgument, path + " is not a regular file");
  }
  const FileReader reader = TRY(FileReader::Create(fd.get(), path));
  Result<SealedFileFacts> facts = Inspect(reader);
  if (!facts && facts.error().code == Code::kDamaged) {
    return Error(Code::kDamaged, path + ": not a sealed file or damaged");
  }
  return facts;
}

std::string KeyNameOf(const EncryptedDataKey& edk) {
  if (const auto info = ParseAesProviderInfo(edk.provider_info)) return info->name;
  return std::string(AsText(edk.provider_info));
}

}  // namespace dare::envelope
