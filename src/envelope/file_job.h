#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>

#include "base/file.h"
#include "envelope/message_start.h"
#include "envelope/output_file.h"
#include "envelope/sealed_file.h"

// From one named file, pipe or device into another: what sealing and opening share. For the
// folder's own files.
namespace dare::envelope {

// The source of a job: a regular file, or a pipe, terminal or device read in order.
struct InputFile {
  FileDescriptor fd;
  std::string name;
  struct stat status {};
  bool regular = false;
};

struct FileJob {
  InputFile in;
  std::optional<OutputFile> out;  // none: standard output
  std::string out_name;

  // kInvalidArgument for a folder; kAlreadyExists without `replace`.
  static Result<FileJob> Start(const std::string& in, const std::string& out, bool replace);

  // `start` is taken over into the output, then the input as frames behind it. kConflict when the
  // input changed meanwhile.
  Result<SealedFileSummary> Seal(SealedStart start, const SealOptions& options);

  // `start` reads what stands before the frames off the input. With `hold_back`, what goes to a
  // stream and is not longer than kMostHeldBack comes out whole or not at all.
  using Starter = std::function<Result<OpenedStart>(ByteSource&)>;
  Result<SealedFileSummary> Open(const Starter& start, const OpenOptions& options, bool hold_back);

  // The output gets its name, and mode and times of an input that has some.
  Result<void> Commit();

 private:
  int OutputDescriptor() const;
  bool WritesAnywhere() const { return out && out->regular(); }
  Result<SealedFileSummary> OpenFrom(const FileReader& reader, const Starter& start,
                                     const OpenOptions& options, ByteSink& stream);
};

SealedFileSummary Summarize(const SealedStart& start, std::uint64_t plaintext);
// The same when what stands before the frames was read off a stream already.
Result<SealedFileSummary> OpenInOrder(const FileJob::Starter& start, ByteSource& in, ByteSink& out,
                                      const OpenOptions& options);

}  // namespace dare::envelope
