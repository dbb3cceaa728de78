#include <algorithm>
#include <string>
#include <utility>

#include "envelope/footer_signature.h"
#include "envelope/frame_pipeline.h"
#include "envelope/frame_reader.h"
#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kIv = crypto::kGcmIvSize;
constexpr std::size_t kTag = crypto::kGcmTagSize;
// A frame is read so that the final frame's 24 bytes of header end where the data begins; a regular
// frame's 16 bytes of header then end 8 bytes earlier.
constexpr std::size_t kFrameOffset = FrameBuffer::kDataOffset - 24;
constexpr std::size_t kRegularData = kFrameOffset + 16;

// Reads in order and, in signed suites, feeds the signature.
class SignedInput {
 public:
  static Result<SignedInput> Create(ByteSource& in, const MessageHeader& header) {
    SignedInput input(in);
    if (header.suite->signature == FooterSignature::kNone) return input;
    input.verifier_ = TRY(SignatureVerifier::Create(
        header.suite->signature, *header.context.Find(EncryptionContext::kPublicKey)));
    TRY(input.verifier_->Update(header.body));
    if (header.suite->header_version == 1) TRY(input.verifier_->Update(header.iv));
    TRY(input.verifier_->Update(header.tag));
    return input;
  }

  Result<void> Read(MutableBytes buffer) {
    if (TRY(in_->Read(buffer)) != buffer.size()) return CutShort();
    if (verifier_) TRY(verifier_->Update(buffer));
    return {};
  }

  // Behind the last frame: the footer in signed suites, and then nothing more.
  Result<void> Finish() {
    if (verifier_) TRY(CheckFooter());
    std::uint8_t more = 0;
    if (TRY(in_->Read({&more, 1})) != 0) {
      return Error(Code::kDamaged, "the message has bytes after its end");
    }
    return {};
  }

 private:
  explicit SignedInput(ByteSource& in) : in_(&in) {}

  Result<void> CheckFooter() {
    std::uint8_t length[2];
    if (TRY(in_->Read(length)) != sizeof length) return CutShort();
    Bytes signature(GetU16(length));
    if (TRY(in_->Read(signature)) != signature.size()) return CutShort();
    return verifier_->Verify(signature);
  }

  ByteSource* in_;
  std::optional<SignatureVerifier> verifier_;
};

class StreamFlow final : public FrameFlow {
 public:
  StreamFlow(SignedInput input, ByteSink& out, std::uint32_t frame_length)
      : input_(std::move(input)), out_(out), frame_length_(frame_length) {}

  Result<bool> Claim(FrameBuffer& frame) override {
    if (finished_) return false;
    frame.sequence = ++sequence_;
    if (sequence_ == 0) return WrongSequence();  // more than 2^32-1 frames
    // 24 bytes are in every frame; what stands first tells which one it is.
    TRY(input_.Read(frame.At(kFrameOffset, 24)));
    const bool final = GetU32(frame.At(kFrameOffset, 4).data()) == kFinalFrameMarker;
    TRY(final ? ReadFinal(frame) : ReadRegular(frame));
    // The plaintext of the final frame waits for the signature and for the end of the input.
    if (final) TRY(input_.Finish());
    finished_ = final;
    return true;
  }

  Result<void> Process(FrameBuffer& frame, FrameCipher& cipher) override {
    const MutableBytes data = frame.At(frame.data_offset, frame.length);
    const ByteView iv =
        frame.At(frame.kind == FrameKind::kFinal ? kFrameOffset + 8 : kFrameOffset + 4, kIv);
    TRY(cipher.Open(frame.kind, frame.sequence, iv, data,
                    frame.At(frame.data_offset + frame.length, kTag)));
    frame.output = data;
    return {};
  }

  Result<void> Emit(FrameBuffer& frame) override { return out_.Write(frame.output); }

 private:
  Result<void> ReadRegular(FrameBuffer& frame) {
    const std::uint8_t* head = frame.At(kFrameOffset, 24).data();
    if (GetU32(head) != frame.sequence || !IsFrameIv({head + 4, kIv}, frame.sequence)) {
      return WrongSequence();
    }
    frame.kind = FrameKind::kRegular;
    frame.data_offset = kRegularData;
    frame.length = frame_length_;
    return input_.Read(frame.At(kFrameOffset + 24, frame_length_ + kRegularFrameOverhead - 24));
  }

  Result<void> ReadFinal(FrameBuffer& frame) {
    const std::uint8_t* head = frame.At(kFrameOffset, 24).data();
    const std::uint32_t length = GetU32(head + 20);
    if (GetU32(head + 4) != frame.sequence || !IsFrameIv({head + 8, kIv}, frame.sequence)) {
      return WrongSequence();
    }
    if (length > frame_length_) return Error(Code::kDamaged, "the final frame is too long");
    frame.kind = FrameKind::kFinal;
    frame.data_offset = FrameBuffer::kDataOffset;
    frame.length = length;
    return input_.Read(frame.At(frame.data_offset, length + kTag));
  }

