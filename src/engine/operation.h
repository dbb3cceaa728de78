#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "crypto/algorithm_policy.h"
#include "crypto/random_source.h"
#include "engine/caller.h"
#include "engine/outbox.h"
#include "engine/server_facts.h"
#include "engine/stored_object.h"
#include "engine/vault.h"
#include "kmip/identifier.h"
#include "kmip/managed_object.h"
#include "kmip/protocol_version.h"
#include "policy/decision.h"
#include "policy/principal.h"
#include "store/object_store.h"

namespace dare::policy {
class Policy;
enum class Act : std::uint8_t;
}  // namespace dare::policy

namespace dare::crypto {
struct KeySpecification;
class PrivateKey;
}  // namespace dare::crypto

namespace dare::engine {

class AccessControl;
struct ApprovalRequest;
class CertificateIssuer;
struct Sessions;
class GroupTurns;
class ObjectCache;
class Pkcs11Applications;
class RandomIvBudget;
class ResidentCare;
class Streams;
struct ObjectPolicy;

// What the engine is made of: shared by all requests, constant, thread-safe.
struct EngineParts {
  store::ObjectStore& store;
  Vault& vault;
  ObjectCache& cache;
  Streams& streams;
  const Clock& clock;
  crypto::AlgorithmPolicy algorithms;
  Pkcs11Applications& applications;
  ServerFacts facts;
  const ObjectPolicy& objects;
  GroupTurns& turns;
  const crypto::RandomSource& random;
  const CertificateIssuer* issuer = nullptr;  // null: Certify is not offered
  Sessions& sessions;
  ResidentCare& residents;
  RandomIvBudget& random_ivs;
  AccessControl& access;
};

// What one batch did so far; later items build on it.
struct BatchMemory {
  std::string placeholder;  // the ID Placeholder, empty when there is none (kmip-1.4 4)
  std::vector<std::string>
      answered_ids;  // every Unique Identifier answered, in order (kmip-2.1 4.61)
  std::vector<std::pair<kmip::Operation, std::string>> made;  // by which operation
  std::vector<std::string> changed;  // objects to forget in the cache once committed
  std::vector<ObjectChange> told;    // what the owners' clients shall hear of, once committed
  // Something outside of the transaction was used up (the part of a stream, an asynchronous
  // answer): the message cannot be answered a second time.
  bool unrepeatable = false;
  std::size_t pairs_passed = 0;  // of those that were prepared for the message
  // 2.x: the data that the latest operation of its kind put out, for later items to refer to.
  std::map<kmip::Operation, WipingBytes> data;
};

class PreparedWork;
struct Stretching;

// Through what a request changes the store.
struct Changes {
  store::Transaction* transaction = nullptr;  // null on a read-only thread
  // It only writes down what is to be changed, off the writer thread: whatever else a change needs
  // (the HSM's own keys, say) must not be done.
  bool drafted = false;
  const PreparedWork* prepared = nullptr;  // what was done for this request already
  // Where what takes its time is left; null: a draft does not do it. Without a transaction the
  // operation ends with it: it was only rehearsed.
  PreparedWork* preparing = nullptr;
};

using ObjectPointer = std::shared_ptr<const StoredObject>;

// An OperationContext is all that one operation may use. It belongs to one batch item on one
// thread.
//
// Deny by default: an operation reaches an object only through Open, or declares with Authorise
// that it touches none; the batch refuses to answer an operation that did neither. Changes go
// through Insert, Update and Destroy. On a read-only thread those fail with a mark, and the whole
// message starts again on the writer thread, so operations need not care where they run.
class OperationContext {
 public:
  OperationContext(EngineParts& parts, const Caller& caller, TicketUse& use,
                   kmip::ProtocolVersion version, kmip::Operation operation, BatchMemory& memory,
                   const Changes& changes);
  // Gives back what the operation took of rates, where it must be begun anew.
  ~OperationContext();
  OperationContext(const OperationContext&) = delete;
  OperationContext& operator=(const OperationContext&) = delete;

