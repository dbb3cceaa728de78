// The seekable reader of the C interface (include/dare/dare.h).
#include <dare/dare.h>
#include <fcntl.h>

#include <cerrno>
#include <memory>
#include <string>

#include "base/file.h"
#include "envelope/seekable_reader.h"
#include "libdare/border.h"
#include "libdare/handle.h"

// Constant after construction.
struct dare_reader {
  std::string path;
  dare::FileDescriptor descriptor;
  std::unique_ptr<dare::envelope::FileReader> file;
  std::unique_ptr<dare::envelope::SeekableReader> plain;  // reads `file`
};

namespace dare::lib {
namespace {

Result<std::unique_ptr<dare_reader>> OpenReader(const dare_client& client, const char* path) {
  auto reader = std::make_unique<dare_reader>();
  reader->path = path;
  reader->descriptor = FileDescriptor(::open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!reader->descriptor) return IoError("cannot open " + reader->path, errno);
  reader->file = std::make_unique<envelope::FileReader>(
      TRY(envelope::FileReader::Create(reader->descriptor.get(), reader->path)));
  Call call(client);
  const envelope::Keyring keks = TRY(call.OpeningKeyring());
  Result<std::unique_ptr<envelope::SeekableReader>> plain =
      envelope::SeekableReader::OpenSealed(*reader->file, keks);
  if (!plain && plain.error().code == Code::kDamaged) {
    return Error(Code::kDamaged, reader->path + ": not a sealed file or damaged");
  }
  reader->plain = TRY(std::move(plain));
  return reader;
}

}  // namespace
}  // namespace dare::lib

using dare::Result;
using dare::lib::AtBorder;
using dare::lib::RequireArguments;

extern "C" {

dare_status dare_reader_open(dare_client* client, const char* path, dare_reader** reader) {
  if (reader != nullptr) *reader = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && path != nullptr && reader != nullptr));
    *reader = TRY(dare::lib::OpenReader(*client, path)).release();
    return {};
  });
}

uint64_t dare_reader_size(const dare_reader* reader) { return reader->plain->size(); }

dare_status dare_reader_pread(const dare_reader* reader, void* buffer, size_t size, uint64_t offset,
                              size_t* got) {
  if (got != nullptr) *got = 0;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(reader != nullptr && got != nullptr && (buffer != nullptr || size == 0)));
    Result<std::size_t> read =
        reader->plain->ReadAt(offset, {static_cast<std::uint8_t*>(buffer), size});
    if (!read && read.error().code == dare::Code::kDamaged) {
      return dare::Error(dare::Code::kDamaged, reader->path + ": not a sealed file or damaged");
    }
    *got = TRY(std::move(read));
    return {};
  });
}

void dare_reader_close(dare_reader* reader) { delete reader; }

}  // extern "C"
