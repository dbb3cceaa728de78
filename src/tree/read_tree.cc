#include "tree/read_tree.h"

#include "tree/checked_manifest.h"
#include "tree/data_file.h"

namespace dare::tree {

Result<OpenTreeSummary> ListTree(const SealedFolder& folder, const OpenTreeOptions& options,
                                 const std::function<void(const Entry&)>& each) {
  const CheckedManifest manifest =
      TRY(CheckedManifest::Read(folder, options.only, options.at_least_generation));
  CheckedManifest::Reading entries = TRY(manifest.Again());
  for (;;) {
    if (options.cancelled != nullptr && options.cancelled->load(std::memory_order_relaxed)) {
      return envelope::Cancelled();
    }
    const std::optional<Entry> entry = TRY(entries.Next());
    if (!entry) break;
    each(*entry);
  }
  OpenTreeSummary summary;
  summary.generation = manifest.header().generation;
  summary.entries = manifest.wanted().entries;
  summary.files = manifest.wanted().files;
  summary.folders = manifest.wanted().folders;
  summary.bytes = manifest.wanted().bytes;
  return summary;
}

Result<Entry> ReadTreeFile(const SealedFolder& folder, const OpenTreeOptions& options,
                           const std::optional<envelope::PlainRange>& range,
                           envelope::ByteSink& out) {
  const CheckedManifest manifest =
      TRY(CheckedManifest::Read(folder, options.only, options.at_least_generation));
  const Entry& entry = manifest.top();
  if (entry.kind != EntryKind::kFile) {
    return Error(Code::kInvalidArgument,
                 folder.path() + ": " + options.only + " is no file; only files have content");
  }
  ContentFlow flow;
  flow.workers = options.workers;
  flow.cancelled = options.cancelled;
  std::uint64_t done = 0;
  if (options.progress) {
    flow.done = [&](std::uint64_t more) {
      done += more;
      options.progress(done, range ? std::nullopt : std::optional(entry.file.content_size()));
    };
  }
  const envelope::Keyring keyring = TRY(folder.DataKeyring());
  const Result<void> read = StreamContent(folder.fd(), manifest.header().names_encrypted, keyring,
                                          flow, entry, range, out);
  if (!read) return read.error().In(folder.path() + ": " + options.only);
  return entry;
}

}  // namespace dare::tree