  kmip::ProtocolVersion version() const { return version_; }
  kmip::Operation operation() const { return operation_; }
  const policy::Principal& principal() const { return caller_.principal; }
  const Caller& caller() const { return caller_; }
  std::int64_t now() const { return now_; }
  const crypto::AlgorithmPolicy& algorithms() const { return parts_.algorithms; }
  Pkcs11Applications& applications() { return parts_.applications; }
  const ServerFacts& facts() const { return parts_.facts; }
  const CertificateIssuer* issuer() const { return parts_.issuer; }
  Streams& streams() {
    memory_.unrepeatable = true;
    return parts_.streams;
  }
  // Where the keys come from that this server makes.
  const crypto::RandomSource& random() const { return parts_.random; }
  const ObjectPolicy& objects() const { return parts_.objects; }
  GroupTurns& turns() { return parts_.turns; }
  Sessions& sessions() { return parts_.sessions; }
  const Sessions& sessions() const { return parts_.sessions; }
  // A key pair as wanted: the one that was generated for this request, or a new one. kConflict,
  // with the mark, for a draft that must not take the time.
  Result<crypto::PrivateKey> GeneratePair(const crypto::KeySpecification& wanted);
  // The key that PBKDF2 makes of a password, likewise.
  Result<SecretBytes> Stretch(const Stretching& from);
  // Keys that stay in the HSM.
  ResidentCare& residents() { return parts_.residents; }
  const ResidentCare& residents() const { return parts_.residents; }
  // Sees this batch's own writes.
  const store::ObjectReader& reader() const;

  // For operations on no object: Create, Query, …  kDenied.
  Result<void> Authorise();
  // Whether the principal may do `operation` with an object of this owner, without an audit entry
  // of its own: Locate.
  bool MaySee(const StoredObject& stored) const;
  // False: what MaySee allows is the principal's own, so that nobody need look further.
  bool MaySeeOthers() const;
  // Whether the policy, where one is in force, lets the principal do `operation`, too, as far as
  // that touches no stored object: for what an operation does besides.
  bool May(kmip::Operation operation) const;

  // Before the first change of an act that may need the approval of others (docs/dual-control.md):
  // Permission Denied where it does and has none, and a request is left for it; what there is, is
  // used up with the act. `how`: what else it is good for, as a line for people.
  Result<void> RequireApproval(policy::Act act, const StoredObject& stored,
                               const std::string& how = {});
  // What a refusal leaves to be registered, when all else is undone; null: nothing.
  const ApprovalRequest* left_request() const { return left_request_.get(); }

  // The text of an identifier; kRejected Object Not Found when the placeholder is empty.
  Result<std::string> Resolve(const kmip::Identifier& identifier) const;
  // Loads the object, checks its record and asks the policy. Object Not Found, Permission Denied,
  // Object Archived (except for Recover), kDamaged. The context keeps it alive until the answer is
  // written.
  Result<ObjectPointer> Open(const kmip::Identifier& identifier,
                             Vault::Material material = Vault::Material::kLeaveSealed);
  // The same for a second object of the operation (a wrapping key), as if `operation` were asked on
  // it.
  Result<ObjectPointer> OpenFor(kmip::Operation operation, const std::string& id,
                                Vault::Material material);
  // Without a decision: for candidates of Locate, which MaySee then judges. Not audited. Without
  // `keep` it does not enter the cache: a long search must not push out the keys that are in use.
  Result<ObjectPointer> Peek(const std::string& id, bool keep);

  // The Template of this name (1.x) that belongs to the principal, opened. Item Not Found.
  Result<StoredObject> FindTemplate(const std::string& name) const;

