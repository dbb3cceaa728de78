// Any bytes as the plaintext of a sealed tree's manifest: nothing may crash, hang, take memory a
// length field asked for, or give a path that leaves the tree. What is read is written again and
// read back the same.
#include "tree/manifest.h"

#include <vector>

#include "base/check.h"

namespace dare::tree {
namespace {

struct Read {
  ManifestHeader header;
  std::vector<Entry> entries;
  ManifestTotals totals;
};

Result<Read> ReadAll(ByteView bytes) {
  envelope::MemorySource source(bytes);
  ManifestReader reader = TRY(ManifestReader::Begin(source));
  Read read;
  read.header = reader.header();
  for (;;) {
    std::optional<Entry> entry = TRY(reader.Next());
    if (!entry) break;
    read.entries.push_back(*std::move(entry));
  }
  read.totals = reader.totals();
  return read;
}

void CheckPaths(const std::vector<Entry>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::string_view rest = entries[i].path;
    CHECK((i == 0) == rest.empty());
    CHECK(i == 0 || ComparePaths(entries[i - 1].path, rest) < 0);
    while (!rest.empty()) {
      const std::size_t slash = std::min(rest.find('/'), rest.size());
      CHECK(IsSafeName(rest.substr(0, slash)));
      rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
  }
}

void TryManifest(ByteView bytes) {
  const Result<Read> first = ReadAll(bytes);
  if (!first) return;
  CheckPaths(first->entries);
  envelope::MemorySink sink;
  Result<ManifestWriter> writer = ManifestWriter::Begin(sink, first->header);
  CHECK(writer.has_value());
  for (const Entry& entry : first->entries) CHECK(writer->Add(entry).has_value());
  CHECK(writer->End(first->totals).has_value());
  const Result<Read> again = ReadAll(sink.bytes());
  CHECK(again.has_value() && again->entries == first->entries);
  CHECK(again->header == first->header && again->totals == first->totals);
}

}  // namespace
}  // namespace dare::tree

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::tree::TryManifest({data, size});
  return 0;
}
