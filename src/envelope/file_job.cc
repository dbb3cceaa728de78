#include "envelope/file_job.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace dare::envelope {
namespace {

// A file made from a pipe is its owner's alone: nothing says who else may read it.
constexpr mode_t kModeOfStreams = 0600;

Result<InputFile> OpenInput(const std::string& path) {
  InputFile in;
  if (path == kStandardStream) {
    in.name = "standard input";
    in.fd = FileDescriptor(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  } else {
    in.name = path;
    in.fd = FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  }
  if (!in.fd) return IoError("cannot open " + in.name, errno);
  if (::fstat(in.fd.get(), &in.status) != 0) return IoError("cannot stat " + in.name, errno);
  if (S_ISDIR(in.status.st_mode)) return Error(Code::kInvalidArgument, in.name + " is a folder");
  // Standard input may stand in the middle of a file, so it is always read in order.
  in.regular = S_ISREG(in.status.st_mode) && path != kStandardStream;
  if (in.regular) ::posix_fadvise(in.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return in;
}

// Mode and times are worth keeping only from a file.
std::optional<struct stat> Keepable(const InputFile& in) {
  if (in.regular) return in.status;
  return std::nullopt;
}

// True when the file is still the one it was: same size and time of change.
Result<void> CheckUnchanged(const InputFile& in) {
  struct stat now {};
  if (::fstat(in.fd.get(), &now) != 0) return IoError("cannot stat " + in.name, errno);
  if (now.st_size == in.status.st_size && now.st_mtim.tv_sec == in.status.st_mtim.tv_sec &&
      now.st_mtim.tv_nsec == in.status.st_mtim.tv_nsec) {
    return {};
  }
  return Error(Code::kConflict, in.name + " changed while it was being sealed");
}

bool MustBeOpenedInOrder(const MessageHeader& header, const OpenOptions& options) {
  if (header.content_type != ContentType::kFramed) return true;
  return header.suite->signature != FooterSignature::kNone && !options.range;
}

// Counts what passes through, for the summary of a stream.
class CountingSource final : public ByteSource {
 public:
  explicit CountingSource(ByteSource& in) : in_(in) {}
  Result<std::size_t> Read(MutableBytes buffer) override {
    const std::size_t n = TRY(in_.Read(buffer));
    count_ += n;
    return n;
  }
  std::uint64_t count() const { return count_; }

 private:
  ByteSource& in_;
  std::uint64_t count_ = 0;
};

// Lets a part of what passes through.
class RangeSink final : public ByteSink {
 public:
  RangeSink(ByteSink& out, const PlainRange& range) : out_(out), range_(range) {}
  Result<void> Write(ByteView bytes) override {
    const std::uint64_t from = std::max(at_, range_.offset);
    const std::uint64_t begins = at_;
    at_ += bytes.size();
    const std::uint64_t to = std::min(at_, range_.offset + std::min(range_.length, at_));
    if (from >= to) return {};
    passed_ += to - from;
    return out_.Write(bytes.subspan(static_cast<std::size_t>(from - begins),
                                    static_cast<std::size_t>(to - from)));
  }
  std::uint64_t passed() const { return passed_; }
  std::uint64_t size() const { return at_; }

 private:
  ByteSink& out_;
  const PlainRange range_;
  std::uint64_t at_ = 0;
  std::uint64_t passed_ = 0;
};

// Keeps what is written until Finish(), as long as it is not much.
class HoldingSink final : public ByteSink {
 public:
  explicit HoldingSink(ByteSink& out) : out_(out) {}
  Result<void> Write(ByteView bytes) override {
    if (!passing_ && held_.size() + bytes.size() <= kMostHeldBack) {
      Append(held_, bytes);
      return {};
    }
    TRY(Finish());
    return out_.Write(bytes);
  }
  Result<void> Finish() {
    passing_ = true;
    const WipingBytes held = std::move(held_);
    held_.clear();
    return out_.Write(held);
  }

 private:
  ByteSink& out_;
  WipingBytes held_;
  bool passing_ = false;
};

// A body that must be opened in order; a part of it when there is a range.
Result<std::uint64_t> OpenWhole(AuthenticHeader message, ByteSource& in, ByteSink& out,
                                const OpenOptions& options) {
  const MessageLimits& limits = options.read.limits;
  if (!options.range) return OpenBodyStream(std::move(message), in, out, limits, options.flow);
  RangeSink part(out, *options.range);
  TRY(OpenBodyStream(std::move(message), in, part, limits, options.flow));
  TRY(options.range->Within(part.size()));
  return part.passed();
}

}  // namespace

Result<FileJob> FileJob::Start(const std::string& in, const std::string& out, bool replace) {
  FileJob job;
  job.in = TRY(OpenInput(in));
  job.out_name = out == kStandardStream ? "standard output" : out;
  if (out != kStandardStream) job.out.emplace(TRY(OutputFile::Create(out, replace)));
  return job;
}

int FileJob::OutputDescriptor() const { return out ? out->fd() : STDOUT_FILENO; }

Result<SealedFileSummary> FileJob::Seal(SealedStart start, const SealOptions& options) {
  const FileReader reader = TRY(FileReader::Create(in.fd.get(), in.name));
  FdSource source(in.fd.get(), in.name, options.flow.cancelled);
  FileWriter writer(OutputDescriptor(), out_name);
  FdSink sink(OutputDescriptor(), out_name, options.flow.cancelled);
  SealInput input;
  SealOutput output;
  (in.regular ? void(input.file = &reader) : void(input.stream = &source));
  if (WritesAnywhere() && !start.sealer.is_signed()) {
    TRY(writer.WriteAt(0, start.bytes));
    output.file = &writer;
    output.offset = start.bytes.size();
  } else {
    TRY(sink.Write(start.bytes));
    output.stream = &sink;
  }
  const std::uint64_t plaintext = TRY(SealBody(start.sealer, input, output, options.flow));
  if (in.regular) TRY(CheckUnchanged(in));
  return Summarize(start, plaintext);
}

Result<SealedFileSummary> FileJob::OpenFrom(const FileReader& reader, const Starter& start,
                                            const OpenOptions& options, ByteSink& stream) {
  ReaderSource head(reader, 0);
  OpenedStart opened = TRY(start(head));
  SealedFileSummary summary;
  summary.block_id = opened.block_id;
  summary.sealed_bytes = reader.size();
  if (MustBeOpenedInOrder(opened.message.header, options)) {
    summary.plaintext_bytes = TRY(OpenWhole(std::move(opened.message), head, stream, options));
    return summary;
  }
  FileWriter writer(OutputDescriptor(), out_name);
  OpenOutput output;
  (WritesAnywhere() ? void(output.file = &writer) : void(output.stream = &stream));
  summary.plaintext_bytes = TRY(OpenBodyFile(std::move(opened.message), reader, head.offset(),
                                             output, options.flow, options.range));
  return summary;
}

Result<SealedFileSummary> FileJob::Open(const Starter& start, const OpenOptions& options,
                                        bool hold_back) {
  if (options.range && !in.regular) {
    return Error(Code::kInvalidArgument, "a part is only opened of a file, not of a pipe");
  }
  FdSink sink(OutputDescriptor(), out_name, options.flow.cancelled);
  HoldingSink holding(sink);
  const bool hold = hold_back && !WritesAnywhere();
  ByteSink& stream = hold ? static_cast<ByteSink&>(holding) : sink;
  SealedFileSummary summary;
  if (in.regular) {
    const FileReader reader = TRY(FileReader::Create(in.fd.get(), in.name));
    summary = TRY(OpenFrom(reader, start, options, stream));
  } else {
    FdSource source(in.fd.get(), in.name, options.flow.cancelled);
    summary = TRY(OpenInOrder(start, source, stream, options));
  }
  if (hold) TRY(holding.Finish());
  return summary;
}

Result<void> FileJob::Commit() {
  if (!out) return {};
  return out->Commit(Keepable(in), kModeOfStreams);
}

SealedFileSummary Summarize(const SealedStart& start, std::uint64_t plaintext) {
  const auto layout = FrameLayout::OfPlaintext(plaintext, start.sealer.frame_length());
  return {plaintext,
          start.bytes.size() + (layout ? layout->body_size() : 0) + start.sealer.footer_size(),
          start.block_id};
}

Result<SealedFileSummary> OpenInOrder(const FileJob::Starter& start, ByteSource& in, ByteSink& out,
                                      const OpenOptions& options) {
  CountingSource counted(in);
  OpenedStart opened = TRY(start(counted));
  SealedFileSummary summary;
  summary.block_id = opened.block_id;
  summary.plaintext_bytes = TRY(
      OpenBodyStream(std::move(opened.message), counted, out, options.read.limits, options.flow));
  summary.sealed_bytes = counted.count();
  return summary;
}

}  // namespace dare::envelope
