#include "tree/checked_manifest.h"

#include <utility>

namespace dare::tree {
namespace {

Error NotOne(const SealedFolder& folder) {
  return Error(Code::kDamaged, folder.path() + ": not a sealed tree or damaged");
}

}  // namespace

bool CheckedManifest::Wants(const std::string& path) const {
  return only_.empty() || path == only_ ||
         (path.size() > only_.size() && path[only_.size()] == '/' && path.starts_with(only_));
}

Result<ManifestInput> CheckedManifest::Begin() const {
  Result<std::optional<ManifestInput>> input =
      ManifestInput::Begin(*folder_, kManifestName, Completeness::kWhole);
  if (!input && input.error().code == Code::kDamaged) return NotOne(*folder_);
  if (!input) return input.error();
  if (!*input) return NotOne(*folder_);
  // What was checked is what is used, whatever lies there by now: another one may be as authentic.
  if (!message_id_.empty() && (*input)->message_id() != message_id_) return NotOne(*folder_);
  return **std::move(input);
}

// Entries of one linked file must agree.
Result<void> CheckedManifest::TakeFile(const Entry& entry, bool wanted) {
  bool is_first = true, first_wanted = true;
  if (entry.file.linked) {
    const auto [first, is_new] = linked_.try_emplace(entry.file.message_id, entry);
    if (!is_new && first->second.file != entry.file) return NotOne(*folder_);
    is_first = is_new;
    first_wanted = is_new || !Wants(first->second.path);
    if (wanted && first_wanted) first->second = entry;
  }
  const std::uint64_t bytes = entry.file.content_size();
  if (is_first) all_bytes_ += bytes;
  if (!wanted) return {};
  ++wanted_.files;
  first_wanted ? void(wanted_.bytes += bytes) : void(++wanted_.hard_links);
  return {};
}

Result<void> CheckedManifest::Take(Entry entry) {
  const bool wanted = Wants(entry.path);
  if (wanted) ++wanted_.entries;
  if (wanted && entry.kind == EntryKind::kFolder) ++wanted_.folders;
  if (entry.kind == EntryKind::kFile) TRY(TakeFile(entry, wanted));
  if (entry.path == only_) {
    top_ = std::move(entry);
    has_top_ = true;
  }
  return {};
}

Result<CheckedManifest> CheckedManifest::Read(const SealedFolder& folder, std::string only,
                                              std::uint64_t at_least_generation) {
  CheckedManifest manifest(folder);
  manifest.only_ = std::move(only);
  ManifestInput input = TRY(manifest.Begin());
  manifest.message_id_ = input.message_id();
  manifest.header_ = input.header();
  for (;;) {
    Result<std::optional<Entry>> next = input.Next();
    if (!next) return next.error().code == Code::kDamaged ? NotOne(folder) : next.error();
    if (!*next) break;
    TRY(manifest.Take(**std::move(next)));
  }
  if (manifest.all_bytes_ != input.totals().bytes) return NotOne(folder);
  const std::uint64_t generation = manifest.header_.generation;
  if (generation < at_least_generation) {
    return Error(Code::kDamaged, folder.path() + " is of generation " + std::to_string(generation) +
                                     ", older than " + std::to_string(at_least_generation));
  }
  if (!manifest.has_top_) {
    return Error(Code::kNotFound, folder.path() + ": there is no " + manifest.only_ + " in it");
  }
  return manifest;
}

Result<CheckedManifest::Reading> CheckedManifest::Again() const {
  ManifestInput input = TRY(Begin());
  return Reading(std::move(input), *this);
}

Result<std::optional<Entry>> CheckedManifest::Reading::Next() {
  for (;;) {
    Result<std::optional<Entry>> entry = input_.Next();
    if (!entry || !*entry || manifest_.Wants((*entry)->path)) return entry;
  }
}

const std::string& CheckedManifest::FirstNameOf(const Entry& linked) const {
  return linked_.at(linked.file.message_id).path;
}

}  // namespace dare::tree
