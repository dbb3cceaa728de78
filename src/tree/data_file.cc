#include "tree/data_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "envelope/message_sealer.h"
#include "tree/beneath.h"
#include "tree/extents.h"
#include "tree/sealed_folder.h"

namespace dare::tree {
namespace {

constexpr std::uint64_t kBigFile = 8u << 20;
constexpr std::size_t kMostHeader = 4096;  // ours have 210 bytes
constexpr std::size_t kFinalHead = 24;
constexpr std::size_t kTagBytes = 16;

Error Damaged() { return Error(Code::kDamaged, "missing, damaged or not the one that was sealed"); }

Result<FileDescriptor> CreateData(int folder, const std::string& path) {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL;
  Result<FileDescriptor> fd = OpenBeneath(folder, path, kFlags, 0600);
  if (fd || fd.error().detail != ENOENT) return fd;
  TRY(MakeParents(folder, path));
  return OpenBeneath(folder, path, kFlags, 0600);
}

envelope::FlowOptions FlowOf(ContentFlow& flow, std::uint64_t size) {
  envelope::FlowOptions options;
  options.workers = size >= kBigFile ? flow.workers : 1;
  options.cancelled = flow.cancelled;
  if (flow.done) {
    options.progress = [&flow, before = std::uint64_t{0}](std::uint64_t now, auto) mutable {
      flow.done(now - before);
      before = now;
    };
  }
  return options;
}

// One frame: read, sealed and written by this thread without more ado.
Result<void> SealSmall(envelope::MessageSealer sealer, const envelope::RandomReader& in, int out,
                       FileData& file) {
  WipingBytes content(static_cast<std::size_t>(in.size()));
  if (TRY(in.ReadAt(0, content)) != content.size()) {
    return Error(Code::kConflict, "it changed while it was being sealed");
  }
  const Bytes message = TRY(std::move(sealer).SealWhole(content));
  TRY(envelope::FileWriter(out, "the sealed file").WriteAt(0, message));
  std::copy(message.end() - kTagBytes, message.end(), file.final_tag.begin());
  file.sealed_size = message.size();
  return {};
}

Result<void> SealLarge(envelope::MessageSealer sealer, const envelope::RandomReader& in, int out,
                       ContentFlow& flow, FileData& file) {
  envelope::FileWriter writer(out, "the sealed file");
  TRY(writer.WriteAt(0, sealer.header()));
  envelope::SealInput input;
  input.file = &in;
  envelope::SealOutput output;
  output.file = &writer;
  output.offset = sealer.header().size();
  TRY(envelope::SealBody(sealer, input, output, FlowOf(flow, in.size())));
  const envelope::FileReader sealed = TRY(envelope::FileReader::Create(out, "the sealed file"));
  file.sealed_size = sealed.size();
  if (TRY(sealed.ReadAt(sealed.size() - kTagBytes, file.final_tag)) != kTagBytes) {
    return Error(Code::kIo, "the sealed file reads back shorter");
  }
  return {};
}

Result<void> SealInto(int out, envelope::MessageSealer sealer, int source, ContentFlow& flow,
                      FileData& file) {
  const envelope::FileReader whole = TRY(envelope::FileReader::Create(source, "the file"));
  if (whole.size() != file.size) {
    return Error(Code::kConflict, "it changed while it was being sealed");
  }
  std::optional<ExtentReader> pieces;
  if (file.sparse) pieces.emplace(whole, file.extents);
  const envelope::RandomReader& in =
      file.sparse ? static_cast<const envelope::RandomReader&>(*pieces) : whole;
  if (in.size() <= sealer.frame_length()) {
    TRY(SealSmall(std::move(sealer), in, out, file));
    if (flow.done) flow.done(in.size());
    return {};
  }
  if (in.size() < kBigFile) return SealLarge(std::move(sealer), in, out, flow, file);
  const MutexLock turn(flow.big_file);
  return SealLarge(std::move(sealer), in, out, flow, file);
}

// The whole of a small message, already in memory.
class MemoryReader final : public envelope::RandomReader {
 public:
  explicit MemoryReader(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableBytes buffer) const override {
    const std::size_t at = static_cast<std::size_t>(std::min<std::uint64_t>(offset, size()));
    const std::size_t n = std::min(buffer.size(), bytes_.size() - at);
    if (n != 0) std::memcpy(buffer.data(), bytes_.data() + at, n);
    return n;
  }

