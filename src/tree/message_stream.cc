#include "tree/message_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dare::tree {
namespace {

using envelope::FrameKind;

constexpr std::size_t kFinalHead = 24;
constexpr std::size_t kRegularHead = 16;
constexpr std::size_t kTagBytes = 16;
constexpr std::uint32_t kMostFrame = 1u << 20;  // of a manifest

}  // namespace

MessageWriter::MessageWriter(int fd, envelope::MessageSealer sealer, envelope::FrameCipher cipher)
    : fd_(fd),
      sealer_(std::move(sealer)),
      cipher_(std::move(cipher)),
      frame_length_(sealer_.frame_length()),
      frame_(kFinalHead + frame_length_ + kTagBytes),
      offset_(sealer_.header().size()) {}

Result<MessageWriter> MessageWriter::Begin(int fd, const envelope::Keyring& keyring,
                                           const envelope::MessageOptions& options) {
  envelope::MessageSealer sealer = TRY(envelope::MessageSealer::Create(keyring, options));
  envelope::FrameCipher cipher = TRY(sealer.cipher().Clone());
  TRY(envelope::FileWriter(fd, "the manifest").WriteAt(0, sealer.header()));
  return MessageWriter(fd, std::move(sealer), std::move(cipher));
}

Result<void> MessageWriter::Write(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), room());
    std::memcpy(frame_.data() + kFinalHead + used_, bytes.data(), n);
    used_ += n;
    bytes = bytes.subspan(n);
    if (room() == 0) TRY(SealFrame(false));
  }
  return {};
}

Result<void> MessageWriter::Finish() { return SealFrame(true); }

Result<void> MessageWriter::SealFrame(bool final) {
  envelope::FrameTicket ticket = TRY(sealer_.NextFrame(final));
  const ByteView sealed =
      TRY(cipher_.Seal(std::move(ticket), MutableBytes(frame_).subspan(kFinalHead, used_)));
  TRY(envelope::FileWriter(fd_, "the manifest").WriteAt(offset_, sealed));
  offset_ += sealed.size();
  used_ = 0;
  return {};
}

Result<MessageReader> MessageReader::Begin(int fd, const envelope::Keyring& keyring,
                                           const std::string& kind_key,
                                           const std::string& kind_value,
                                           Completeness completeness) {
  const envelope::FileReader file = TRY(envelope::FileReader::Create(fd, "the manifest"));
  envelope::ReadOptions options;
  options.limits.frame_length = kMostFrame;
  envelope::ReaderSource source(file, 0);
  envelope::MessageHeader header = TRY(envelope::ReadHeader(source, options.limits));
  const std::string* kind = header.context.Find(kind_key);
  if (kind == nullptr || *kind != kind_value ||
      header.content_type != envelope::ContentType::kFramed ||
      header.suite->signature != envelope::FooterSignature::kNone) {
    return envelope::NotAuthentic();
  }
  envelope::AuthenticHeader message =
      TRY(envelope::AuthenticateHeader(std::move(header), keyring, options));
  MessageReader reader(file, std::move(message));
  const std::uint32_t length = reader.header().frame_length;
  reader.whole_ = completeness == Completeness::kWhole;
  const std::uint64_t body = file.size() - reader.header().size();
  reader.frame_.resize(kFinalHead + length + kTagBytes);
  if (reader.whole_) {
    reader.layout_ = TRY(envelope::FrameLayout::OfBody(body, length));
    TRY(reader.OpenFrame(reader.layout_.regular_frames));
    reader.begin_ = reader.end_ = 0;
  } else {
    reader.layout_.frame_length = length;
    reader.layout_.regular_frames = body / (length + envelope::kRegularFrameOverhead);
  }
  return reader;
}

Result<void> MessageReader::OpenFrame(std::uint64_t index) {
  const bool final = whole_ && index == layout_.regular_frames;
  const std::size_t length = final ? layout_.final_length : layout_.frame_length;
  const std::size_t head = final ? kFinalHead : kRegularHead;
  const MutableBytes frame = MutableBytes(frame_).first(head + length + kTagBytes);
  const std::uint64_t offset = header().size() + layout_.FrameOffset(index);
  if (TRY(file_.ReadAt(offset, frame)) != frame.size()) return envelope::NotAuthentic();
  const std::uint8_t* p = frame.data();
  if (final) {
    if (GetU32(p) != envelope::kFinalFrameMarker || GetU32(p + 20) != length) {
      return envelope::NotAuthentic();
    }
    p += 4;
  }
  const auto sequence = static_cast<std::uint32_t>(index + 1);
  if (GetU32(p) != sequence || GetU64(p + 4) != 0 || GetU32(p + 12) != sequence) {
    return envelope::NotAuthentic();
  }
  const Bytes iv(p + 4, p + 16);
  TRY(message_.cipher.Open(final ? FrameKind::kFinal : FrameKind::kRegular, sequence, iv,
                           frame.subspan(head, length), frame.last(kTagBytes)));
  begin_ = head;
  end_ = head + length;
  return {};
}

Result<std::size_t> MessageReader::Read(MutableBytes buffer) {
  std::size_t have = 0;
  while (have < buffer.size()) {
    if (begin_ == end_) {
      if (next_ >= layout_.regular_frames + (whole_ ? 1 : 0)) break;
      TRY(OpenFrame(next_++));
      continue;
    }
    const std::size_t n = std::min(end_ - begin_, buffer.size() - have);
    std::memcpy(buffer.data() + have, frame_.data() + begin_, n);
    begin_ += n;
    have += n;
  }
  return have;
}

}  // namespace dare::tree