  // Fails, with the mark, unless this is the writer thread.
  Result<void> RequireWriter();
  Result<void> Insert(const kmip::ManagedObject& object);
  // Sets Last Change Date itself. kConflict is retried by the caller of the batch.
  Result<void> Update(const StoredObject& stored, kmip::AttributeSet attributes);
  Result<void> Destroy(const StoredObject& stored, kmip::AttributeSet attributes);
  // Before the key encrypts under an IV that was drawn at random here. Usage Limit Exceeded when it
  // did so too often to do it safely once more.
  Result<void> CountRandomIv(const StoredObject& key);
  // Forgets the object altogether, its identifier included: only where another takes its place.
  Result<void> Remove(const StoredObject& stored);

  // One key opened to open another: counts how deep, for as long as it lives.
  class Layer {
   public:
    explicit Layer(OperationContext& context) : context_(context) { ++context_.layers_; }
    ~Layer() { --context_.layers_; }
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;
    int depth() const { return context_.layers_; }

   private:
    OperationContext& context_;
  };
  // What the principal keeps of its own beside objects, by kind; under the keyed check. Nothing
  // when there is none; an empty value forgets it.
  Result<std::optional<Bytes>> LoadRules(const std::string& kind) const;
  Result<void> SaveRules(const std::string& kind, ByteView value);

  // Removes every object of the principal, as if it had never been: Interop's Reset.
  Result<void> RemoveAllOfPrincipal();

  // For the ID Placeholder and 2.x references: `id` was made (or found) by this operation.
  void SetPlaceholder(const std::string& id);
  void ClearPlaceholder();
  // Every operation that answers a Unique Identifier says so.
  void Answered(const std::string& id);

  // Says more in the audit log than that it was done: Log.
  void Note(std::string detail) { note_ = std::move(detail); }

  // What the audit log shall know.
  const std::string& note() const { return note_; }
  const std::string& object_id() const { return object_id_; }
  const std::string& rule() const { return rule_; }
  bool denied() const { return denied_; }
  bool decided() const { return decided_; }
  // True when a change was asked for on a read-only thread.
  bool needs_writer() const { return needs_writer_; }

 private:
  Result<bool> IsStillCurrent(const StoredObject& stored);
  Result<ObjectPointer> Load(const std::string& id, Vault::Material material, bool keep = true);
  void TellOfChange(const StoredObject& stored, const kmip::AttributeSet& attributes);
  void TellOfObject(const kmip::ManagedObject& object);
  // By the policy, which there is.
  bool OwnerMayGet(const kmip::ManagedObject& object) const;
  Result<store::Transaction*> Writable();
  // Before and after work that takes its time: fails, with the mark, where it is not to be done, or
  // where nothing comes after it.
  Result<void> MayTakeTime();
  Result<void> GoOnFromHere();
  Result<void> Decide(kmip::Operation operation, const StoredObject* stored);
  Result<void> AnnounceRemoval(const StoredObject& stored);

  policy::Decision Judge(kmip::Operation operation, const StoredObject* stored,
                         std::size_t first_right) const;
  bool TakeRight(int right);
  // Counts this operation on a grant that is limited in number or rate; false: it is used up, and
  // counts_ says so. kConflict, with the mark, where that is a change, or more than a draft may.
  Result<bool> TakeGrant(int grant);
  Error Refusal(const policy::Decision& decision, bool used_up);

  EngineParts& parts_;
  const Caller& caller_;
  TicketUse& use_;
  const kmip::ProtocolVersion version_;
  const kmip::Operation operation_;
  BatchMemory& memory_;
  store::Transaction* const transaction_;  // null on a read-only thread
  const Changes changes_;
  const std::int64_t now_;
  std::vector<ObjectPointer> kept_;
  std::string object_id_;
  std::string rule_;
  std::string note_;
  std::vector<int> rights_taken_;                       // of the ticket, by this operation
  const std::shared_ptr<const policy::Policy> policy_;  // null: none is in force
  policy::GrantCounts counts_;                          // as far as it was looked at
  std::vector<int> grants_taken_;                       // of the policy, by this operation
  std::shared_ptr<const ApprovalRequest> left_request_;
  bool denied_ = false;
  bool decided_ = false;
  bool needs_writer_ = false;
  int layers_ = 0;
};

}  // namespace dare::engine
