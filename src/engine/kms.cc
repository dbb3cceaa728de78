#include "engine/kms.h"

#include <utility>

#include "audit/audit_log.h"
#include "engine/audit_tail.h"

namespace dare::engine {

Result<std::unique_ptr<Kms>> Kms::Open(const KmsOptions& options, store::ObjectStore& store,
                                       hsm::Sealer& sealer, audit::AuditLog& audit,
                                       const Clock& clock) {
  std::unique_ptr<crypto::RandomSource> random =
      TRY(crypto::RandomSource::Open(options.random_generator, options.algorithms));
  std::unique_ptr<Vault> vault = TRY(Vault::Open(store, sealer));
  TRY(AuditTail::Recover(store, *vault, audit));
  return std::unique_ptr<Kms>(
      new Kms(options, std::move(random), store, std::move(vault), audit, clock));
}

Kms::Kms(const KmsOptions& options, std::unique_ptr<crypto::RandomSource> random,
         store::ObjectStore& store, std::unique_ptr<Vault> vault, audit::AuditLog& audit,
         const Clock& clock)
    : limits_(options.limits),
      audit_(audit),
      random_(std::move(random)),
      vault_(std::move(vault)),
      cache_(options.cached_objects, options.cache_time, clock),
      streams_(clock),
      applications_(clock),
      objects_(options.objects),
      parts_{store,         *vault_,       cache_,   streams_, clock,    options.algorithms,
             applications_, options.facts, objects_, turns_,   *random_, options.issuer},
      group_commit_(parts_, limits_, audit) {}

Result<bool> Kms::Answer(ByteView request, const Caller& caller, WipingBytes& answer) {
  Answered answered = AnswerMessage(parts_, limits_, caller, request, nullptr, answer);
  if (answered.needs_writer) return false;
  for (const audit::Entry& entry : answered.entries) TRY(audit_.Append(entry));
  return true;
}

Result<void> Kms::AnswerUnreadable(const Error& error, const Caller& caller, WipingBytes& answer) {
  TRY(audit_.Append(RefuseUnreadable(parts_, caller, error, answer)));
  return {};
}

void Kms::Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
                 std::unique_ptr<Completion> completion) {
  group_commit_.Submit(std::move(request), std::move(caller), std::move(completion));
}

Result<void> Kms::Flush() { return audit_.Flush(); }

}  // namespace dare::engine
