#include "audit/witness.h"

#include <utility>

#include "audit/checkpoint_file.h"
#include "audit/syslog_witness.h"

namespace dare::audit {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::string_view kSyslog = "syslog:";

// Opened anew each time: the file may be on a disk that comes and goes, or be moved away.
class FileWitness : public Witness {
 public:
  explicit FileWitness(std::string path) : path_(std::move(path)) {}

  std::string name() const override { return std::string(kFile) + path_; }

  Result<std::optional<SignedCheckpoint>> Newest() override {
    const CheckpointFile file = TRY(CheckpointFile::Open(path_));
    return file.last();
  }

  Result<void> Record(const std::string& text) override {
    CheckpointFile file = TRY(CheckpointFile::Open(path_));
    return file.Append(text);
  }

 private:
  const std::string path_;
};

}  // namespace

Result<std::unique_ptr<Witness>> MakeWitness(const std::string& place) {
  if (place.starts_with(kFile)) {
    std::string path = place.substr(kFile.size());
    if (!path.starts_with('/')) {
      return Error(Code::kInvalidArgument, "the path of a witness must begin with '/': " + place);
    }
    return std::unique_ptr<Witness>(std::make_unique<FileWitness>(std::move(path)));
  }
  if (place.starts_with(kSyslog)) {
    return MakeSyslogWitness(std::string_view(place).substr(kSyslog.size()));
  }
  return Error(Code::kInvalidArgument, "'" + place + "' is no witness: file:/PATH is one");
}

}  // namespace dare::audit
