#include "envelope/seekable_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dare::envelope {
namespace {

constexpr std::size_t kMostIdle = 16;
constexpr std::size_t kIdleBytes = 4u << 20;  // of opened frames kept between calls

}  // namespace

Result<std::unique_ptr<SeekableReader>> SeekableReader::OpenSealed(const RandomReader& in,
                                                                   const Keyring& keks,
                                                                   const ReadOptions& options) {
  ReaderSource head(in, 0);
  OpenedStart start = TRY(StartOpeningSealed(head, keks, options));
  return Open(in, head, std::move(start), options);
}

Result<std::unique_ptr<SeekableReader>> SeekableReader::OpenMessage(const RandomReader& in,
                                                                    const Keyring& keyring,
                                                                    const ReadOptions& options) {
  ReaderSource head(in, 0);
  OpenedStart start = TRY(StartOpeningMessage(head, keyring, options));
  return Open(in, head, std::move(start), options);
}

Result<std::unique_ptr<SeekableReader>> SeekableReader::Open(const RandomReader& in,
                                                             ReaderSource& head, OpenedStart start,
                                                             const ReadOptions& options) {
  AuthenticHeader& message = start.message;
  std::unique_ptr<SeekableReader> reader(new SeekableReader(TRY(message.cipher.Clone())));
  reader->context_ = message.header.context;
  if (message.header.content_type == ContentType::kNonFramed) {
    MemorySink whole;
    TRY(OpenBodyStream(std::move(message), head, whole, options.limits, {}));
    reader->block_ = std::move(whole.bytes());
    return reader;
  }
  reader->frames_ = TRY(FrameReader::Create(in, head.offset(), message.header, reader->cipher_));
  reader->signature_unchecked_ = message.header.suite->signature != FooterSignature::kNone;
  const std::size_t room = std::max<std::size_t>(reader->frames_->frame_room(), 1);
  reader->most_idle_ = std::clamp<std::size_t>(kIdleBytes / room, 1, kMostIdle);
  return reader;
}

std::uint64_t SeekableReader::size() const {
  return frames_ ? frames_->plaintext_size() : block_.size();
}

SeekableReader::DeskPointer SeekableReader::TakeIdle(std::uint64_t index) const {
  const MutexLock lock(mutex_);
  if (idle_.empty()) return nullptr;
  auto desk = std::find_if(idle_.begin(), idle_.end(),
                           [index](const DeskPointer& d) { return d->holds == index; });
  // Else the one that was not used for longest, once there are as many as are kept.
  if (desk == idle_.end() && idle_.size() < most_idle_) return nullptr;
  if (desk == idle_.end()) desk = idle_.begin();
  DeskPointer taken = std::move(*desk);
  idle_.erase(desk);
  return taken;
}

void SeekableReader::GiveBack(DeskPointer desk) const {
  DeskPointer surplus;  // dies outside of the lock
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(desk));
  if (idle_.size() <= most_idle_) return;
  surplus = std::move(idle_.front());
  idle_.erase(idle_.begin());
}

Result<SeekableReader::DeskPointer> SeekableReader::Borrow(std::uint64_t index) const {
  DeskPointer desk = TakeIdle(index);
  if (desk == nullptr) {
    FrameBuffer buffer = TRY(FrameBuffer::Create(frames_->frame_room()));
    FrameCipher cipher = TRY(cipher_.Clone());
    desk = std::make_unique<Desk>(Desk{std::move(buffer), std::move(cipher), std::nullopt});
  }
  if (desk->holds == index) return desk;
  desk->holds.reset();
  frames_->Prepare(desk->buffer, index);
  TRY(frames_->Open(desk->buffer, desk->cipher));
  desk->holds = index;
  return desk;
}

Result<std::size_t> SeekableReader::ReadAt(std::uint64_t offset, MutableBytes buffer) const {
  if (offset >= size()) return std::size_t{0};
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size() - offset));
  if (!frames_) {
    std::memcpy(buffer.data(), block_.data() + offset, wanted);
    return wanted;
  }
  const std::uint64_t frame_length = frames_->layout().frame_length;
  std::size_t have = 0;
  while (have < wanted) {
    const std::uint64_t at = offset + have;
    Result<DeskPointer> desk = Borrow(at / frame_length);
    if (!desk) {
      Wipe(buffer.first(have));
      return desk.error();
    }
    const ByteView plain = (*desk)->buffer.output.subspan(at % frame_length);
    const std::size_t n = std::min(plain.size(), wanted - have);
    std::memcpy(buffer.data() + have, plain.data(), n);
    have += n;
    GiveBack(*std::move(desk));
  }
  return have;
}

}  // namespace dare::envelope
