#include "envelope/sealed_file.h"

#include <utility>

#include "envelope/file_job.h"

namespace dare::envelope {
namespace {

MessageOptions MessageOf(const SealOptions& options) {
  MessageOptions message;
  message.suite = options.suite;
  message.context = options.context;
  message.frame_length = options.frame_length;
  message.verify_wraps = options.verify_wraps;
  return message;
}

FileJob::Starter SealedStarter(const Keyring& keks, const OpenOptions& options) {
  return [&](ByteSource& in) { return StartOpeningSealed(in, keks, options.read); };
}

// One text for whatever is not authentic, with the name of the file; other errors stay as they are.
Result<SealedFileSummary> NameDamage(const std::string& name, Result<SealedFileSummary> result) {
  if (result || result.error().code != Code::kDamaged) return result;
  if (result.error().message == kNotSealed) return result.error().In(name);
  return Error(Code::kDamaged, name + ": not a sealed file or damaged");
}

}  // namespace

Result<SealedFileSummary> SealFile(const std::string& in, const std::string& out,
                                   const Keyring& keks, const SealOptions& options) {
  FileJob job = TRY(FileJob::Start(in, out, options.replace));
  SealedStart start = TRY(StartSealedFile(keks, MessageOf(options)));
  const SealedFileSummary summary = TRY(job.Seal(std::move(start), options));
  TRY(job.Commit());
  return summary;
}

Result<SealedFileSummary> OpenFile(const std::string& in, const std::string& out,
                                   const Keyring& keks, const OpenOptions& options) {
  FileJob job = TRY(FileJob::Start(in, out, options.replace));
  const SealedFileSummary summary =
      TRY(NameDamage(job.in.name, job.Open(SealedStarter(keks, options), options, false)));
  TRY(job.Commit());
  return summary;
}

Result<SealedFileSummary> SealMessageFile(const std::string& in, const std::string& out,
                                          const Keyring& keyring, const SealOptions& options) {
  FileJob job = TRY(FileJob::Start(in, out, options.replace));
  SealedStart start = TRY(StartMessage(keyring, MessageOf(options)));
  const SealedFileSummary summary = TRY(job.Seal(std::move(start), options));
  TRY(job.Commit());
  return summary;
}

Result<SealedFileSummary> OpenMessageFile(const std::string& in, const std::string& out,
                                          const Keyring& keyring, const OpenOptions& options) {
  FileJob job = TRY(FileJob::Start(in, out, options.replace));
  bool header_is_good = false;
  const auto start = [&](ByteSource& source) -> Result<OpenedStart> {
    MessageHeader header = TRY(ReadHeader(source, options.read.limits));
    TRY(CheckCommitment(header, options.read));
    header_is_good = true;
    AuthenticHeader message = TRY(AuthenticateHeader(std::move(header), keyring, options.read));
    return OpenedStart{std::string(), std::move(message)};
  };
  const Result<SealedFileSummary> summary = job.Open(start, options, true);
  if (summary) {
    TRY(job.Commit());
    return summary;
  }
  if (summary.error().code != Code::kDamaged) return summary.error();
  if (!header_is_good) return summary.error().In(job.in.name);
  return Error(Code::kDamaged,
               job.in.name + ": damaged, cut short, or not sealed under any of the keys");
}

Result<SealedFileSummary> SealStream(ByteSource& in, ByteSink& out, const Keyring& keks,
                                     const SealOptions& options) {
  SealedStart start = TRY(StartSealedFile(keks, MessageOf(options)));
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
  return OpenInOrder(SealedStarter(keks, options), in, out, options);
}

}  // namespace dare::envelope
