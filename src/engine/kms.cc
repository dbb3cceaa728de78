#include "engine/kms.h"

#include <optional>
#include <utility>

#include "audit/audit_log.h"
#include "base/log.h"
#include "base/rounds.h"
#include "engine/audit_tail.h"
#include "engine/change_ring.h"
#include "engine/foreign_changes.h"
#include "engine/message_answer.h"
#include "engine/message_refusal.h"

namespace dare::engine {

namespace {

// An HSM that cannot be asked now keeps nobody from starting: what is left in it harms nobody.
void SweepAtStart(const ResidentCare& residents) {
  const Result<ResidentCare::Found> found = residents.Sweep();
  if (!found) {
    log::Warning("the keys in the HSM could not be looked at: " + found.error().message);
    return;
  }
  if (found->removed != 0) {
    log::Info("hsm: removed " + std::to_string(found->removed) +
              " keys whose objects were destroyed");
  }
  for (const hsm::ResidentEntry& key : found->unknown) {
    log::Warning("hsm: the key " + ToHex(key.id) + " in token '" + key.token_label +
                 "' belongs to no object of this store ('" + key.label +
                 "'); if this is no older copy of the store, remove it with 'dare-kms "
                 "resident-keys --remove'");
  }
}

}  // namespace

Result<std::unique_ptr<Kms>> Kms::Open(const KmsOptions& options, store::ObjectStore& store,
                                       hsm::Sealer& sealer, audit::AuditLog& audit,
                                       const Clock& clock) {
  std::unique_ptr<crypto::RandomSource> random =
      TRY(crypto::RandomSource::Open(options.random_generator, options.algorithms));
  std::unique_ptr<Vault> vault = TRY(Vault::Open(store, sealer));
  TRY(AuditTail::Recover(
      store, *vault, audit, options.node,
      options.store_is_shared ? AuditTail::Whose::kOfNode : AuditTail::Whose::kAll));
  const std::vector<std::string> rules = TRY(store.ListMeta(kRulesPrefix));
  std::unique_ptr<Kms> kms(
      new Kms(options, std::move(random), store, std::move(vault), audit, clock));
  kms->sessions_.doorkeeper = options.doorkeeper;
  kms->sessions_.approvals = options.approvals;
  kms->sessions_.rules_exist = options.store_is_shared || !rules.empty();
  if (options.store_is_shared) kms->JoinOtherNodes();
  TRY(kms->NoteOpening());
  if (options.custody != nullptr) kms->ResealInRounds(*options.custody, options.resealing);
  if (options.resident_keys != nullptr) SweepAtStart(kms->residents_);
  if (options.rotation.look_every.count() != 0) kms->RotateInRounds(options.rotation);
  return kms;
}

Kms::Kms(const KmsOptions& options, std::unique_ptr<crypto::RandomSource> random,
         store::ObjectStore& store, std::unique_ptr<Vault> vault, audit::AuditLog& audit,
         const Clock& clock)
    : limits_(options.limits),
      audit_(audit),
      random_(std::move(random)),
      vault_(std::move(vault)),
      node_(options.node),
      store_(store, *vault_, node_),
      cache_(options.cached_objects, options.cache_time, clock,
             options.store_is_shared ? std::optional(options.cache_fresh) : std::nullopt),
      streams_(clock),
      applications_(clock),
      objects_(options.objects),
      sessions_{
          TicketBook(clock, options.credential_options.longest_ticket_seconds,
                     options.certificate_revoked),
          AsynchronousBook(clock),
          Authenticator(clock, sessions_.tickets, options.credentials, options.credential_options),
          Outbox(clock, options.push)},
      residents_(store_, *vault_, options.resident_keys, options.make_resident_keys, clock),
      random_ivs_(options.random_ivs, options.node, *vault_),
      habits_(options.habits),
      access_(*vault_, clock),
      parts_{store_,        *vault_,       cache_,      streams_, clock,    options.algorithms,
             applications_, options.facts, objects_,    turns_,   *random_, options.issuer,
             sessions_,     residents_,    random_ivs_, access_},
      drafter_(parts_, limits_),
      group_commit_(parts_, store_, limits_, audit, options.node, options.custody, &habits_),
      forge_(drafter_, group_commit_),
      gate_(sessions_.authenticator,
            [this](WipingBytes request, std::shared_ptr<const Caller> connection,
                   std::unique_ptr<Completion> completion, Admission admission) {
              AnswerAdmitted(std::move(request), std::move(connection), std::move(completion),
                             std::move(admission));
            }),
      asynchronous_([this] {
        for (auto jobs = sessions_.asynchronous.WaitForDue(); !jobs.empty();
             jobs = sessions_.asynchronous.WaitForDue()) {
          for (AsynchronousBook::Job& job : jobs) Start(std::move(job));
        }
      }) {}

void Kms::JoinOtherNodes() {
  change_ring_ = std::make_unique<ChangeRing>(*vault_, node_);
  foreign_changes_ =
      std::make_unique<ForeignChanges>(store_, *vault_, cache_, sessions_, node_, parts_.clock);
  sessions_.change_ring = change_ring_.get();
  sessions_.listens = [this](const std::string& who) { foreign_changes_->Begin(who); };
  rounds_ =
      std::make_unique<Rounds>(ForeignChanges::kInterval, [this] { foreign_changes_->Look(); });
}

// Goes on at once where a rotation was under way: behind everything that its changes rely on.
void Kms::ResealInRounds(custody::Custody& custody, const ResealerOptions& options) {
  resealer_ = std::make_unique<Resealer>(custody, *vault_, group_commit_, audit_, options);
}

void Kms::RotateInRounds(const RotationOptions& options) {
  rotation_ = std::make_unique<AutomaticRotation>(
      store_, *vault_, parts_.clock, options,
      [this](WipingBytes request, std::shared_ptr<const Caller> caller,
             std::unique_ptr<Completion> completion) {
        Submit(std::move(request), std::move(caller), std::move(completion));
      },
      sessions_.doorkeeper);
  rotation_rounds_ = std::make_unique<Rounds>(options.look_every, [this] {
    const Result<std::size_t> rotated =
        rotation_->Look([this] { return stopping_.load(std::memory_order_relaxed); });
    if (!rotated) {
      log::Warning("nothing is rotated by itself now: " + rotated.error().message);
    } else if (*rotated != 0) {
      log::Info("automatic rotation: " + std::to_string(*rotated) + " objects replaced");
    }
  });
}

// Whoever puts the store back to an earlier time puts back how often it was changed, too: the log
// remembers (docs/integrity.md).
Result<void> Kms::NoteOpening() {
  audit::Entry entry;
  entry.time = parts_.clock.Now();
  entry.principal = "dare-kms";
  entry.operation = "store-opened";
  entry.object_id = node_;
  entry.outcome = audit::Outcome::kAllowed;
  entry.rule = "start";
  entry.group = TRY(store_.Group());
  TRY(audit_.Append(entry));
  return audit_.Flush();
}

Kms::~Kms() {
  stopping_ = true;
  sessions_.asynchronous.Stop();
}

namespace {

// Brings the answer of an asynchronous request to where it is fetched.
class FinishJob : public Completion {
 public:
  FinishJob(AsynchronousBook& book, std::uint64_t job) : book_(book), job_(job) {}
  void Expect(const WipingBytes& answer) override { book_.Finish(job_, answer); }
  void Done(WipingBytes answer) override { book_.Finish(job_, answer); }

