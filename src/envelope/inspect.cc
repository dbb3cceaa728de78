#include "envelope/inspect.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "envelope/frame_reader.h"

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

// By arithmetic, or as a body of one block says itself.
Result<std::optional<std::uint64_t>> PlaintextBytes(const FileReader& reader, std::uint64_t offset,
                                                    const MessageHeader& header) {
  std::optional<std::uint64_t> bytes;
  if (header.content_type == ContentType::kFramed) {
    const Result<FrameLayout> layout = LocateFrames(reader, offset, header);
    if (layout) bytes = layout->plaintext_size();
    return bytes;
  }
  std::uint8_t head[crypto::kGcmIvSize + 8];
  if (TRY(reader.ReadAt(offset, head)) == sizeof head) bytes = GetU64(head + crypto::kGcmIvSize);
  return bytes;
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
  facts.plaintext_bytes = TRY(PlaintextBytes(reader, in.offset(), facts.data_header));
  return facts;
}

Result<MessageFacts> InspectMessage(const FileReader& reader) {
  MessageLimits limits;
  limits.edks = 0xFFFF;  // what opening refuses may still be looked at
  limits.frame_length = 0xFFFFFFFF;
  ReaderSource in(reader, 0);
  MessageFacts facts;
  facts.file_bytes = reader.size();
  facts.header = TRY(ReadHeader(in, limits));
  facts.plaintext_bytes = TRY(PlaintextBytes(reader, in.offset(), facts.header));
  return facts;
}

struct OpenedFile {
  FileDescriptor fd;
  FileReader reader;
};

Result<OpenedFile> OpenRegular(const std::string& path) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd) return IoError("cannot open " + path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return IoError("cannot stat " + path, errno);
  if (!S_ISREG(status.st_mode)) {
    return Error(Code::kInvalidArgument, path + " is not a regular file");
  }
  FileReader reader = TRY(FileReader::Create(fd.get(), path));
  return OpenedFile{std::move(fd), std::move(reader)};
}

// The copies of every key block that is there: while one replaces the other, either opens.
OpeningKeys KeysOfArea(ByteView area, std::uint64_t file_bytes) {
  OpeningKeys found;
  found.settled = std::equal(area.begin(), area.begin() + kSlotSize, area.begin() + kSlotSize);
  for (const Slot& slot : ExamineSlots(area)) {
    if (slot.state != SlotState::kPresent) continue;
    found.kind = file_bytes == area.size() ? FileKind::kKeyBlocks : FileKind::kSealedFile;
    for (const EncryptedDataKey& edk : slot.header.edks) {
      if (std::find(found.keys.begin(), found.keys.end(), edk) == found.keys.end()) {
        found.keys.push_back(edk);
      }
    }
  }
  return found;
}

}  // namespace

Result<SealedFileFacts> InspectFile(const std::string& path) {
  const OpenedFile file = TRY(OpenRegular(path));
  Result<SealedFileFacts> facts = Inspect(file.reader);
  if (!facts && facts.error().code == Code::kDamaged) {
    return Error(Code::kDamaged, path + ": not a sealed file or damaged");
  }
  return facts;
}

Result<MessageFacts> InspectMessageFile(const std::string& path) {
  const OpenedFile file = TRY(OpenRegular(path));
  Result<MessageFacts> facts = InspectMessage(file.reader);
  if (!facts && facts.error().code == Code::kDamaged) return facts.error().In(path);
  return facts;
}

Result<OpeningKeys> FindOpeningKeys(const std::string& path) {
  const OpenedFile file = TRY(OpenRegular(path));
  Bytes area(kKeyBlockAreaSize);
  const std::size_t have = TRY(file.reader.ReadAt(0, area));
  OpeningKeys found;
  if (have == area.size()) found = KeysOfArea(area, file.reader.size());
  if (found.kind != FileKind::kOther) return found;
  Result<MessageFacts> message = InspectMessage(file.reader);
  if (!message && message.error().code != Code::kDamaged) return message.error();
  if (!message) {
    found.looks_sealed = LooksSealed(ByteView(area).first(have));
    return found;
  }
  found.kind = FileKind::kMessage;
  found.keys = std::move(message->header.edks);
  return found;
}

std::string KeyNameOf(const EncryptedDataKey& edk) {
  if (const auto info = ParseAesProviderInfo(edk.provider_info)) return info->name;
  return std::string(AsText(edk.provider_info));
}

}  // namespace dare::envelope
