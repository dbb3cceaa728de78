#include "client/est_client.h"

#include <memory>

#include "client/certificate_request.h"
#include "client/curl_parts.h"

namespace dare::client {
namespace {

constexpr std::size_t kMostAnswer = 1u << 20;
constexpr std::string_view kPath = "/.well-known/est/";

Error FailureOf(CURLcode code, const char* detail, const std::string& url) {
  const std::string text =
      url + ": " + (*detail != '\0' ? std::string(detail) : std::string(curl_easy_strerror(code)));
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Error(Code::kTimeout, text, code);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Error(Code::kInvalidArgument, text, code);
    case CURLE_OUT_OF_MEMORY:
      return Error(Code::kExhausted, text, code);
    case CURLE_WRITE_ERROR:
      return Error(Code::kTooLarge, url + ": the answer is too large", code);
    case CURLE_PEER_FAILED_VERIFICATION:
      return Error(Code::kUnavailable, url + ": its certificate is not accepted: " + detail, code);
    case CURLE_SSL_CERTPROBLEM:
      return Error(Code::kInvalidArgument, text, code);
    default:
      return Error(Code::kUnavailable, text, code);
  }
}

// One request, straight to the server: only HTTPS, no redirects, no proxy.
class Exchange {
 public:
  Exchange(const EstServer& server, std::string_view what)
      : curl_(curl_easy_init()), url_(server.url + std::string(kPath) + std::string(what)) {
    if (!curl_) return;
    refused_ = !PrepareRequest(curl_.get(), url_, body_, error_);
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(server.timeout.count()));
    if (!server.ca_pem.empty() && !TrustOnly(curl_.get(), AsBytes(server.ca_pem))) refused_ = true;
  }

  CURL* curl() const { return curl_.get(); }
  template <typename Value>
  void Set(CURLoption option, Value value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK) refused_ = true;
  }

  // Posts a PKCS #10 request as base64 (RFC 7030, 4.2.1).
  void Post(ByteView request_der) {
    request_ = ToBase64(request_der);
    headers_.reset(curl_slist_append(headers_.release(), "Content-Type: application/pkcs10"));
    headers_.reset(curl_slist_append(headers_.release(), "Content-Transfer-Encoding: base64"));
    Set(CURLOPT_HTTPHEADER, headers_.get());
    Set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.size()));
    Set(CURLOPT_POSTFIELDS, request_.c_str());
  }

  Result<std::vector<std::string>> Certificates() {
    if (!curl_ || refused_) return Error(Code::kInternal, "cannot set up an HTTPS request");
    const CURLcode code = curl_easy_perform(curl_.get());
    if (code != CURLE_OK) return FailureOf(code, error_, url_);
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &status_);
    if (status_ != 200) return Refusal();
    const Bytes der = TRY(FromBase64(body_.text));
    return CertificatesOf(der);
  }

 private:
  Error Refusal() const {
    std::string text = body_.text.substr(0, 300);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    }
    const auto status = static_cast<std::uint64_t>(status_);
    text = "the server refused (HTTP " + std::to_string(status) + "): " + text;
    if (status == 401 || status == 403) return Error(Code::kUnauthenticated, text, status);
    if (status == 503) return Error(Code::kUnavailable, text, status);
    return Error(Code::kRejected, text, status);
  }

  CurlPtr curl_;
  CurlListPtr headers_;
  std::string url_;
  std::string request_;
  BoundedBody body_{kMostAnswer, {}};
  long status_ = 0;
  char error_[CURL_ERROR_SIZE] = "";
  bool refused_ = false;
};

Result<std::string> OneCertificate(Result<std::vector<std::string>> certificates) {
  return TRY(std::move(certificates)).front();
}

}  // namespace

Result<std::vector<std::string>> FetchCaCertificates(const EstServer& server, bool trusted) {
  Exchange exchange(server, "cacerts");
  if (!trusted) {
    exchange.Set(CURLOPT_SSL_VERIFYPEER, 0L);
    exchange.Set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  return exchange.Certificates();
}

Result<std::string> Enrol(const EstServer& server, const SecretBytes& token, ByteView request_der) {
  Exchange exchange(server, "simpleenroll");
  // libcurl wants a terminated string; WipingBytes clears ours, libcurl its own copy.
  WipingBytes password(token.Reveal().begin(), token.Reveal().end());
  password.push_back(0);
  exchange.Set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  exchange.Set(CURLOPT_USERNAME, "");
  exchange.Set(CURLOPT_PASSWORD, reinterpret_cast<const char*>(password.data()));
  exchange.Post(request_der);
  return OneCertificate(exchange.Certificates());
}

Result<std::string> Reenrol(const EstServer& server, const EstIdentity& identity,
                            ByteView request_der) {
  Exchange exchange(server, "simplereenroll");
  curl_blob certificate = Borrow(AsBytes(identity.certificate_pem));
  curl_blob key = Borrow(identity.private_pem->Reveal());
  exchange.Set(CURLOPT_SSLCERT_BLOB, &certificate);
  exchange.Set(CURLOPT_SSLCERTTYPE, "PEM");
  exchange.Set(CURLOPT_SSLKEY_BLOB, &key);
  exchange.Set(CURLOPT_SSLKEYTYPE, "PEM");
  exchange.Post(request_der);
  return OneCertificate(exchange.Certificates());
}

}  // namespace dare::client
