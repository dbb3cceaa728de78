#include "health.h"

#include <string>

#include "base/secure_arena.h"

namespace dare::kms {
namespace {

// Any key of the metadata will do: that there is none is an answer, too.
constexpr char kAnyMeta[] = "record-key";

bool Reads(const store::ObjectStore& store) {
  const Result<Bytes> read = store.GetMeta(kAnyMeta);
  return read || read.error().code == Code::kNotFound;
}

std::string Quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

// Names of tokens come from the configuration, which allows no character that JSON escapes.
std::string TokensOf(const hsm::SealerHealth& health) {
  std::string tokens;
  for (const hsm::TokenHealth& token : health.tokens) {
    tokens += (tokens.empty() ? "" : ",") + std::string("{\"name\":") + Quoted(token.name) +
              ",\"state\":" + Quoted(hsm::BreakerStateName(token.state)) +
              ",\"since\":" + std::to_string(token.since) +
              ",\"hanging\":" + std::to_string(token.hanging) + "}";
  }
  return "[" + tokens + "]";
}

}  // namespace

server::Health AssessHealth(const audit::AuditLog& audit, const audit::Checkpointer& checkpoints,
                            const store::ObjectStore& store, const hsm::Sealer& sealer, bool sealed,
                            bool lists_good, std::string_view system_call_filter) {
  const bool audited = !audit.failure();
  const audit::Checkpointer::Status signing = checkpoints.status();
  const bool stored = Reads(store);
  const hsm::SealerHealth sealing = sealer.Health();
  server::Health health;
  health.content_type = "application/json";
  health.serving = audited && stored && !sealed;
  health.ready = health.serving && sealing.can_seal;
  const char* const status = sealed           ? "sealed"
                             : health.ready   ? "ok"
                             : health.serving ? "degraded"
                                              : "failing";
  const auto good = [](bool value) { return Quoted(value ? "ok" : "failing"); };
  health.text = "{\"status\":" + Quoted(status) + ",\"audit\":" + good(audited) +
                ",\"checkpoints\":" + good(!signing.failure) +
                ",\"witness\":" + good(!signing.witness_failure) +
                ",\"authority_lists\":" + good(lists_good) + ",\"store\":" + good(stored) +
                ",\"sealed\":" + (sealed ? "true" : "false") +
                ",\"seccomp\":" + Quoted(system_call_filter) +
                ",\"key_memory\":" + Quoted(ArenaKindName(SecureArenaKind())) +
                ",\"hsm\":{\"can_seal\":" + (sealing.can_seal ? "true" : "false") +
                ",\"tokens\":" + TokensOf(sealing) + "}}";
  return health;
}

}  // namespace dare::kms
