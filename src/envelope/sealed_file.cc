#include "envelope/sealed_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/file.h"
#include "envelope/output_file.h"

namespace dare::envelope {
namespace {

// A file made from a pipe is its owner's alone: nothing says who else may read it.
constexpr mode_t kModeOfStreams = 0600;

// The source of a job: a regular file, or a pipe, terminal or device read in order.
struct InputFile {
  FileDescriptor fd;
  std::string name;
  struct stat status {};
  bool regular = false;
};

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

// Everything of a sealed file that comes before the frames.
struct SealedStart {
  Bytes bytes;  // key block area and data header
  std::string block_id;
  MessageSealer sealer;
};

Result<SealedStart> StartSealing(const Keyring& keks, const SealOptions& options) {
  const KeyBlock block = TRY(KeyBlock::New());
  Bytes bytes = TRY(SealKeyBlock(block, keks, options.verify_wraps));
  const Bytes slot = bytes;  // both slots start out with the same message
  Append(bytes, slot);
  MessageOptions message;
  message.context = options.context;
  message.frame_length = options.frame_length;
  const Keyring data_keyring = TRY(block.DataKeyring());
  MessageSealer sealer = TRY(MessageSealer::Create(data_keyring, message));
  Append(bytes, sealer.header());
  return SealedStart{std::move(bytes), block.id, std::move(sealer)};
}

SealedFileSummary Summarize(const SealedStart& start, std::uint64_t plaintext) {
  const auto layout = FrameLayout::OfPlaintext(plaintext, start.sealer.frame_length());
  return {plaintext, start.bytes.size() + (layout ? layout->body_size() : 0), start.block_id};
}

// What the key blocks and the data header of a sealed file lead to.
struct OpenedStart {
  std::string block_id;
  AuthenticHeader message;
};

// Public facts only: nothing that a key would be needed for.
bool LooksSealed(ByteView area) {
  if (area.size() < kKeyBlockAreaSize) {
    return area.size() >= 3 && area[0] == 2 && (area[1] == 4 || area[1] == 5) && area[2] == 0x78;
  }
  for (const std::size_t slot : {std::size_t{0}, kSlotSize}) {
    if (LooksSealed(area.subspan(slot, 3))) return true;
  }
  return false;
}

Result<OpenedStart> StartOpening(ByteSource& in, const Keyring& keks, const MessageLimits& limits) {
  Bytes area(kKeyBlockAreaSize);
  area.resize(TRY(in.Read(area)));
  if (!LooksSealed(area)) return Error(Code::kDamaged, "not a sealed file");
  if (area.size() != kKeyBlockAreaSize) return NotAuthentic();
  const OpenedSlot slot = TRY(OpenKeyBlockArea(area, keks, SlotTolerance::kStrict));
  MessageHeader header = TRY(ReadHeader(in, limits));
  ReadOptions options;
  options.limits = limits;
  // The keyring answers only to this block's id, so a foreign data message finds no key.
  const Keyring data_keyring = TRY(slot.block.DataKeyring());
  // Not inside the braces below: GCC does not destroy members made before a TRY that returns.
  AuthenticHeader message = TRY(AuthenticateHeader(std::move(header), data_keyring, options));
  return OpenedStart{slot.block.id, std::move(message)};
}

// One text for whatever is not authentic, with the name of the file; other errors stay as they are.
template <typename T>
Result<T> NameDamage(const std::string& name, Result<T> result) {
  if (result || result.error().code != Code::kDamaged) return result;
  if (result.error().message == "not a sealed file") return result.error().In(name);
  return Error(Code::kDamaged, name + ": not a sealed file or damaged");
}

bool MustBeOpenedInOrder(const MessageHeader& header) {
  return header.content_type != ContentType::kFramed ||
         header.suite->signature != FooterSignature::kNone;
}

// The input and output of one job on named files.
struct Job {
  InputFile in;
  std::optional<OutputFile> out;  // none: standard output
  std::string out_name;
};

Result<Job> StartJob(const std::string& in, const std::string& out, bool replace) {
  Job job;
  job.in = TRY(OpenInput(in));
  job.out_name = out == kStandardStream ? "standard output" : out;
  if (out != kStandardStream) job.out.emplace(TRY(OutputFile::Create(out, replace)));
  return job;
}

int OutputDescriptor(const Job& job) { return job.out ? job.out->fd() : STDOUT_FILENO; }
bool WritesAnywhere(const Job& job) { return job.out && job.out->regular(); }

Result<SealedFileSummary> SealJob(Job& job, const Keyring& keks, const SealOptions& options) {
  SealedStart start = TRY(StartSealing(keks, options));
  const FileReader reader = TRY(FileReader::Create(job.in.fd.get(), job.in.name));
  FdSource source(job.in.fd.get(), job.in.name, options.flow.cancelled);
  FileWriter writer(OutputDescriptor(job), job.out_name);
  FdSink sink(OutputDescriptor(job), job.out_name, options.flow.cancelled);
  SealInput in;
  SealOutput out;
  (job.in.regular ? void(in.file = &reader) : void(in.stream = &source));
  if (WritesAnywhere(job)) {
    TRY(writer.WriteAt(0, start.bytes));
    out.file = &writer;
    out.offset = start.bytes.size();
  } else {
    TRY(sink.Write(start.bytes));
    out.stream = &sink;
  }
  const std::uint64_t plaintext = TRY(SealBody(start.sealer, in, out, options.flow));
  if (job.in.regular) TRY(CheckUnchanged(job.in));
  return Summarize(start, plaintext);
}

Result<SealedFileSummary> OpenFromFile(Job& job, const Keyring& keks, const OpenOptions& options) {
  const FileReader reader = TRY(FileReader::Create(job.in.fd.get(), job.in.name));
  ReaderSource head(reader, 0);
  OpenedStart start = TRY(StartOpening(head, keks, options.limits));
  FileWriter writer(OutputDescriptor(job), job.out_name);
  FdSink sink(OutputDescriptor(job), job.out_name, options.flow.cancelled);
  SealedFileSummary summary;
  summary.block_id = start.block_id;
  summary.sealed_bytes = reader.size();
  if (MustBeOpenedInOrder(start.message.header)) {
    summary.plaintext_bytes =
        TRY(OpenBodyStream(std::move(start.message), head, sink, options.limits, options.flow));
    return summary;
  }
  OpenOutput out;
  (WritesAnywhere(job) ? void(out.file = &writer) : void(out.stream = &sink));
  summary.plaintext_bytes =
      TRY(OpenBodyFile(std::move(start.message), reader, head.offset(), out, options.flow));
  return summary;
}

Result<SealedFileSummary> OpenJob(Job& job, const Keyring& keks, const OpenOptions& options) {
  if (job.in.regular) return OpenFromFile(job, keks, options);
  FdSource source(job.in.fd.get(), job.in.name, options.flow.cancelled);
  FdSink sink(OutputDescriptor(job), job.out_name, options.flow.cancelled);
  return OpenStream(source, sink, keks, options);
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

}  // namespace

Result<SealedFileSummary> SealFile(const std::string& in, const std::string& out,
                                   const Keyring& keks, const SealOptions& options) {
  Job job = TRY(StartJob(in, out, options.replace));
  const SealedFileSummary summary = TRY(SealJob(job, keks, options));
  if (job.out) TRY(job.out->Commit(Keepable(job.in), kModeOfStreams));
  return summary;
}

Result<SealedFileSummary> OpenFile(const std::string& in, const std::string& out,
                                   const Keyring& keks, const OpenOptions& options) {
  Job job = TRY(StartJob(in, out, options.replace));
  const SealedFileSummary summary = TRY(NameDamage(job.in.name, OpenJob(job, keks, options)));
  if (job.out) TRY(job.out->Commit(Keepable(job.in), kModeOfStreams));
  return summary;
}

Result<SealedFileSummary> SealStream(ByteSource& in, ByteSink& out, const Keyring& keks,
                                     const SealOptions& options) {
  SealedStart start = TRY(StartSealing(keks, options));
  TRY(out.Write(start.bytes));
  SealInput input;
  input.stream = &in;
  SealOutput output;
  output.stream = &out;
  const std::uint64_t plaintext = TRY(SealBody(start.sealer, input, output, options.flow));
  return Summarize(start, plaintext);
}

Result<SealedFileSummary> OpenStream(ByteSource& in, ByteSink& out, const Keyring& keks,
                                     const OpenOptions& options) {
  CountingSource counted(in);
  OpenedStart start = TRY(StartOpening(counted, keks, options.limits));
  SealedFileSummary summary;
  summary.block_id = start.block_id;
  summary.plaintext_bytes =
      TRY(OpenBodyStream(std::move(start.message), counted, out, options.limits, options.flow));
  summary.sealed_bytes = counted.count();
  return summary;
}

}  // namespace dare::envelope
