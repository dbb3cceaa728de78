#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "engine/caller.h"
#include "engine/credential_source.h"
#include "engine/ticket_book.h"
#include "kmip/credential.h"

namespace dare::engine {

// What became of a message's credentials: judged once, however often the message is begun.
struct Admission {
  Caller caller;  // who asks, for the length of this message
  TicketUse use;
  Bytes server_hashed_password;
  std::optional<Error> refusal;  // in place of all that
};

// Which credentials a server believes. The certificate of the connection is always who asks; what a
// message shows must agree with it, or come through a gateway.
struct CredentialOptions {
  // Names of certificates on whose connections a credential decides who asks.
  std::vector<std::string> gateways;
  // INSECURE, for conformance runs: every connection is a gateway's, and a login that nobody added
  // is believed; the password it comes with first is its password until the server ends.
  bool accept_any_user_insecure = false;
  std::int64_t longest_ticket_seconds = 3600;
};

// Judges the Authentication of a request header (kmip-2.1 9.4). All its credentials must hold, and
// mean one principal. A wrong password and an unknown user get one answer, after one effort; who
// fails often waits longer and longer. What a password opened is remembered for a minute, so that
// scrypt is not paid for each message. Never gives the administrator role: passwords reach less far
// than certificates. Thread-safe.
class Authenticator {
 public:
  // `source` may be null: then no password is believed. Both outlive it.
  Authenticator(const Clock& clock, TicketBook& tickets, CredentialSource* source,
                CredentialOptions options);

  enum class Effort : std::uint8_t {
    kQuick,  // kTimeout where a slow hash is needed
    kWhatever,
  };
  // kRejected: Authentication Not Successful, Invalid Ticket, Usage Limit Exceeded, Attestation
  // Failed; kMalformed.
  Result<Admission> Judge(const Caller& connection, const ttlv::Item& authentication,
                          kmip::ProtocolVersion version, Effort effort) EXCLUDES(mutex_);
  // The same, whatever it costs, with a refusal in its place.
  Admission Admit(const Caller& connection, const ttlv::Item& authentication,
                  kmip::ProtocolVersion version) EXCLUDES(mutex_);
  // True when Judge would need a slow hash: for whoever must choose a thread.
  bool NeedsTime(const ttlv::Item& authentication, kmip::ProtocolVersion version) EXCLUDES(mutex_);

 private:
  // A record that was opened, and what opened it.
  struct Opened {
    std::string principal;
    std::vector<std::string> groups;
    SecretBytes s1, s2, one_time_secret;
    std::uint64_t generation = 0;
    std::chrono::steady_clock::time_point good_until;
    std::int64_t last_time_stamp = 0;  // of a Hashed Password, strictly increasing
    std::int64_t last_step = 0;        // of a one-time password
  };
  struct Failures {
    int count = 0;
    std::chrono::steady_clock::time_point blocked_until;
    std::chrono::steady_clock::time_point forgotten_at;
  };
  // One login and its proof, whatever kind of credential it came in.
  struct Claim {
    std::string login;
    crypto::PasswordHashes hashes;  // s1 is empty for a Hashed Password
    const kmip::HashedPasswordCredential* hashed = nullptr;
    const kmip::OneTimePasswordCredential* one_time = nullptr;
  };

  Result<Claim> ClaimOf(const kmip::Credential& credential) const;
  Result<policy::Principal> JudgeClaim(const Caller& connection, const Claim& claim, Effort effort,
                                       Bytes& server_proof);
  Result<void> OpenRecord(const Claim& claim) EXCLUDES(mutex_);
  Result<policy::Principal> CheckProof(const Claim& claim, Bytes& server_proof) EXCLUDES(mutex_);
  Result<void> CheckHashed(const Claim& claim, Opened& opened, Bytes& server_proof) const;
  Result<void> CheckOneTime(const Claim& claim, Opened& opened) const;
  bool IsOpen(const Claim& claim) EXCLUDES(mutex_);
  Result<policy::Principal> Reconcile(const Caller& connection, policy::Principal shown) const;
  Result<void> JudgeTicket(const kmip::Ticket& ticket, Admission& admission,
                           const Caller& connection);

  bool Blocked(const std::string& key) EXCLUDES(mutex_);
  void NoteFailure(const std::string& key) EXCLUDES(mutex_);
  void NoteSuccess(const std::string& key) EXCLUDES(mutex_);

  const Clock& clock_;
  TicketBook& tickets_;
  CredentialSource* const source_;
  const CredentialOptions options_;
  const std::int64_t began_;  // microseconds; older time stamps may be replays
  Mutex mutex_;
  std::map<std::string, Opened> opened_ GUARDED_BY(mutex_);
  std::map<std::string, Failures> failures_ GUARDED_BY(mutex_);
};

}  // namespace dare::engine
