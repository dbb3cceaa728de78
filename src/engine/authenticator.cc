#include "engine/authenticator.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "kmip/reject.h"

namespace dare::engine {
namespace {

using crypto::PasswordHashes;
using kmip::Reject;
using kmip::ResultReason;

constexpr std::chrono::seconds kRemember{60};
constexpr std::size_t kMostOpened = 1024;
constexpr std::size_t kMostFailures = 10'000;
constexpr int kFreeFailures = 5;
constexpr std::chrono::seconds kLongestBlock{300};
constexpr std::chrono::minutes kFailureMemory{15};
constexpr std::int64_t kMostSkew = 300'000'000;  // microseconds, of a Hashed Password's Timestamp
constexpr std::int64_t kMicrosecond = 1'000'000;

// One text, whatever part failed.
Error NotSuccessful() {
  return Reject(ResultReason::kAuthenticationNotSuccessful, "authentication was not successful");
}

Result<PasswordHashes> HashesOf(std::string_view login,
                                const std::optional<std::string_view>& password) {
  if (!password) return NotSuccessful();  // a name alone proves nothing
  return crypto::HashPassword(login, AsBytes(*password));
}

}  // namespace

Authenticator::Authenticator(const Clock& clock, TicketBook& tickets, CredentialSource* source,
                             CredentialOptions options)
    : clock_(clock),
      tickets_(tickets),
      source_(source),
      options_(std::move(options)),
      began_(clock.Now() * kMicrosecond) {}

Result<Authenticator::Claim> Authenticator::ClaimOf(const kmip::Credential& credential) const {
  Claim claim;
  if (const auto* password = std::get_if<kmip::PasswordCredential>(&credential)) {
    claim.login = password->username;
    claim.hashes = TRY(HashesOf(claim.login, password->password));
  } else if (const auto* device = std::get_if<kmip::DeviceCredential>(&credential)) {
    claim.login = device->Name();
    claim.hashes = TRY(HashesOf(claim.login, device->password));
  } else if (const auto* once = std::get_if<kmip::OneTimePasswordCredential>(&credential)) {
    claim.login = once->username;
    claim.hashes = TRY(HashesOf(claim.login, once->password));
    claim.one_time = once;
  } else if (const auto* hashed = std::get_if<kmip::HashedPasswordCredential>(&credential)) {
    //= kmip-2.1 9.11 Credential
    //# Hashed Password = Hash(S1 || Timestamp) || S2
    if (hashed->hash != kmip::HashingAlgorithm::kSHA_256 || hashed->hashed_password.size() != 64) {
      return NotSuccessful();
    }
    claim.login = hashed->username;
    claim.hashes.s2 = TRY(SecretBytes::CopyOf(hashed->hashed_password.last(32)));
    claim.hashed = hashed;
  } else {
    return Error(Code::kInternal, "a credential without a login");
  }
  if (claim.login.empty()) return NotSuccessful();
  return claim;
}

bool Authenticator::Blocked(const std::string& key) {
  const MutexLock lock(mutex_);
  const auto found = failures_.find(key);
  return found != failures_.end() && found->second.blocked_until > clock_.Steady();
}

// The first failures are free, then each doubles the wait, up to five minutes.
void Authenticator::NoteFailure(const std::string& key) {
  const auto now = clock_.Steady();
  const MutexLock lock(mutex_);
  if (failures_.size() >= kMostFailures) {
    std::erase_if(failures_, [&](const auto& entry) { return entry.second.forgotten_at <= now; });
  }
  if (failures_.size() >= kMostFailures) failures_.erase(failures_.begin());
  Failures& failures = failures_[key];
  if (failures.forgotten_at <= now) failures.count = 0;
  ++failures.count;
  failures.forgotten_at = now + kFailureMemory;
  if (failures.count < kFreeFailures) return;
  const int doublings = std::min(failures.count - kFreeFailures, 9);
  failures.blocked_until = now + std::min(std::chrono::seconds(1 << doublings), kLongestBlock);
}

void Authenticator::NoteSuccess(const std::string& key) {
  const MutexLock lock(mutex_);
  failures_.erase(key);
}

bool Authenticator::IsOpen(const Claim& claim) {
  const std::uint64_t generation = source_ != nullptr ? source_->Generation() : 0;
  const MutexLock lock(mutex_);
  const auto found = opened_.find(claim.login);
  return found != opened_.end() && found->second.good_until > clock_.Steady() &&
         found->second.generation == generation && found->second.s2 == claim.hashes.s2;
}

// Pays for the slow hash, and remembers what it opened.
Result<void> Authenticator::OpenRecord(const Claim& claim) {
  Opened opened;
  std::optional<CredentialRecord> record;
  if (source_ != nullptr) {
    opened.generation = source_->Generation();
    record = TRY(source_->Find(claim.login));
  }
  const bool any_user = options_.accept_any_user_insecure && !record;
  if (any_user) {
    const MutexLock lock(mutex_);
    if (opened_.contains(claim.login) || claim.hashes.s1.empty()) return NotSuccessful();
    opened.principal = claim.login;
    opened.s1 = TRY(claim.hashes.s1.Clone());
  } else {
    const crypto::PasswordVerifier& verifier =
        record ? record->verifier : crypto::NobodysVerifier();
    auto found = crypto::OpenPasswordVerifier(verifier, claim.hashes.s2.Reveal());
    if (!found && found.error().code != Code::kUnauthenticated) return found.error();
    if (!found || !record) return NotSuccessful();
    opened.principal = record->principal;
    opened.groups = record->groups;
    opened.s1 = std::move(found->s1);
    opened.one_time_secret = std::move(found->one_time_secret);
  }
  opened.s2 = TRY(claim.hashes.s2.Clone());
  const auto now = clock_.Steady();
  opened.good_until = any_user ? std::chrono::steady_clock::time_point::max() : now + kRemember;
  const MutexLock lock(mutex_);
  if (opened_.size() >= kMostOpened) {
    std::erase_if(opened_, [&](const auto& entry) { return entry.second.good_until <= now; });
  }
  if (opened_.size() >= kMostOpened) return Error(Code::kExhausted, "too many users at once");
  // What was used once stays used.
  if (const auto before = opened_.find(claim.login); before != opened_.end()) {
    opened.last_time_stamp = before->second.last_time_stamp;
    opened.last_step = before->second.last_step;
  }
  opened_.insert_or_assign(claim.login, std::move(opened));
  return {};
}

Result<void> Authenticator::CheckHashed(const Claim& claim, Opened& opened,
                                        Bytes& server_proof) const {
  const std::int64_t time = claim.hashed->time_stamp;
  const std::int64_t now = clock_.Now() * kMicrosecond;
  //= kmip-2.1 9.11 Credential
  //# The timestamp is the current timestamp used to produce the hash and SHALL monotonically
  //# increase
  // What was sent before this process began could be sent again, so it is too old.
  const bool fresh = time > opened.last_time_stamp && time >= began_ && time <= now + kMostSkew &&
                     time >= now - kMostSkew;
  const Bytes expected = crypto::PasswordProof(opened.s1.Reveal(), time);
  const bool right =
      EqualInConstantTime(expected, claim.hashed->hashed_password.first(expected.size()));
  if (!right || !fresh) return NotSuccessful();
  opened.last_time_stamp = time;
  server_proof = crypto::ServerPasswordProof(opened.s1.Reveal(), claim.hashes.s2.Reveal(), time);
  return {};
}

Result<void> Authenticator::CheckOneTime(const Claim& claim, Opened& opened) const {
  if (opened.one_time_secret.empty()) return NotSuccessful();
  const std::int64_t step = clock_.Now() / crypto::kTotpStepSeconds;
  const std::int64_t began = began_ / kMicrosecond / crypto::kTotpStepSeconds;
  std::int64_t matched = 0;
  for (std::int64_t candidate = step - 1; candidate <= step + 1; ++candidate) {
    const std::string code = crypto::TotpCode(opened.one_time_secret.Reveal(), candidate);
    const bool right =
        EqualInConstantTime(AsBytes(code), AsBytes(claim.one_time->one_time_password));
    // A code of before the start may have been used before the start.
    if (right && candidate > opened.last_step && candidate >= began) matched = candidate;
  }
  if (matched == 0) return NotSuccessful();
  opened.last_step = matched;
  return {};
}

Result<policy::Principal> Authenticator::CheckProof(const Claim& claim, Bytes& server_proof) {
  const MutexLock lock(mutex_);
  const auto found = opened_.find(claim.login);
  if (found == opened_.end() || !(found->second.s2 == claim.hashes.s2)) return NotSuccessful();
  Opened& opened = found->second;
  if (claim.hashed != nullptr) {
    TRY(CheckHashed(claim, opened, server_proof));
  } else if (!(opened.s1 == claim.hashes.s1)) {
    return NotSuccessful();
  }
  if (claim.one_time != nullptr) TRY(CheckOneTime(claim, opened));
  return policy::Principal{.name = opened.principal, .groups = opened.groups};
}

Result<policy::Principal> Authenticator::JudgeClaim(const Caller& connection, const Claim& claim,
                                                    Effort effort, Bytes& server_proof) {
  // By certificate too, so that nobody can lock a user out on the connections of others.
  const std::string by_login = "login " + claim.login + "\n" + connection.principal.name;
  const std::string by_address = "address " + connection.address;
  if (Blocked(by_login) || Blocked(by_address)) return NotSuccessful();
  if (!IsOpen(claim)) {
    if (effort == Effort::kQuick) return Error(Code::kTimeout, "a slow hash is needed");
    if (Result<void> opened = OpenRecord(claim); !opened) {
      if (opened.error().code == Code::kRejected) {
        NoteFailure(by_login);
        NoteFailure(by_address);
      }
      return opened.error();
    }
  }
  Result<policy::Principal> principal = CheckProof(claim, server_proof);
  if (!principal) {
    NoteFailure(by_login);
    NoteFailure(by_address);
    return principal;
  }
  NoteSuccess(by_login);
  return principal;
}

Result<policy::Principal> Authenticator::Reconcile(const Caller& connection,
                                                   policy::Principal shown) const {
  if (connection.principal.name.empty()) return NotSuccessful();
  if (shown.name == connection.principal.name) return connection.principal;
  const bool gateway =
      options_.accept_any_user_insecure ||
      std::ranges::find(options_.gateways, connection.principal.name) != options_.gateways.end();
  shown.administrator = false;
  if (gateway) return shown;
  return NotSuccessful();
}

Result<void> Authenticator::JudgeTicket(const kmip::Ticket& ticket, Admission& admission,
                                        const Caller& connection) {
  TicketUse use = TRY(tickets_.Use(ticket));
  const TicketGrant& grant = use.ticket()->grant();
  policy::Principal principal = grant.principal;
  if (!grant.delegated) {
    // Only where the principal may be without a ticket, too: a stolen ticket is worth nothing.
    Result<policy::Principal> admitted = Reconcile(connection, grant.principal);
    if (!admitted) return Reject(ResultReason::kInvalidTicket, "the ticket is not valid");
    principal = std::move(*admitted);
  }
  admission.caller.principal = std::move(principal);
  admission.caller.ticket = use.ticket();
  admission.use = std::move(use);
  return {};
}

Result<Admission> Authenticator::Judge(const Caller& connection, const ttlv::Item& authentication,
                                       kmip::ProtocolVersion version, Effort effort) {
  const std::vector<kmip::Credential> credentials =
      TRY(kmip::ReadAuthentication(authentication, version));
  if (connection.principal.name.empty()) return NotSuccessful();
  Admission admission;
  admission.caller = connection;
  std::string agreed;
  // A ticket comes last: its use is counted.
  const kmip::TicketCredential* ticket = nullptr;
  for (const kmip::Credential& credential : credentials) {
    if (const auto* shown = std::get_if<kmip::TicketCredential>(&credential)) {
      if (std::exchange(ticket, shown) != nullptr) return NotSuccessful();
      continue;
    }
    if (std::holds_alternative<kmip::AttestationCredential>(credential)) {
      return Reject(ResultReason::kAttestationFailed, "this server verifies no attestation");
    }
    const Claim claim = TRY(ClaimOf(credential));
    policy::Principal shown =
        TRY(JudgeClaim(connection, claim, effort, admission.server_hashed_password));
    //= kmip-2.1 9.4 Authentication
    //# If multiple Credential structures are provided then they must ALL be satisfied.
    if (!agreed.empty() && agreed != shown.name) return NotSuccessful();
    agreed = shown.name;
    admission.caller.principal = TRY(Reconcile(connection, std::move(shown)));
  }
  if (ticket == nullptr) return admission;
  TRY(JudgeTicket(ticket->ticket, admission, connection));
  if (!agreed.empty() && agreed != admission.caller.principal.name) return NotSuccessful();
  return admission;
}

Admission Authenticator::Admit(const Caller& connection, const ttlv::Item& authentication,
                               kmip::ProtocolVersion version) {
  Result<Admission> admission = Judge(connection, authentication, version, Effort::kWhatever);
  if (admission) return std::move(*admission);
  Admission refused;
  refused.refusal = std::move(admission.error());
  return refused;
}

bool Authenticator::NeedsTime(const ttlv::Item& authentication, kmip::ProtocolVersion version) {
  const auto credentials = kmip::ReadAuthentication(authentication, version);
  if (!credentials) return false;
  return std::ranges::any_of(*credentials, [&](const kmip::Credential& credential) {
    if (std::holds_alternative<kmip::TicketCredential>(credential) ||
        std::holds_alternative<kmip::AttestationCredential>(credential)) {
      return false;
    }
    const Result<Claim> claim = ClaimOf(credential);
    return claim && !IsOpen(*claim);
  });
}

}  // namespace dare::engine
