#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "alarm_lockout.h"
#include "approval_administration.h"
#include "audit/audit_log.h"
#include "audit/budget.h"
#include "audit/checkpointer.h"
#include "audit/forwarder.h"
#include "audit_log_administration.h"
#include "base/clock.h"
#include "base/rounds.h"
#include "certificate_issuer.h"
#include "credential_source.h"
#include "engine/kms.h"
#include "hsm/resident_keys.h"
#include "hsm/signing_key.h"
#include "key_administration.h"
#include "key_station.h"
#include "kmip_handler.h"
#include "lockout_administration.h"
#include "people.h"
#include "policy_administration.h"
#include "records.h"
#include "registry/approvals.h"
#include "registry/lockouts.h"
#include "registry/policy_book.h"
#include "server/admin.h"
#include "server/authority_lists.h"
#include "server/config.h"
#include "server/crl_publisher.h"
#include "server/est.h"
#include "server/kmip_over_https.h"
#include "server/people.h"
#include "server/server.h"
#include "server/tls.h"
#include "server/witness_routes.h"
#include "witness_desk.h"

namespace dare::kms {

// A Service is a running KMS: token, store, audit log, engine, and the two listeners above them, in
// the order in which they stand on each other. Made from a configuration, ended by Stop() or its
// destructor.
class Service {
 public:
  static Result<std::unique_ptr<Service>> Start(const server::Config& config,
                                                std::string system_call_filter);
  ~Service();

  const server::Server& kmip() const { return *kmip_server_; }
  const server::Server* https() const { return https_server_.get(); }  // null: disabled
  // Finishes what is in flight, within limits.shutdown_seconds.
  void Stop();

 private:
  explicit Service(const server::Config& config) : config_(config) {}
  Result<void> OpenAuthorities();
  Result<void> OpenLockouts();
  Result<void> OpenAudit();
  Result<void> OpenRecords();
  Result<void> OpenPolicy();
  Result<void> StartListeners();
  void WatchLockouts();
  void WatchAuthorityLists();
  void AuditRefusal(const server::RefusalEvent& event);
  Result<void> AuditEnrolment(const server::EnrolmentEvent& event);
  Result<void> AuditAdministration(const server::AdminEvent& event);

  const server::Config config_;
  std::string system_call_filter_;  // "on", "log", "off"; for health
  // Some 35 MB a day at most; a person who tries a wrong certificate is always seen.
  audit::Budget strangers_{1000, 1, SystemClock::Get()};
  KeyStation keys_;
  std::shared_ptr<hsm::SigningKey> ca_key_;
  std::optional<server::CertificateAuthority> authority_;
  std::unique_ptr<HsmCertificateIssuer> issuer_;  // null: no Certify
  std::unique_ptr<audit::AuditLog> audit_;
  std::unique_ptr<audit::Checkpointer> checkpoints_;
  std::vector<std::unique_ptr<audit::Forwarder>> forwarders_;
  std::optional<Records> records_;
  std::unique_ptr<registry::Lockouts> lockouts_;
  std::unique_ptr<AlarmLockout> alarm_lockout_;              // null: alarms are told only
  std::unique_ptr<server::AuthorityLists> authority_lists_;  // null: none are read
  std::unique_ptr<Door> door_;
  std::unique_ptr<StoredCredentials> credentials_;
  std::unique_ptr<hsm::ResidentKeys> resident_keys_;  // null: there are none here
  std::unique_ptr<registry::Approvals> approvals_;
  std::unique_ptr<engine::Kms> kms_;
  std::unique_ptr<registry::PolicyBook> policy_book_;
  std::unique_ptr<KmipHandler> kmip_handler_, kmip_over_https_handler_;
  std::unique_ptr<server::CrlPublisher> crl_;  // null: no authority here
  std::unique_ptr<server::EstService> est_;
  std::unique_ptr<KeyAdministration> key_administration_;
  std::unique_ptr<LockoutAdministration> lockout_administration_;
  std::unique_ptr<PolicyAdministration> policy_administration_;
  std::unique_ptr<ApprovalAdministration> approval_administration_;
  std::unique_ptr<AuditLogAdministration> audit_administration_;
  std::unique_ptr<WitnessDesk> witness_desk_;
  std::unique_ptr<server::WitnessRoutes> witness_routes_;
  std::unique_ptr<server::AdminRoutes> admin_;
  std::unique_ptr<People> people_;  // null: only certificates administer
  std::unique_ptr<server::PeopleRoutes> people_routes_;
  std::unique_ptr<server::KmipOverHttps> kmip_over_https_;
  std::unique_ptr<server::HttpHandler> http_handler_;
  std::unique_ptr<server::Framing> kmip_framing_, http_framing_;
  std::unique_ptr<server::TlsContext> kmip_tls_, https_tls_;
  std::unique_ptr<server::Server> kmip_server_, https_server_;
  std::unique_ptr<Rounds> lockout_rounds_, list_rounds_;  // last: they use the others
};

}  // namespace dare::kms
