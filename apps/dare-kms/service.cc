#include "service.h"

#include <algorithm>
#include <utility>

#include "audit/pruner.h"
#include "audit_checkpoints.h"
#include "base/file.h"
#include "base/log.h"
#include "custody/patience.h"
#include "health.h"
#include "hsm/resident_key.h"
#include "hsm/session_pool.h"
#include "open_store.h"
#include "server/principal_rules.h"

namespace dare::kms {
namespace {

server::TlsOptions TlsFor(const server::TlsConfig& config, bool kmip,
                          std::shared_ptr<const server::PrincipalRules> principals,
                          const server::AuthorityLists* lists) {
  server::TlsOptions options;
  options.certificate_file = config.certificate_file;
  options.key_file = config.key_file;
  options.client_ca_file = config.client_ca_file;
  options.require_client_certificate = kmip;
  options.allow_tls12 = config.minimum_version == "1.2";
  options.rsa_cbc_suites = kmip && config.rsa_cbc_suites;
  options.session_context = kmip ? "dare-kmip" : "dare-https";
  options.principals = std::move(principals);
  if (lists != nullptr) options.authorities = &lists->authorities();
  return options;
}

engine::ObjectPolicy ObjectPolicyOf(const server::Config& config) {
  using Algorithm = kmip::CryptographicAlgorithm;
  using Use = kmip::CryptographicUsageMask;
  engine::ObjectPolicy policy;
  policy.application_namespaces = config.application_namespaces;
  for (const server::GroupConfig& group : config.groups) {
    engine::GroupPolicy rules;
    rules.length = group.bits;
    if (group.algorithm == "ChaCha20") rules.algorithm = Algorithm::kChaCha20;
    if (group.algorithm == "HMAC_SHA256") {
      rules.algorithm = Algorithm::kHMAC_SHA256;
      rules.usage = Use::kMACGenerate | Use::kMACVerify;
    }
    policy.groups.emplace(group.name, rules);
  }
  return policy;
}

// How much of a second's bound an address may use at once: a rack of machines comes back together.
constexpr std::uint64_t kBurstSeconds = 10;

server::Limits LimitsFrom(const server::LimitsConfig& config) {
  using std::chrono::seconds;
  server::Limits limits;
  limits.visitors.connections = config.connections;
  limits.visitors.connections_per_address = config.connections_per_address;
  limits.visitors.handshakes_per_address = {config.handshakes_per_address,
                                            kBurstSeconds * config.handshakes_per_address};
  limits.visitors.bad_per_address = {config.bad_per_address,
                                     kBurstSeconds * config.bad_per_address};
  limits.half_open = config.half_open;
  limits.handshake = seconds(config.handshake_seconds);
  limits.message = seconds(config.message_seconds);
  limits.idle = seconds(config.idle_seconds);
  limits.write = seconds(config.write_seconds);
  limits.shutdown = seconds(config.shutdown_seconds);
  limits.buffered_answer_bytes = config.buffered_answer_bytes;
  return limits;
}

server::AccountLimits AccountLimitsFrom(const server::LimitsConfig& config) {
  constexpr std::uint64_t kKilobyte = 1000, kMostBad = 10;
  server::AccountLimits limits;
  limits.requests = {config.requests_per_client, config.requests_per_client};
  limits.bytes = {kKilobyte * config.kilobytes_per_client, kKilobyte * config.kilobytes_per_client};
  limits.bad = {kMostBad, kBurstSeconds * kMostBad};
  return limits;
}

// How soon a policy that was applied at another node holds here.
constexpr std::chrono::milliseconds kPolicyInterval{250};

std::string_view RefusalName(const server::RefusalEvent& event) {
  switch (event.refusal) {
    case server::Refusal::kHandshake:
      return server::HandshakeFailureName(event.handshake);
    case server::Refusal::kTooMany:
      return "too many connections";
    case server::Refusal::kBanned:
      return "address turned away";
    case server::Refusal::kSlowed:
      return "slowed down";
    case server::Refusal::kTimeout:
      return "time-out";
    case server::Refusal::kMalformed:
      return "malformed message";
    case server::Refusal::kRevoked:
      return "certificate revoked while connected";
    case server::Refusal::kLockedOut:
      return "locked out";
    case server::Refusal::kNotKnown:
      return "what is revoked is not known";
    case server::Refusal::kExpired:
      return "certificate expired while connected";
    case server::Refusal::kNotRecorded:
      return "answer withheld: the audit log refused";
  }
  return "refused";
}

std::string LeftOut(const audit::Budget::Ruling& ruling) {
  if (ruling.left_out == 0) return {};
  return "; " + std::to_string(ruling.left_out) +
         " refusals of strangers before it were not recorded";
}

// What says something about a certificate or an enrolled peer is audited. What any stranger can
// cause at will is only logged or has a budget, or the audit log would fill at his pleasure.
bool IsAudited(const server::RefusalEvent& event) {
  switch (event.refusal) {
    case server::Refusal::kHandshake:
      return event.handshake != server::HandshakeFailure::kProtocol &&
             event.handshake != server::HandshakeFailure::kNotKnown;
    case server::Refusal::kRevoked:
    case server::Refusal::kLockedOut:
    case server::Refusal::kExpired:
    case server::Refusal::kBanned:
    case server::Refusal::kSlowed:
      return true;
    case server::Refusal::kMalformed:
      return event.peer.authenticated();
    case server::Refusal::kTooMany:
    case server::Refusal::kTimeout:
    case server::Refusal::kNotKnown:
    case server::Refusal::kNotRecorded:
      return false;
  }
  return false;
}

}  // namespace

Service::~Service() {
  // The listeners go first: nobody may call a handler that is gone.
  https_server_.reset();
  kmip_server_.reset();
}

// The keys of the CA and of Certify live in the first token. The store may open without it, by
// another HSM or after a restore into a new one, and keys are more urgent than certificates.
Result<void> Service::OpenAuthorities() {
  const auto open = [&]() -> Result<void> {
    const std::string& token = config_.hsm.name;
    const auto pool = TRY(custody::Within<std::shared_ptr<hsm::SessionPool>>(
        keys_.custody->opener().patience(),
        [tokens = keys_.tokens, token] { return tokens->Pool(token); }));
    if (!config_.certify.certificate_file.empty()) {
      issuer_ = TRY(HsmCertificateIssuer::Open(config_, pool));
    }
    if (config_.ca.certificate_file.empty()) return {};
    ca_key_ = TRY(hsm::SigningKey::Find(pool, config_.ca.key_label));
    const Bytes pem = TRY(ReadFile(config_.ca.certificate_file));
    server::Certificate root = TRY(server::ParseCertificatePem(pem));
    authority_ = TRY(server::CertificateAuthority::Open(
        std::move(root), [key = ca_key_](ByteView digest) { return key->Sign(digest); }));
    authority_->SetListUrl(config_.ca.crl_url);
    return {};
  };
  const Result<void> opened = open();
  if (opened) return {};
  const Code code = opened.error().code;
  const bool away = code == Code::kUnavailable || code == Code::kTimeout || code == Code::kNotFound;
  if (!away) return opened.error();
  log::Failure("no certificates are issued until a restart: " + opened.error().message);
  issuer_.reset();
  authority_.reset();
  return {};
}

// What is half a second old at most is what a message is judged by, so that a second after a
// lockout nobody serves whom it was about (registry::Lockouts::kBound).
Result<void> Service::OpenLockouts() {
  constexpr std::chrono::milliseconds kOldest{500};
  registry::LockoutOptions options;
  if (IsShared(config_)) {
    options.fresh = std::min(
        kOldest, std::chrono::milliseconds(config_.cache.strict ? 0 : config_.cache.fresh_ms));
  }
  options.domain_of = [this](const std::string& principal) {
    const auto policy = kms_ ? kms_->access().current() : nullptr;
    return policy && !policy->closed() ? policy->DomainOf(principal).name : std::string();
  };
  lockouts_ = TRY(registry::Lockouts::Open(*keys_.store, keys_.vault, options));
  return {};
}

Result<void> Service::OpenAudit() {
  const Clock& clock = SystemClock::Get();
  audit_ = TRY(audit::AuditLog::Open(AuditOptionsOf(config_), clock));
  TRY(audit::FinishPruning(config_.audit_folder));
  checkpoints_ = TRY(StartCheckpoints(config_, *audit_, clock, keys_));
  for (const std::string& place : config_.audit.syslog) {
    audit::ForwarderOptions forwarding;
    forwarding.folder = config_.audit_folder;
    forwarding.node = config_.node;
    forwarding.place = place;
    forwarders_.push_back(TRY(audit::Forwarder::Start(forwarding, *audit_)));
  }
  return {};
}

Result<void> Service::OpenRecords() {
  records_ = TRY(kms::OpenRecords(config_, keys_));
  records_->Watch();
  engine::KmsOptions options;
  options.node = config_.node;
  options.store_is_shared = IsShared(config_);
  options.limits.max_message_bytes = config_.limits.message_bytes;
  options.algorithms.allow_legacy = config_.allow_legacy_algorithms;
  if (config_.random_generator == "ansi-x9.31") {
    options.random_generator = crypto::RandomGenerator::kAnsiX931;
  }
  if (config_.kmip_3_0) options.facts.newest_version = kmip::kVersion3_0;
  options.facts.https = config_.https.enabled && config_.https_kmip;
  if (config_.https.port != 0) options.facts.https_port = config_.https.port;
  options.facts.pkcs11_manufacturer = config_.pkcs11.manufacturer;
  options.facts.pkcs11_description = config_.pkcs11.description;
  options.objects = ObjectPolicyOf(config_);
  options.issuer = issuer_.get();
  options.facts.most_clock_skew = config_.limits.clock_skew_seconds;
  options.facts.interop = config_.conformance.interop;
  credentials_ = std::make_unique<StoredCredentials>(records_->credentials());
  options.credentials = credentials_.get();
  options.doorkeeper = lockouts_.get();
  approvals_ = std::make_unique<registry::Approvals>(
      *keys_.store, keys_.vault,
      registry::Approvals::Options{[this] { return kms_->access().current(); },
                                   [this](const policy::Principal& who) {
                                     return lockouts_->IsLockedOut(who.name, who.groups);
                                   }},
      SystemClock::Get());
  options.approvals = approvals_.get();
  options.push.clients.insert(config_.push.clients.begin(), config_.push.clients.end());
  options.push.put.insert(config_.push.put.begin(), config_.push.put.end());
  options.credential_options.gateways = config_.credentials.gateways;
  options.credential_options.longest_ticket_seconds = config_.credentials.ticket_seconds;
  options.credential_options.accept_any_user_insecure = config_.conformance.accept_any_user;
  options.certificate_revoked = [this](const std::string& certificate, const std::string& name) {
    const Result<server::CertificateMark> mark = server::CertificateMark::Parse(certificate);
    return !mark || door_->StandingOf(mark->serial, name, &mark->chain) != server::Standing::kGood;
  };
  options.cached_objects = config_.cache.entries;
  options.cache_time = std::chrono::seconds(config_.cache.seconds);
  options.cache_fresh =
      std::chrono::milliseconds(config_.cache.strict ? 0 : config_.cache.fresh_ms);
  options.custody = keys_.custody.get();
  options.habits.watch = config_.alarm.action != "off";
  options.habits.window_seconds = config_.alarm.window_seconds;
  options.habits.keys = config_.alarm.keys;
  options.habits.factor = config_.alarm.factor;
  if (config_.alarm.action == "lockout") {
    alarm_lockout_ = std::make_unique<AlarmLockout>(*lockouts_, *audit_, SystemClock::Get());
    options.habits.act = [this](const std::string& who, const std::string& why) {
      alarm_lockout_->LockOut(who, why);
    };
  }
  options.resealing.per_second = config_.hsm.reseal_per_second;
  if (config_.rotation.automatic) {
    options.rotation.look_every = std::chrono::seconds(config_.rotation.look_seconds);
  }
  options.rotation.shortest_seconds = config_.rotation.shortest_seconds;
  auto seats = keys_.tokens->ResidentSeats();
  if (config_.hsm.resident_keys && !seats.empty()) {
    resident_keys_ =
        std::make_unique<hsm::TokenResidentKeys>(std::move(seats), config_.hsm.most_resident_keys);
  }
  options.resident_keys = resident_keys_.get();
  options.make_resident_keys = resident_keys_ != nullptr;
  // Groups of other nodes that began before a rotation may still be committed.
  if (options.store_is_shared) options.resealing.grace = std::chrono::seconds(60);
  kms_ = TRY(
      engine::Kms::Open(options, *keys_.store, keys_.custody->ring(), *audit_, SystemClock::Get()));
  return OpenPolicy();
}

// Before anybody is served: what the store has as a policy is in force, or nothing starts.
Result<void> Service::OpenPolicy() {
  registry::PolicyBookOptions options;
  options.enforce = [this](std::shared_ptr<const policy::Policy> policy) {
    kms_->access().Enforce(std::move(policy));
  };
  options.administrators = config_.administrators;
  policy_book_ =
      std::make_unique<registry::PolicyBook>(*keys_.store, kms_->vault(), std::move(options));
  TRY(policy_book_->CatchUp());
  if (IsShared(config_)) policy_book_->Watch(kPolicyInterval);
  return {};
}

Result<void> Service::StartListeners() {
  server::EnrolmentStore& records = records_->enrolment();
  door_ = std::make_unique<Door>(records, *lockouts_, authority_lists_.get());
  kmip_handler_ = std::make_unique<KmipHandler>(*kms_, records, config_.administrators, true);
  kmip_over_https_handler_ =
      std::make_unique<KmipHandler>(*kms_, records, config_.administrators, false);
  kmip_framing_ = std::make_unique<server::KmipFraming>(config_.limits.message_bytes);
  const auto principals =
      TRY(server::LoadPrincipalRules(config_.principals, config_.ca.certificate_file));
  kmip_tls_ = TRY(server::TlsContext::Make(
      TlsFor(config_.tls, true, principals, authority_lists_.get()), door_.get()));
  server::ServerOptions options;
  options.address = config_.kmip.address;
  options.port = config_.kmip.port;
  options.threads = config_.threads;
  options.limits = LimitsFrom(config_.limits);
  options.observer = [this](const server::RefusalEvent& event) { AuditRefusal(event); };
  options.accounts = std::make_shared<server::Accounts>(AccountLimitsFrom(config_.limits));
  kmip_server_ = TRY(server::Server::Start(options, *kmip_tls_, *kmip_framing_, *kmip_handler_));
  if (!config_.https.enabled) return {};
  server::EstOptions est;
  est.client_days = config_.ca.client_days;
  if (authority_) {
    est.above = TRY(server::AuthoritiesAbove(config_.ca.certificate_file));
    crl_ = std::make_unique<server::CrlPublisher>(*authority_, records, config_.ca.crl_hours);
    est.revocations = crl_.get();
  }
  est.observer = [this](const server::EnrolmentEvent& event) { return AuditEnrolment(event); };
  est.health = [this] {
    return AssessHealth(
        *audit_, *checkpoints_, *keys_.store, keys_.custody->ring(), lockouts_->sealed(),
        authority_lists_ == nullptr || authority_lists_->good(), system_call_filter_);
  };
  est_ = std::make_unique<server::EstService>(authority_ ? &*authority_ : nullptr, &records,
                                              std::move(est));
  server::HttpLimits http_limits;
  if (config_.https_kmip) {
    ttlv::Limits limits;
    limits.max_message_bytes = config_.limits.message_bytes;
    limits.draft3_types = config_.kmip_3_0;
    http_limits.kmip_body_bytes = server::KmipOverHttps::LargestBody(limits);
    kmip_over_https_ = std::make_unique<server::KmipOverHttps>(*kmip_over_https_handler_, limits);
  }
  key_administration_ = std::make_unique<KeyAdministration>(config_, *keys_.custody, keys_.tokens,
                                                            [this] { kms_->KeysChanged(); });
  lockout_administration_ = std::make_unique<LockoutAdministration>(*lockouts_, kms_->access(),
                                                                    [this] { kms_->ForgetKeys(); });
  policy_administration_ = std::make_unique<PolicyAdministration>(
      *policy_book_, *approvals_, *kms_, config_.administrators, SystemClock::Get());
  const auto is_served = [this](const server::Peer& peer) {
    return !door_->IsLockedOut(peer.common_name, peer.units);
  };
  const auto is_administrator = [this, is_served](const server::Peer& peer) {
    return kmip_handler_->IsAdministrator(peer) && is_served(peer);
  };
  approval_administration_ =
      std::make_unique<ApprovalAdministration>(*approvals_, is_administrator);
  audit_administration_ = std::make_unique<AuditLogAdministration>(
      config_, *audit_, SystemClock::Get(),
      AuditReaders{is_administrator,
                   [is_served](const server::Peer& peer) { return !is_served(peer); },
                   [this] { return kms_->access().current(); }},
      AuditSigning{AuditSignerOf(config_, keys_), [this] { return checkpoints_->status(); }},
      [this](const std::string& node) { return witness_desk_->FileOf(node); });
  witness_desk_ = std::make_unique<WitnessDesk>(config_, is_served);
  witness_routes_ = std::make_unique<server::WitnessRoutes>(
      *est_, *witness_desk_,
      [this](const server::AdminEvent& event) { return AuditAdministration(event); });
  admin_ = std::make_unique<server::AdminRoutes>(
      *witness_routes_, *key_administration_, *lockout_administration_,
      server::AdminOptions{
          is_administrator,
          [this](const server::AdminEvent& event) { return AuditAdministration(event); }, is_served,
          [this, is_served](const server::Peer& peer) {
            return is_served(peer) ? ServiceRoleOf(kms_->access(), peer) : std::nullopt;
          }},
      policy_administration_.get(), approval_administration_.get(), audit_administration_.get());
  server::HttpRoutes* routes = admin_.get();
  people_ = People::Of(config_.oidc, SystemClock::Get());
  if (people_ != nullptr) {
    people_routes_ = std::make_unique<server::PeopleRoutes>(
        *admin_, people_->tokens(),
        [this](const server::AdminEvent& event) { return AuditAdministration(event); });
    routes = people_routes_.get();
  }
  http_handler_ = std::make_unique<server::HttpHandler>(*routes, kmip_over_https_.get());
  http_framing_ = std::make_unique<server::HttpFraming>(http_limits);
  https_tls_ = TRY(server::TlsContext::Make(
      TlsFor(config_.tls, false, principals, authority_lists_.get()), door_.get()));
  options.address = config_.https.address;
  options.port = config_.https.port;
  // Anybody may connect here, so nobody may stay for long without asking.
  options.limits.idle = std::min<server::Duration>(options.limits.idle, std::chrono::seconds(30));
  // Issuing waits for the HSM and the disk: loops of their own, away from those of the KMIP port.
  https_server_ = TRY(server::Server::Start(options, *https_tls_, *http_framing_, *http_handler_));
  return {};
}

Result<std::unique_ptr<Service>> Service::Start(const server::Config& config,
                                                std::string system_call_filter) {
  std::unique_ptr<Service> service(new Service(config));
  service->system_call_filter_ = std::move(system_call_filter);
  service->keys_ = TRY(OpenKeyStation(config, StoreUse::kServe));
  TRY(service->OpenAuthorities());
  TRY(service->OpenLockouts());
  TRY(service->OpenAudit());
  TRY(service->OpenRecords());
  service->authority_lists_ =
      TRY(server::LoadAuthorityLists(config.tls, config.ca.certificate_file));
  TRY(service->StartListeners());
  service->WatchLockouts();
  service->WatchAuthorityLists();
  return service;
}

// A request that was let in before the seal may put its key into the cache after it: so again and
// again.
void Service::WatchLockouts() {
  lockout_rounds_ = std::make_unique<Rounds>(registry::Lockouts::kInterval, [this] {
    lockouts_->Look();
    if (lockouts_->sealed()) kms_->ForgetKeys();
  });
}

void Service::WatchAuthorityLists() {
  if (authority_lists_ == nullptr) return;
  list_rounds_ = std::make_unique<Rounds>(server::AuthorityLists::kInterval,
                                          [this] { authority_lists_->Look(); });
}

void Service::Stop() {
  if (https_server_ != nullptr) https_server_->BeginStop();
  kmip_server_->Stop();
  if (https_server_ != nullptr) https_server_->Stop();
}

void Service::AuditRefusal(const server::RefusalEvent& event) {
  const std::string why =
      std::string(RefusalName(event)) + (event.detail.empty() ? "" : ": " + event.detail);
  log::Debug(event.peer.address + " refused: " + why);
  if (!IsAudited(event)) return;
  // A name in a certificate that was refused is a claim, and goes where claims go.
  const bool proven = event.refusal != server::Refusal::kHandshake && event.peer.authenticated();
  const audit::Budget::Ruling ruling = proven ? audit::Budget::Ruling{true} : strangers_.Spend();
  if (!ruling.record) return;
  audit::Entry entry;
  entry.time = SystemClock::Get().Now();
  if (proven) entry.principal = event.peer.common_name;
  entry.address = event.peer.address;
  entry.operation = "connect";
  entry.outcome = audit::Outcome::kDenied;
  const bool limited =
      event.refusal == server::Refusal::kBanned || event.refusal == server::Refusal::kSlowed;
  entry.rule = limited ? "limits" : "tls";
  entry.detail = std::string(RefusalName(event));
  if (!event.peer.serial.empty()) {
    entry.detail += "; certificate " + event.peer.serial + " of '" + event.peer.common_name + "'";
  }
  entry.detail += LeftOut(ruling);
  const auto record = [&]() -> Result<void> {
    TRY(audit_->Append(entry));
    return audit_->Flush();
  };
  if (const Result<void> recorded = record(); !recorded) {
    log::Failure("a refused connection was not audited: " + recorded.error().message);
  }
}

Result<void> Service::AuditEnrolment(const server::EnrolmentEvent& event) {
  const bool proven = event.granted || event.peer.authenticated();
  const audit::Budget::Ruling ruling = proven ? audit::Budget::Ruling{true} : strangers_.Spend();
  if (!ruling.record) return {};  // refused, and answered so
  audit::Entry entry;
  entry.time = SystemClock::Get().Now();
  entry.principal = event.renewal || event.granted ? event.subject.common_name : "";
  entry.address = event.peer.address;
  entry.operation = event.renewal ? "renew certificate" : "enrol";
  entry.object_id = event.serial;
  entry.outcome = event.granted ? audit::Outcome::kAllowed : audit::Outcome::kDenied;
  entry.rule = event.renewal ? "certificate" : "one-time token";
  entry.detail = event.detail + LeftOut(ruling);
  TRY(audit_->Append(entry));
  return audit_->FlushAndSync();
}

// What an administrator did, or tried, with the store's keys.
Result<void> Service::AuditAdministration(const server::AdminEvent& event) {
  const bool proven = event.peer.authenticated();
  const audit::Budget::Ruling ruling = proven ? audit::Budget::Ruling{true} : strangers_.Spend();
  if (!ruling.record) return {};  // refused, and answered so
  audit::Entry entry;
  entry.time = SystemClock::Get().Now();
  entry.principal = event.peer.common_name;
  entry.address = event.peer.address;
  entry.operation = event.operation;
  entry.object_id = event.subject;
  entry.outcome = !event.permitted ? audit::Outcome::kDenied
                  : event.failure  ? audit::Outcome::kFailed
                                   : audit::Outcome::kAllowed;
  entry.rule = event.rule;
  entry.detail = (event.failure ? event.failure->message : event.detail) + LeftOut(ruling);
  TRY(audit_->Append(entry));
  return audit_->FlushAndSync();
}

}  // namespace dare::kms