  SignedInput input_;
  ByteSink& out_;
  const std::uint32_t frame_length_;
  std::uint32_t sequence_ = 0;
  bool finished_ = false;
};

// Opens the frames that a range of the plaintext needs, and gives out that range.
class FileFlow final : public FrameFlow {
 public:
  FileFlow(const FrameReader& frames, OpenOutput out, PlainRange range)
      : frames_(frames), out_(out), range_(range), next_(range.offset / frame_length()) {}

  std::uint64_t frames() const {
    return range_.length == 0 ? 0 : (end() - 1) / frame_length() - next_ + 1;
  }

  Result<bool> Claim(FrameBuffer& frame) override {
    if (range_.length == 0 || next_ * frame_length() >= end()) return false;
    frames_.Prepare(frame, next_++);
    return true;
  }

  Result<void> Process(FrameBuffer& frame, FrameCipher& cipher) override {
    TRY(frames_.Open(frame, cipher));
    const std::uint64_t begins = std::uint64_t{frame.sequence - 1} * frame_length();
    const std::uint64_t from = std::max(begins, range_.offset);
    const std::uint64_t to = std::min(begins + frame.length, end());
    frame.length = static_cast<std::size_t>(to - from);
    frame.output = frame.output.subspan(static_cast<std::size_t>(from - begins), frame.length);
    if (out_.file == nullptr) return {};
    return out_.file->WriteAt(from - range_.offset, frame.output);
  }

  Result<void> Emit(FrameBuffer& frame) override { return out_.stream->Write(frame.output); }

 private:
  std::uint64_t frame_length() const { return frames_.layout().frame_length; }
  std::uint64_t end() const { return range_.offset + range_.length; }

  const FrameReader& frames_;
  const OpenOutput out_;
  const PlainRange range_;
  std::uint64_t next_;
};

// The whole body has one tag, so all of it is held back; read piecewise, so that a length which
// lies takes no memory.
Result<std::uint64_t> OpenNonFramed(AuthenticHeader& message, SignedInput& in, ByteSink& out,
                                    const MessageLimits& limits) {
  constexpr std::size_t kPiece = 1 << 20;
  std::uint8_t head[kIv + 8];
  TRY(in.Read(head));
  const std::uint64_t length = GetU64(head + kIv);
  if (length > limits.non_framed_bytes) {
    return Error(Code::kDamaged, "a body of one block is longer than the limit");
  }
  WipingBytes body;
  while (body.size() < length) {
    const std::size_t start = body.size();
    body.resize(start + static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, length - start)));
    TRY(in.Read(MutableBytes(body).subspan(start)));
  }
  std::uint8_t tag[kTag];
  TRY(in.Read(tag));
  TRY(in.Finish());
  TRY(message.cipher.Open(FrameKind::kSingleBlock, 1, {head, kIv}, body, tag));
  TRY(out.Write(body));
  return length;
}

}  // namespace

Result<std::uint64_t> OpenBodyStream(AuthenticHeader message, ByteSource& in, ByteSink& out,
                                     const MessageLimits& limits, const FlowOptions& flow) {
  SignedInput input = TRY(SignedInput::Create(in, message.header));
  if (message.header.content_type == ContentType::kNonFramed) {
    return OpenNonFramed(message, input, out, limits);
  }
  PipelineShape shape;
  shape.frame_length = message.header.frame_length;
  StreamFlow open(std::move(input), out, message.header.frame_length);
  return RunPipeline(open, message.cipher, shape, flow);
}

Result<PlainRange> PlainRange::Within(std::uint64_t size) const {
  if (offset > size) {
    return Error(Code::kInvalidArgument, "the range begins behind the end: the content has " +
                                             std::to_string(size) + " bytes");
  }
  return PlainRange{offset, std::min(length, size - offset)};
}

Result<std::uint64_t> OpenBodyFile(AuthenticHeader message, const RandomReader& in,
                                   std::uint64_t offset, OpenOutput out, const FlowOptions& flow,
                                   const std::optional<PlainRange>& range) {
  const MessageHeader& header = message.header;
  const bool is_signed = header.suite->signature != FooterSignature::kNone;
  if (header.content_type != ContentType::kFramed || (is_signed && !range)) {
    return Error(Code::kInternal, "this body can only be opened in order");
  }
  const FrameReader frames = TRY(FrameReader::Create(in, offset, header, message.cipher));
  const PlainRange part = TRY(range.value_or(PlainRange{}).Within(frames.plaintext_size()));
  FileFlow open(frames, out, part);
  PipelineShape shape;
  shape.frame_length = frames.frame_room();
  shape.most_frames = open.frames();
  shape.ordered = out.stream != nullptr;
  shape.total = part.length;
  return RunPipeline(open, message.cipher, shape, flow);
}

}  // namespace dare::envelope
