#include "tree/manifest_file.h"

#include <utility>

namespace dare::tree {
namespace {

constexpr std::uint32_t kFrame = 4096;  // what a killed run loses of its manifest at most

}  // namespace

Result<std::optional<ManifestInput>> ManifestInput::Begin(const SealedFolder& folder,
                                                          std::string_view name,
                                                          Completeness completeness) {
  ManifestInput input;
  std::optional<ManifestInput> none;
  input.fd_ = TRY(folder.OpenManifest(name));
  if (!input.fd_) return none;
  const envelope::Keyring keyring = TRY(folder.DataKeyring());
  input.message_ = std::make_unique<MessageReader>(TRY(MessageReader::Begin(
      input.fd_.get(), keyring, std::string(kPartPair), std::string(kManifestPart), completeness)));
  input.reader_ = std::make_unique<ManifestReader>(TRY(ManifestReader::Begin(*input.message_)));
  const std::string* generation = input.message_->header().context.Find(kGenerationPair);
  if (generation == nullptr || *generation != std::to_string(input.header().generation)) {
    return envelope::NotAuthentic();
  }
  return std::optional<ManifestInput>(std::move(input));
}

Result<ManifestOutput> ManifestOutput::Begin(const SealedFolder& folder,
                                             const ManifestHeader& header,
                                             envelope::EncryptionContext context) {
  ManifestOutput output;
  envelope::MessageOptions options;
  options.context = std::move(context);
  TRY(options.context.AddPortable(std::string(kPartPair), std::string(kManifestPart)));
  TRY(options.context.AddPortable(std::string(kGenerationPair), std::to_string(header.generation)));
  options.frame_length = kFrame;
  const envelope::Keyring keyring = TRY(folder.DataKeyring());
  output.fd_ = TRY(folder.CreateManifest());
  output.message_ = std::make_unique<MessageWriter>(
      TRY(MessageWriter::Begin(output.fd_.get(), keyring, options)));
  output.writer_ =
      std::make_unique<ManifestWriter>(TRY(ManifestWriter::Begin(*output.message_, header)));
  return output;
}

Result<void> ManifestOutput::Flush() {
  std::size_t bytes = message_->room();
  if (bytes == kFrame) return {};
  if (bytes < ManifestWriter::kLeastFiller) bytes += kFrame;
  return writer_->Fill(bytes);
}

Result<void> ManifestOutput::Commit(const SealedFolder& folder, const ManifestTotals& totals) {
  TRY(writer_->End(totals));
  TRY(message_->Finish());
  return folder.Commit(fd_.get());
}

}  // namespace dare::tree