 private:
  AsynchronousBook& book_;
  const std::uint64_t job_;
};

}  // namespace

void Kms::Start(AsynchronousBook::Job job) {
  auto completion = std::make_unique<FinishJob>(sessions_.asynchronous, job.id);
  if (KeyForge::Concerns(job.message)) {
    forge_.Submit(std::move(job.message), std::move(job.caller), std::move(completion));
  } else {
    group_commit_.Submit(std::move(job.message), std::move(job.caller), std::move(completion));
  }
}

Result<bool> Kms::AnswerReading(ByteView request, const Caller& caller, WipingBytes& answer,
                                Admission* admission) {
  Answered answered = AnswerMessage(parts_, limits_, caller, request, nullptr, answer, admission);
  // The writer does what is asked of it in order: what a Process hurries comes before it.
  for (const Bytes& correlation : answered.process) {
    auto job = sessions_.asynchronous.Take(correlation, answered.process_owner);
    if (job) Start(std::move(*job));
  }
  if (answered.needs_writer || answered.needs_admission) return false;
  for (const audit::Entry& entry : answered.entries) TRY(Record(entry));
  return true;
}

Result<void> Kms::Record(const audit::Entry& entry) {
  TRY(audit_.Append(entry));
  sessions_.holders.Note(entry);
  if (const auto alarm = habits_.Look(entry)) TRY(audit_.Append(*alarm));
  return {};
}

Result<void> Kms::AnswerUnreadable(const Error& error, ByteView begun, const Caller& caller,
                                   WipingBytes& answer) {
  TRY(audit_.Append(RefuseUnreadable(parts_, caller, error, begun, answer)));
  return {};
}

void Kms::Meet(const Caller& caller) {
  const std::string& name = caller.principal.name;
  if (caller.endpoint == nullptr || !sessions_.outbox.Agreed(name)) return;
  if (auto opened = sessions_.outbox.Open(caller.endpoint, name, std::nullopt); !opened) {
    log::Warning(name + " is told nothing: " + opened.error().message);
    return;
  }
  sessions_.listens(name);
}

bool Kms::TakeResponse(const Caller& caller, ByteView message) {
  return caller.endpoint != nullptr &&
         sessions_.outbox.TakeResponse(caller.endpoint.get(), message);
}

void Kms::AnswerLeft(const Caller& caller) {
  if (caller.endpoint != nullptr) sessions_.outbox.Begin(caller.endpoint.get());
}

Result<bool> Kms::Answer(ByteView request, const Caller& caller, WipingBytes& answer) {
  return AnswerReading(request, caller, answer, nullptr);
}

void Kms::AnswerAdmitted(WipingBytes request, std::shared_ptr<const Caller> connection,
                         std::unique_ptr<Completion> completion, Admission admission) {
  WipingBytes answer;
  Result<bool> answered = AnswerReading(request, *connection, answer, &admission);
  if (answered && !*answered) {
    if (KeyForge::Concerns(request)) {
      return forge_.Submit(std::move(request), std::move(connection), std::move(completion),
                           std::move(admission));
    }
    return group_commit_.Submit(std::move(request), std::move(connection), std::move(completion),
                                std::move(admission));
  }
  const Result<void> recorded = answered ? audit_.Flush() : Result<void>(answered.error());
  if (!recorded) {
    RefuseMessage(parts_.clock, request, kmip::ResultReason::kGeneralFailure,
                  "the request could not be recorded", answer);
  }
  completion->Done(std::move(answer));
}

void Kms::Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
                 std::unique_ptr<Completion> completion) {
  if (Gate::Concerns(request)) {
    return gate_.Submit(std::move(request), std::move(caller), std::move(completion));
  }
  if (KeyForge::Concerns(request)) {
    return forge_.Submit(std::move(request), std::move(caller), std::move(completion));
  }
  std::unique_ptr<Draft> draft = drafter_.Write(*caller, request);
  group_commit_.Submit(std::move(request), std::move(caller), std::move(completion), std::nullopt,
                       std::move(draft));
}

void Kms::ForgetKeys() {
  cache_.Clear();
  streams_.Clear();
  sessions_.asynchronous.ForgetResults();
}

void Kms::KeysChanged() {
  if (resealer_ != nullptr) resealer_->LookNow();
}

Result<void> Kms::Flush() { return audit_.Flush(); }

}  // namespace dare::engine
