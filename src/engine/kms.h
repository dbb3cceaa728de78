#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "engine/access_control.h"
#include "engine/authenticator.h"
#include "engine/automatic_rotation.h"
#include "engine/batch.h"
#include "engine/draft.h"
#include "engine/gate.h"
#include "engine/group_commit.h"
#include "engine/group_turns.h"
#include "engine/habit_watch.h"
#include "engine/key_forge.h"
#include "engine/object_cache.h"
#include "engine/object_policy.h"
#include "engine/operation.h"
#include "engine/pkcs11_applications.h"
#include "engine/random_iv_budget.h"
#include "engine/resealer.h"
#include "engine/resident_care.h"
#include "engine/sessions.h"
#include "engine/streams.h"
#include "engine/summed_store.h"

namespace dare {
class Rounds;
}
namespace dare::audit {
class AuditLog;
}

namespace dare::engine {

class ApprovalDesk;
class ChangeRing;
class Doorkeeper;
class ForeignChanges;

struct KmsOptions {
  // Which server this is, among those that use the store: in the keys of its own rows. No '/'.
  std::string node = "node";
  bool store_is_shared = false;  // other nodes change the store, too
  ttlv::Limits limits;
  crypto::AlgorithmPolicy algorithms;
  crypto::RandomGenerator random_generator = crypto::RandomGenerator::kDrbg;  // of new keys
  ObjectPolicy objects;
  std::size_t cached_objects = 4096;  // opened KEKs in the secure heap
  std::chrono::seconds cache_time{300};
  // Of a shared store: how long an opened object is used before the store is asked whether another
  // node changed it; 0: never.
  std::chrono::milliseconds cache_fresh{500};
  ServerFacts facts;
  // Signs for Certify and Re-certify; null: those are not supported. Must outlive the Kms.
  const CertificateIssuer* issuer = nullptr;
  // Users and devices with credentials; null: none. Outlives the Kms.
  CredentialSource* credentials = nullptr;
  CredentialOptions credential_options;
  PushOptions push;                  // who is told of changes
  Doorkeeper* doorkeeper = nullptr;  // who is not served now; null: everybody is. Outlives the Kms.
  ApprovalDesk* approvals = nullptr;  // null: what needs an approval is refused. Outlives the Kms.
  // Keys that stay in the HSM; null: no HSM keeps any. `make_resident_keys`: new ones, too.
  // Outlives the Kms.
  hsm::ResidentKeys* resident_keys = nullptr;
  bool make_resident_keys = false;
  RandomIvLimits random_ivs;
  TicketBook::Revoked certificate_revoked;  // whose tickets are worth nothing any more
  // Whose ring `sealer` is; null: the key never changes. Outlives the Kms.
  custody::Custody* custody = nullptr;
  HabitOptions habits;
  ResealerOptions resealing;
  RotationOptions rotation;
};

// The Kms answers KMIP request messages: the door of the engine. A server calls, on any of its
// threads,
//
//   if (!kms.Answer(request, caller, answer)) kms.Submit(copy of request, caller, completion);
//
// Answer serves everything that changes nothing, at once and in parallel. A message that changes
// something is left alone (false) and must be submitted: one thread commits such messages in
// groups. What Answer did is in the audit log's buffer; call Flush() before the answers leave, once
// for many. Submitted answers are durable already, and so is what the log
// has to say of them. Thread-safe. Owns neither store,
// sealer, audit log nor clock, which must outlive it.
class Kms {
 public:
  // For others of this process that change records: they must go through the same sum.
  store::ObjectStore& store() { return store_; }

  // Opens the store's record key in the HSM, and gives the audit log (just opened, nothing appended
  // yet) back what a power failure took from it. kUnavailable when the HSM cannot be reached,
  // kDamaged when the store was sealed by another one, kDenied for a random generator that
  // `algorithms` do not allow.
  static Result<std::unique_ptr<Kms>> Open(const KmsOptions& options, store::ObjectStore& store,
                                           hsm::Sealer& sealer, audit::AuditLog& audit,
                                           const Clock& clock);

  // False: nothing was done; submit it. An Error: the audit log refused, and no answer may leave.
  Result<bool> Answer(ByteView request, const Caller& caller, WipingBytes& answer);
  // Answers a request that came in another encoding and never became a message, for `error`'s
  // reason, in the version of what was `begun`. An Error as above.
  Result<void> AnswerUnreadable(const Error& error, ByteView begun, const Caller& caller,
                                WipingBytes& answer);
  void Submit(WipingBytes request, std::shared_ptr<const Caller> caller,
              std::unique_ptr<Completion> completion);
  Result<void> Flush();
  // Keys in the HSM and the objects that they belong to.
  const ResidentCare& residents() const { return residents_; }
  // A connection began to ask: opens what was agreed with its principal.
  void Meet(const Caller& caller);
  // A Response Message of a client that the server asked something; false where it asked nothing.
  bool TakeResponse(const Caller& caller, ByteView message);
  // The answer to what came last on the caller's connection is on its way: now it may be asked.
  void AnswerLeft(const Caller& caller);
  // Wipes what is opened for requests: keys, streams, results that wait to be fetched. The keys
  // that open the store stay.
  void ForgetKeys();
  // The policy in force, for whoever finds out which one that is.
  AccessControl& access() { return access_; }
  const Vault& vault() const { return *vault_; }
  // Looks at once, not at its next round, whether keys are to be changed.
  void KeysChanged();
  ~Kms();

 private:
  Kms(const KmsOptions& options, std::unique_ptr<crypto::RandomSource> random,
      store::ObjectStore& store, std::unique_ptr<Vault> vault, audit::AuditLog& audit,
      const Clock& clock);
  // From now on other nodes' changes are told here, and this one's there.
  void JoinOtherNodes();
  void ResealInRounds(custody::Custody& custody, const ResealerOptions& options);
  void RotateInRounds(const RotationOptions& options);
  Result<void> NoteOpening();
  Result<bool> AnswerReading(ByteView request, const Caller& caller, WipingBytes& answer,
                             Admission* admission);
  void AnswerAdmitted(WipingBytes request, std::shared_ptr<const Caller> connection,
                      std::unique_ptr<Completion> completion, Admission admission);
  void Start(AsynchronousBook::Job job);
  Result<void> Record(const audit::Entry& entry);

  const ttlv::Limits limits_;
  audit::AuditLog& audit_;
  const std::unique_ptr<crypto::RandomSource> random_;
  const std::unique_ptr<Vault> vault_;
  const std::string node_;
  SummedStore store_;
  ObjectCache cache_;
  Streams streams_;
  Pkcs11Applications applications_;
  const ObjectPolicy objects_;
  GroupTurns turns_;
  Sessions sessions_;
  ResidentCare residents_;
  RandomIvBudget random_ivs_;
  HabitWatch habits_;
  AccessControl access_;
  EngineParts parts_;
  std::unique_ptr<ChangeRing> change_ring_;  // null without other nodes, as the next
  std::unique_ptr<ForeignChanges> foreign_changes_;
  Drafter drafter_;
  GroupCommit group_commit_;  // behind what its thread uses; below it, those who submit to it
  KeyForge forge_;
  Gate gate_;
  std::unique_ptr<Resealer> resealer_;  // null without custody
  std::jthread asynchronous_;           // begins what waits
  std::unique_ptr<Rounds> rounds_;      // of foreign_changes_
  std::atomic<bool> stopping_{false};
  std::unique_ptr<AutomaticRotation> rotation_;  // null where nothing rotates by itself
  std::unique_ptr<Rounds> rotation_rounds_;      // of rotation_
};

}  // namespace dare::engine