 private:
  ByteView bytes_;
};

class NoWriter final : public envelope::RandomWriter {
 public:
  Result<void> WriteAt(std::uint64_t, ByteView) override { return {}; }
};

// The header of the message that `file` names, checked against it; not authentic yet.
Result<envelope::MessageHeader> HeaderOf(ByteView start, const FileData& file) {
  envelope::MessageLimits limits;
  limits.header_bytes = kMostHeader;
  envelope::MemorySource source(start);
  Result<envelope::MessageHeader> header = envelope::ReadHeader(source, limits);
  if (!header || header->suite->id != envelope::kSuiteWritten ||
      header->content_type != envelope::ContentType::kFramed ||
      !EqualInConstantTime(header->message_id, file.message_id) ||
      !EqualInConstantTime(header->tag, file.header_tag)) {
    return Damaged();
  }
  const auto layout =
      envelope::FrameLayout::OfBody(file.sealed_size - header->size(), header->frame_length);
  if (!layout || layout->plaintext_size() != file.content_size()) return Damaged();
  return header;
}

// A message of one frame: opened where it lies.
Result<void> OpenSmall(envelope::AuthenticHeader message, MutableBytes bytes,
                       envelope::RandomWriter& out) {
  const MutableBytes frame = bytes.subspan(message.header.size());
  const std::size_t length = frame.size() - envelope::kFinalFrameOverhead;
  const std::uint8_t* p = frame.data();
  if (GetU32(p) != envelope::kFinalFrameMarker || GetU32(p + 4) != 1 || GetU64(p + 8) != 0 ||
      GetU32(p + 16) != 1 || GetU32(p + 20) != length) {
    return Damaged();
  }
  const Bytes iv(p + 8, p + 20);
  const MutableBytes data = frame.subspan(kFinalHead, length);
  TRY(message.cipher.Open(envelope::FrameKind::kFinal, 1, iv, data, frame.last(kTagBytes)));
  return length == 0 ? Result<void>() : out.WriteAt(0, data);
}

// The message of a file, found to be the one that `file` names, up to its header.
struct BegunMessage {
  envelope::AuthenticHeader message;
  WipingBytes bytes;  // all of a small one, else its start
  bool small = false;
};

Result<BegunMessage> BeginMessage(const envelope::FileReader& sealed,
                                  const envelope::Keyring& keyring, const FileData& file) {
  if (sealed.size() != file.sealed_size || file.sealed_size < envelope::kFinalFrameOverhead) {
    return Damaged();
  }
  const bool small = file.sealed_size <= envelope::kDefaultFrameLength + kMostHeader;
  WipingBytes start(
      static_cast<std::size_t>(small ? file.sealed_size : std::uint64_t{kMostHeader}));
  Tag final_tag{};
  const std::uint64_t tag_at = file.sealed_size - kTagBytes;
  if (TRY(sealed.ReadAt(0, start)) != start.size()) return Damaged();
  if (small) {
    std::copy(start.end() - kTagBytes, start.end(), final_tag.begin());
  } else if (TRY(sealed.ReadAt(tag_at, final_tag)) != kTagBytes) {
    return Damaged();
  }
  if (!EqualInConstantTime(final_tag, file.final_tag)) return Damaged();
  envelope::MessageHeader header = TRY(HeaderOf(start, file));
  return BegunMessage{TRY(envelope::AuthenticateHeader(std::move(header), keyring, {})),
                      std::move(start), small};
}

Result<void> OpenFrom(const envelope::FileReader& sealed, const envelope::Keyring& keyring,
                      ContentFlow& flow, const FileData& file, envelope::RandomWriter& out) {
  BegunMessage begun = TRY(BeginMessage(sealed, keyring, file));
  envelope::AuthenticHeader& message = begun.message;
  const std::uint64_t size = file.content_size();
  const std::size_t offset = message.header.size();
  if (begun.small && size <= message.header.frame_length) {
    TRY(OpenSmall(std::move(message), begun.bytes, out));
    if (flow.done) flow.done(size);
    return {};
  }
  envelope::OpenOutput output;
  output.file = &out;
  if (begun.small) {
    const MemoryReader memory(begun.bytes);
    TRY(envelope::OpenBodyFile(std::move(message), memory, offset, output, FlowOf(flow, size)));
    return {};
  }
  if (size < kBigFile) {
    TRY(envelope::OpenBodyFile(std::move(message), sealed, offset, output, FlowOf(flow, size)));
    return {};
  }
  const MutexLock turn(flow.big_file);
  TRY(envelope::OpenBodyFile(std::move(message), sealed, offset, output, FlowOf(flow, size)));
  return {};
}

// `part` is of the content, without holes.
Result<void> StreamFrom(const envelope::FileReader& sealed, const envelope::Keyring& keyring,
                        ContentFlow& flow, const FileData& file,
                        const std::optional<envelope::PlainRange>& part, envelope::ByteSink& out) {
  BegunMessage begun = TRY(BeginMessage(sealed, keyring, file));
  const std::size_t offset = begun.message.header.size();
  envelope::OpenOutput output;
  output.stream = &out;
  TRY(envelope::OpenBodyFile(std::move(begun.message), sealed, offset, output,
                             FlowOf(flow, file.content_size()), part));
  return {};
}

Result<void> StreamSparse(const envelope::FileReader& sealed, const envelope::Keyring& keyring,
                          ContentFlow& flow, const FileData& file,
                          const std::optional<envelope::PlainRange>& range,
                          envelope::ByteSink& out) {
  const envelope::PlainRange whole;
  const envelope::PlainRange wanted = TRY(range.value_or(whole).Within(file.size));
  ExtentSink pieces(out, file.extents, wanted.offset, wanted.offset + wanted.length);
  std::optional<envelope::PlainRange> part;
  if (range) part = envelope::PlainRange{pieces.content_offset(), pieces.content_size()};
  TRY(StreamFrom(sealed, keyring, flow, file, part, pieces));
  return pieces.Finish();
}

// The file of the message, and its reader.
struct SealedInput {
  FileDescriptor fd;
  std::optional<envelope::FileReader> reader;
};

Result<SealedInput> FindMessage(int folder, bool names_encrypted, const Entry& entry) {
  SealedInput input;
  Result<FileDescriptor> fd =
      OpenBeneath(folder, DataPath(entry, names_encrypted), O_RDONLY | O_NONBLOCK);
  if (!fd && (fd.error().detail == EACCES || fd.error().detail == EPERM)) return fd.error();
  if (!fd) return Damaged();
  input.fd = *std::move(fd);
  input.reader = TRY(envelope::FileReader::Create(input.fd.get(), "the sealed file"));
  return input;
}

// Whatever part of it is not authentic.
Result<void> OneText(Result<void> opened) {
  if (!opened && opened.error().code == Code::kDamaged) return Damaged();
  return opened;
}

}  // namespace

Result<void> SealContent(int source, int folder, bool names_encrypted,
                         const envelope::Keyring& keyring, ContentFlow& flow, Entry& entry) {
  envelope::MessageOptions options;
  options.verify_wraps = false;  // wrapped in this process, by the cipher that seals the frames
  envelope::MessageSealer sealer = TRY(envelope::MessageSealer::Create(keyring, options));
  const ByteView header = sealer.header();
  std::copy_n(header.begin() + 3, entry.file.message_id.size(), entry.file.message_id.begin());
  std::copy(header.end() - kTagBytes, header.end(), entry.file.header_tag.begin());
  const std::string path = DataPath(entry, names_encrypted);
  const Result<FileDescriptor> out = CreateData(folder, path);
  if (!out) return out.error().In("cannot write the sealed file");
  Result<void> sealed = SealInto(out->get(), std::move(sealer), source, flow, entry.file);
  if (!sealed) {
    if (const auto parent = OpenParent(folder, path)) {
      (void)::unlinkat(parent->get(), NameOf(path).c_str(), 0);
    }
  }
  return sealed;
}

Result<void> OpenContent(int folder, bool names_encrypted, const envelope::Keyring& keyring,
                         ContentFlow& flow, const Entry& entry, envelope::RandomWriter* out) {
  const SealedInput sealed = TRY(FindMessage(folder, names_encrypted, entry));
  NoWriter nothing;
  envelope::RandomWriter& target = out != nullptr ? *out : nothing;
  if (!entry.file.sparse) {
    return OneText(OpenFrom(*sealed.reader, keyring, flow, entry.file, target));
  }
  ExtentWriter pieces(target, entry.file.extents);
  return OneText(OpenFrom(*sealed.reader, keyring, flow, entry.file, pieces));
}

Result<void> StreamContent(int folder, bool names_encrypted, const envelope::Keyring& keyring,
                           ContentFlow& flow, const Entry& entry,
                           const std::optional<envelope::PlainRange>& range,
                           envelope::ByteSink& out) {
  const SealedInput sealed = TRY(FindMessage(folder, names_encrypted, entry));
  return OneText(entry.file.sparse
                     ? StreamSparse(*sealed.reader, keyring, flow, entry.file, range, out)
                     : StreamFrom(*sealed.reader, keyring, flow, entry.file, range, out));
}

bool ContentIsThere(int folder, bool names_encrypted, const Entry& entry, bool tags) {
  const auto fd = OpenBeneath(folder, DataPath(entry, names_encrypted), O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (!fd || ::fstat(fd->get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) != entry.file.sealed_size) {
    return false;
  }
  if (!tags) return true;
  Bytes start(kMostHeader);
  Tag final_tag{};
  const ssize_t n = ::pread(fd->get(), start.data(), start.size(), 0);
  const ssize_t tag = ::pread(fd->get(), final_tag.data(), final_tag.size(),
                              static_cast<off_t>(entry.file.sealed_size - kTagBytes));
  if (n <= 0 || tag != static_cast<ssize_t>(kTagBytes) || final_tag != entry.file.final_tag) {
    return false;
  }
  start.resize(static_cast<std::size_t>(n));
  return HeaderOf(start, entry.file).has_value();
}

}  // namespace dare::tree
