#include <algorithm>
#include <cstring>
#include <utility>

#include "envelope/footer_signature.h"
#include "envelope/frame_pipeline.h"
#include "envelope/message_opener.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kIv = crypto::kGcmIvSize;
constexpr std::size_t kTag = crypto::kGcmTagSize;
// A frame is read so that the final frame's 24 bytes of header end where the data begins; a regular
// frame's 16 bytes of header then end 8 bytes earlier.
constexpr std::size_t kFrameOffset = FrameBuffer::kDataOffset - 24;
constexpr std::size_t kRegularData = kFrameOffset + 16;

Error CutShort() { return Error(Code::kDamaged, "the message is cut short"); }
Error WrongSequence() { return Error(Code::kDamaged, "a frame is out of order"); }

// Every known writer stores the IV it must be, so anything else is refused.
bool IvMatches(ByteView iv, std::uint32_t sequence) {
  return GetU64(iv.data()) == 0 && GetU32(iv.data() + 8) == sequence;
}

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
    if (GetU32(head) != frame.sequence || !IvMatches({head + 4, kIv}, frame.sequence)) {
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
    if (GetU32(head + 4) != frame.sequence || !IvMatches({head + 8, kIv}, frame.sequence)) {
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

class FileFlow final : public FrameFlow {
 public:
  FileFlow(const RandomReader& in, std::uint64_t offset, OpenOutput out, const FrameLayout& layout)
      : in_(in), offset_(offset), out_(out), layout_(layout) {}

  Result<bool> Claim(FrameBuffer& frame) override {
    if (next_ > layout_.regular_frames) return false;
    Prepare(frame, next_++);
    return true;
  }

  // The frame with index 0, 1, ….
  void Prepare(FrameBuffer& frame, std::uint64_t index) const {
    const bool final = index == layout_.regular_frames;
    frame.kind = final ? FrameKind::kFinal : FrameKind::kRegular;
    frame.sequence = static_cast<std::uint32_t>(index + 1);
    frame.source_offset = offset_ + layout_.FrameOffset(index);
    frame.length = final ? layout_.final_length : layout_.frame_length;
  }

  Result<void> Process(FrameBuffer& frame, FrameCipher& cipher) override {
    TRY(Open(frame, cipher));
    if (out_.file == nullptr) return {};
    const std::uint64_t place = std::uint64_t{frame.sequence - 1} * layout_.frame_length;
    return out_.file->WriteAt(place, frame.output);
  }

  // Reads the frame and opens it, without writing anything.
  Result<void> Open(FrameBuffer& frame, FrameCipher& cipher) const {
    const bool final = frame.kind == FrameKind::kFinal;
    const std::size_t head_size = final ? 24 : 16;
    const MutableBytes whole =
        frame.At(FrameBuffer::kDataOffset - head_size, head_size + frame.length + kTag);
    if (TRY(in_.ReadAt(frame.source_offset, whole)) != whole.size()) return CutShort();
    const std::uint8_t* head = whole.data();
    if (final) {
      if (GetU32(head) != kFinalFrameMarker || GetU32(head + 20) != frame.length) {
        return WrongSequence();
      }
      head += 4;
    }
    if (GetU32(head) != frame.sequence || !IvMatches({head + 4, kIv}, frame.sequence)) {
      return WrongSequence();
    }
    const MutableBytes data = frame.Data(frame.length);
    TRY(cipher.Open(frame.kind, frame.sequence, {head + 4, kIv}, data, whole.last(kTag)));
    frame.output = data;
    return {};
  }

  Result<void> Emit(FrameBuffer& frame) override { return out_.stream->Write(frame.output); }

 private:
  const RandomReader& in_;
  const std::uint64_t offset_;
  const OpenOutput out_;
  const FrameLayout layout_;
  std::uint64_t next_ = 0;
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

Result<std::uint64_t> OpenBodyFile(AuthenticHeader message, const RandomReader& in,
                                   std::uint64_t offset, OpenOutput out, const FlowOptions& flow) {
  const MessageHeader& header = message.header;
  if (header.content_type != ContentType::kFramed ||
      header.suite->signature != FooterSignature::kNone) {
    return Error(Code::kInternal, "this body can only be opened in order");
  }
  if (in.size() < offset) return CutShort();
  const FrameLayout layout = TRY(FrameLayout::OfBody(in.size() - offset, header.frame_length));
  FileFlow open(in, offset, out, layout);
  PipelineShape shape;
  shape.frame_length = static_cast<std::size_t>(
      std::min<std::uint64_t>(header.frame_length, layout.plaintext_size()));
  shape.most_frames = layout.regular_frames + 1;
  shape.ordered = out.stream != nullptr;
  shape.total = layout.plaintext_size();
  {
    // Section 8 of the format: authenticate the size before trusting it.
    FrameBuffer last = TRY(FrameBuffer::Create(shape.frame_length));
    open.Prepare(last, layout.regular_frames);
    TRY(open.Open(last, message.cipher));
  }
  return RunPipeline(open, message.cipher, shape, flow);
}

}  // namespace dare::envelope
