#include <algorithm>
#include <utility>

#include "envelope/frame_pipeline.h"
#include "envelope/message_sealer.h"

namespace dare::envelope {
namespace {

Error SourceChanged() {
  return Error(Code::kConflict, "the input changed while it was being sealed");
}

class SealFlow final : public FrameFlow {
 public:
  SealFlow(MessageSealer& sealer, SealInput in, SealOutput out)
      : sealer_(sealer), in_(in), out_(out), frame_length_(sealer.frame_length()) {}

  Result<bool> Claim(FrameBuffer& frame) override {
    if (finished_) return false;
    finished_ = in_.file != nullptr ? ClaimFromFile(frame) : TRY(ReadFromStream(frame));
    frame.ticket = TRY(sealer_.NextFrame(finished_));
    return true;
  }

  Result<void> Process(FrameBuffer& frame, FrameCipher& cipher) override {
    if (in_.file != nullptr) {
      const std::size_t have = TRY(in_.file->ReadAt(frame.source_offset, frame.Data(frame.length)));
      if (have != frame.length) return SourceChanged();
    }
    const std::uint64_t index = frame.ticket.sequence() - 1;
    frame.output = TRY(cipher.Seal(std::move(frame.ticket), frame.Data(frame.length)));
    if (out_.file == nullptr) return {};
    const std::uint64_t stride = std::uint64_t{frame_length_} + kRegularFrameOverhead;
    return out_.file->WriteAt(out_.offset + index * stride, frame.output);
  }

  Result<void> Emit(FrameBuffer& frame) override {
    TRY(sealer_.Sign(frame.output));
    return out_.stream->Write(frame.output);
  }

 private:
  // True when this is the last one.
  bool ClaimFromFile(FrameBuffer& frame) {
    frame.source_offset = position_;
    frame.length = static_cast<std::size_t>(
        std::min<std::uint64_t>(frame_length_, in_.file->size() - position_));
    position_ += frame.length;
    return position_ == in_.file->size();
  }

  // A frame is the final one when nothing follows it, so one byte is read ahead and kept for the
  // next.
  Result<bool> ReadFromStream(FrameBuffer& frame) {
    const std::size_t kept = has_ahead_ ? 1 : 0;
    const MutableBytes data = frame.Data(frame_length_);
    if (has_ahead_) data[0] = ahead_;
    frame.length = kept + TRY(in_.stream->Read(data.subspan(kept)));
    if (frame.length < frame_length_) return true;
    has_ahead_ = TRY(in_.stream->Read({&ahead_, 1})) == 1;
    return !has_ahead_;
  }

  MessageSealer& sealer_;
  const SealInput in_;
  const SealOutput out_;
  const std::uint32_t frame_length_;
  std::uint64_t position_ = 0;
  bool finished_ = false;
  bool has_ahead_ = false;
  std::uint8_t ahead_ = 0;
};

}  // namespace

Result<std::uint64_t> SealBody(MessageSealer& sealer, SealInput in, SealOutput out,
                               const FlowOptions& flow) {
  if (sealer.is_signed() && out.stream == nullptr) {
    return Error(Code::kInternal, "a signed message can only be written in order");
  }
  PipelineShape shape;
  shape.frame_length = sealer.frame_length();
  shape.ordered = out.stream != nullptr;
  if (in.file != nullptr) {
    const FrameLayout layout =
        TRY(FrameLayout::OfPlaintext(in.file->size(), sealer.frame_length()));
    shape.most_frames = layout.regular_frames + 1;
    shape.total = in.file->size();
    shape.frame_length =
        static_cast<std::size_t>(std::min<std::uint64_t>(shape.frame_length, in.file->size()));
  }
  SealFlow seal(sealer, in, out);
  const std::uint64_t plaintext = TRY(RunPipeline(seal, sealer.cipher(), shape, flow));
  const Bytes footer = TRY(sealer.Finish());
  if (!footer.empty()) TRY(out.stream->Write(footer));
  return plaintext;
}

}  // namespace dare::envelope
