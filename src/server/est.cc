#include "server/est.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"

namespace dare::server {
namespace {

constexpr std::string_view kPrefix = "/.well-known/est/";
constexpr std::string_view kCertsOnlyType = "application/pkcs7-mime; smime-type=certs-only";

HttpResponse Text(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(text) + "\n";
  return response;
}

HttpResponse WrongMethod(std::string allowed) {
  HttpResponse response = Text(405, "method not allowed");
  response.headers.emplace_back("Allow", std::move(allowed));
  return response;
}

// What we would have in a request: a P-256 key, and its signature with SHA-256. A challenge
// password is not asked for: the subject comes from the token, whatever the request says.
//= rfc7030 4.5.2
//# CsrAttrs ::= SEQUENCE SIZE (0..MAX) OF AttrOrOID
constexpr std::array<std::uint8_t, 35> kRequestAttributes = {
    0x30, 0x21, 0x30, 0x15,                                      // an Attribute:
    0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,        // id-ecPublicKey
    0x31, 0x0A,                                                  // of
    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07,  // secp256r1
    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02,  // ecdsa-with-SHA256
};

// RFC 4648 in RFC 2045's lines of 76.
std::string InLines(const std::string& base64) {
  std::string lines;
  for (std::size_t i = 0; i < base64.size(); i += 76) lines += base64.substr(i, 76) + "\r\n";
  return lines;
}

HttpResponse RequestAttributes() {
  HttpResponse response;
  response.content_type = "application/csrattrs";
  response.headers.emplace_back("Content-Transfer-Encoding", "base64");
  response.body = InLines(ToBase64(kRequestAttributes));
  return response;
}

// RFC 7030, sections 4.1.3 and 4.2.3: base64 of a certs-only message.
HttpResponse CertsOnly(const std::vector<const Certificate*>& certificates, std::string_view type) {
  const auto der = CertificatesOnly(certificates);
  if (!der) {
    log::Failure(der.error().message);
    return Text(500, "internal error");
  }
  HttpResponse response;
  response.content_type = type;
  response.headers.emplace_back("Content-Transfer-Encoding", "base64");
  response.body = InLines(ToBase64(*der));
  return response;
}

struct BasicCredentials {
  std::string user, password;
};

// RFC 7617. No credentials and unreadable ones are the same.
Result<BasicCredentials> ParseBasic(std::string_view header) {
  const Error none(Code::kUnauthenticated, "no enrolment token was shown");
  if (header.size() < 6 || !HasMediaType(header.substr(0, 5), "basic") || header[5] != ' ')
    return none;
  const auto decoded = FromBase64(header.substr(6));
  if (!decoded) return none;
  const std::string_view text = AsText(*decoded);
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return none;
  return BasicCredentials{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

int HttpStatus(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kMalformed:
    case Code::kRejected:
    case Code::kDenied:
      return 400;  // RFC 7030, 4.2.3: whatever is wrong with the request
    case Code::kTooLarge:
      return 413;
    case Code::kNotFound:
      return 404;
    case Code::kUnauthenticated:
      return 401;
    case Code::kUnsupported:
      return 415;
    case Code::kUnavailable:
    case Code::kTimeout:
    case Code::kExhausted:
    case Code::kIo:
    case Code::kConflict:
      return 503;
    case Code::kAlreadyExists:
    case Code::kDamaged:
    case Code::kInternal:
      return 500;
  }
  return 500;
}

}  // namespace

HttpResponse EstService::Serve(const HttpRequest& request, const Caller& caller) {
  const bool get = request.method == "GET";
  const bool post = request.method == "POST";
  if (request.path == "/healthz" || request.path == "/readyz") {
    return get ? HealthAt(request.path) : WrongMethod("GET");
  }
  if (request.path == "/crl" && options_.revocations != nullptr) {
    return get ? RevocationList() : WrongMethod("GET");
  }
  if (!request.path.starts_with(kPrefix) || authority_ == nullptr) return Text(404, "not found");
  const std::string_view what = std::string_view(request.path).substr(kPrefix.size());
  if (what == "cacerts") return get ? CaCertificates() : WrongMethod("GET");
  if (what == "csrattrs") return get ? RequestAttributes() : WrongMethod("GET");
  const bool renewal = what == "simplereenroll";
  if (!renewal && what != "simpleenroll") return Text(404, "not found");
  return post ? Enrol(request, caller, renewal) : WrongMethod("POST");
}

HttpResponse EstService::HealthAt(std::string_view path) const {
  const Health health = options_.health ? options_.health() : Health{};
  const bool good = health.serving && (path == "/healthz" || health.ready);
  HttpResponse response = Text(good ? 200 : 503, health.text);
  response.content_type = health.content_type;
  return response;
}

HttpResponse EstService::CaCertificates() const {
  std::vector<const Certificate*> chain = {&authority_->root()};
  for (const Certificate& certificate : options_.above) chain.push_back(&certificate);
  return CertsOnly(chain, "application/pkcs7-mime");
}

//= rfc5280 4.2.1.13
//# HTTP server implementations accessed via the URI SHOULD specify the media type
//# application/pkix-crl in the content-type header field of the response.
HttpResponse EstService::RevocationList() const {
  const Result<std::shared_ptr<const Bytes>> list = options_.revocations->Current();
  if (!list) return Text(503, "there is no revocation list at present, try again later");
  HttpResponse response;
  response.content_type = "application/pkix-crl";
  response.body = AsText(**list);
  return response;
}

HttpResponse EstService::Enrol(const HttpRequest& request, const Caller& caller, bool renewal) {
  EnrolmentEvent event;
  event.renewal = renewal;
  event.peer = *caller.peer;
  Result<Certificate> issued = Issue(request, event);
  event.granted = issued.has_value();
  if (issued) {
    event.subject = issued->subject;
    event.serial = issued->serial;
  } else {
    event.detail = issued.error().message;
  }
  if (options_.observer) {
    if (auto recorded = options_.observer(event); !recorded) {
      log::Failure("enrolment not recorded, refused: " + recorded.error().message);
      return Text(503, "the enrolment could not be recorded");
    }
  }
  if (issued) return CertsOnly({&*issued}, kCertsOnlyType);
  const int status = HttpStatus(issued.error().code);
  if (status >= 500) log::Failure("enrolment failed: " + issued.error().message);
  HttpResponse response = Text(status, status >= 500 ? "try again later" : issued.error().message);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"estrealm\"");
  return response;
}

Result<Certificate> EstService::Issue(const HttpRequest& request, EnrolmentEvent& event) {
  // Who asks comes before what is asked, so that strangers learn nothing and cost little.
  BasicCredentials credentials;
  if (event.renewal) {
    if (!event.peer.authenticated()) {
      return Error(Code::kUnauthenticated, "renewal needs the client certificate to be renewed");
    }
    event.subject = {event.peer.common_name, event.peer.units};
  } else {
    credentials = TRY(ParseBasic(request.authorization));
    event.subject = TRY(records_->CheckToken(credentials.password));
    // A user name is not needed, but it must not be somebody else's.
    if (!credentials.user.empty() && credentials.user != event.subject.common_name) {
      return Error(Code::kUnauthenticated, "the enrolment token is not valid");
    }
  }
  if (!HasMediaType(request.content_type, "application/pkcs10")) {
    return Error(Code::kUnsupported, "the body must be application/pkcs10");
  }
  const Bytes der = TRY(FromBase64(request.body));
  const SigningRequest wanted = TRY(SigningRequest::Parse(der));
  const auto issue = [&](const Subject& subject) {
    return authority_->IssueClient(subject, wanted, options_.client_days);
  };
  return event.renewal ? records_->Renew(event.peer.serial, event.peer.common_name,
                                         event.peer.fingerprint, issue)
                       : records_->Redeem(credentials.password, issue);
}

}  // namespace dare::server
