#pragma once

#include <functional>
#include <string>

#include "server/ca.h"
#include "server/crl_publisher.h"
#include "server/enrolment_store.h"
#include "server/https.h"

namespace dare::server {

// What happened to one request for a certificate, for the audit log.
struct EnrolmentEvent {
  bool granted = false;
  bool renewal = false;  // simplereenroll
  Peer peer;             // who asked
  Subject subject;       // as far as known
  std::string serial;    // of the new certificate
  std::string detail;    // why not
};
// Called before the answer leaves. When it fails, the certificate is not handed out.
using EnrolmentObserver = std::function<Result<void>(const EnrolmentEvent&)>;

// How the server is, for /healthz and /readyz.
struct Health {
  bool serving = true;      // requests are answered, if only those that need no HSM
  std::string text = "ok";  // states alone: anybody may read it
  bool ready = true;        // new keys can be made, too
  std::string content_type = "text/plain; charset=utf-8";
};

struct EstOptions {
  std::int64_t client_days = 7;
  EnrolmentObserver observer;
  std::function<Health()> health;
  std::vector<Certificate> above;       // the authorities above ours, for cacerts
  CrlPublisher* revocations = nullptr;  // null: no list here; outlives the service
};

// EstService is Enrollment over Secure Transport (RFC 7030) as far as a certificate authority like
// ours needs it: cacerts, csrattrs, simpleenroll with HTTP Basic and a one-time token as the
// password, simplereenroll with the certificate that the TLS client showed; and /crl, /healthz,
// /readyz.
// The subject comes from the token or the old certificate, never from the request.
// Thread-safe. `authority` (null: no enrolment here) and `records` outlive it.
class EstService : public HttpRoutes {
 public:
  EstService(const CertificateAuthority* authority, EnrolmentStore* records, EstOptions options)
      : authority_(authority), records_(records), options_(std::move(options)) {}
  HttpResponse Serve(const HttpRequest& request, const Caller& caller) override;

 private:
  HttpResponse HealthAt(std::string_view path) const;
  HttpResponse CaCertificates() const;
  HttpResponse RevocationList() const;
  HttpResponse Enrol(const HttpRequest& request, const Caller& caller, bool renewal);
  Result<Certificate> Issue(const HttpRequest& request, EnrolmentEvent& event);

  const CertificateAuthority* const authority_;
  EnrolmentStore* const records_;
  const EstOptions options_;
};

}  // namespace dare::server
