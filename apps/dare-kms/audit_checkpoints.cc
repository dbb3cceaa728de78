#include "audit_checkpoints.h"

#include <utility>

#include "custody/patience.h"
#include "hsm/session_pool.h"
#include "hsm/signing_key.h"
#include "node_witness.h"

namespace dare::kms {

audit::AuditOptions AuditOptionsOf(const server::Config& config) {
  audit::AuditOptions options;
  options.folder = config.audit_folder;
  options.sync_interval = std::chrono::milliseconds(config.audit.sync_interval_ms);
  options.segment_bytes = std::size_t{config.audit.file_kib} << 10;
  options.sync_each_flush = config.audit.reads == "strict";
  return options;
}

audit::SignerSource AuditSignerOf(const server::Config& config, const KeyStation& keys) {
  return
      [tokens = keys.tokens, patience = keys.custody->opener().patience(), token = config.hsm.name,
       label = config.hsm.audit_key_label]() -> Result<audit::CheckpointSigner> {
        // A token that hangs must hold up neither the next checkpoint nor the end of the server.
        const auto find = [tokens, token, label]() -> Result<std::shared_ptr<hsm::SigningKey>> {
          return hsm::SigningKey::Find(TRY(tokens->Pool(token)), label);
        };
        auto key = custody::Within<std::shared_ptr<hsm::SigningKey>>(patience, find);
        if (!key) return key.error().In("the audit log's key '" + label + "'");
        return audit::CheckpointSigner{
            (*key)->PublicKeyDer(), [key = *key, patience](ByteView digest) {
              return custody::Within<Bytes>(
                  patience,
                  [key, copy = Bytes(digest.begin(), digest.end())] { return key->Sign(copy); });
            }};
      };
}

Result<std::unique_ptr<audit::Checkpointer>> StartCheckpoints(const server::Config& config,
                                                              audit::AuditLog& log,
                                                              const Clock& clock,
                                                              const KeyStation& keys) {
  audit::CheckpointerOptions options;
  options.folder = config.audit_folder;
  options.origin = audit::OriginOf(config.node);
  options.interval = std::chrono::seconds(config.audit.checkpoint_seconds);
  options.entries = config.audit.checkpoint_entries;
  std::vector<std::unique_ptr<audit::Witness>> witnesses;
  for (const std::string& place : config.audit.witness) {
    const bool is_node = place.starts_with(kNodeWitness);
    witnesses.push_back(is_node ? TRY(MakeNodeWitness(place, config))
                                : TRY(audit::MakeWitness(place)));
  }
  return audit::Checkpointer::Start(options, log, clock, AuditSignerOf(config, keys),
                                    std::move(witnesses));
}

}  // namespace dare::kms
