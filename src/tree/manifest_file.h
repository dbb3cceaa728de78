#pragma once

#include <memory>

#include "tree/manifest.h"
#include "tree/message_stream.h"
#include "tree/sealed_folder.h"

namespace dare::tree {

// The pairs in a manifest's context. No message of a file has them, so that no content of a file
// can stand where the manifest belongs.
inline constexpr std::string_view kPartPair = "tree-part";
inline constexpr std::string_view kManifestPart = "manifest";
inline constexpr std::string_view kGenerationPair = "tree-gen";

// A manifest of a sealed tree, being read. Movable.
class ManifestInput {
 public:
  // Nothing when there is none of that name. kDamaged, one text, for what is not an authentic one.
  static Result<std::optional<ManifestInput>> Begin(const SealedFolder& folder,
                                                    std::string_view name,
                                                    Completeness completeness);
  const ManifestHeader& header() const { return reader_->header(); }
  // Of the message: two manifests never have the same.
  const Bytes& message_id() const { return message_->header().message_id; }
  Result<std::optional<Entry>> Next() { return reader_->Next(); }
  const ManifestTotals& totals() const { return reader_->totals(); }

 private:
  FileDescriptor fd_;
  std::unique_ptr<MessageReader> message_;
  std::unique_ptr<ManifestReader> reader_;
};

// One being written, as kNewManifestName. Movable.
class ManifestOutput {
 public:
  static Result<ManifestOutput> Begin(const SealedFolder& folder, const ManifestHeader& header,
                                      envelope::EncryptionContext context);
  Result<void> Add(const Entry& entry) { return writer_->Add(entry); }
  // What was added so far is in the file, as full frames.
  Result<void> Flush();
  // The end; then it is put in its place.
  Result<void> Commit(const SealedFolder& folder, const ManifestTotals& totals);

 private:
  FileDescriptor fd_;
  std::unique_ptr<MessageWriter> message_;
  std::unique_ptr<ManifestWriter> writer_;
};

}  // namespace dare::tree
