#include "client/est_client.h"

#include <curl/curl.h>

#include <memory>

#include "client/certificate_request.h"
#include "crypto/fips_policy.h"

namespace dare::client {
namespace {

constexpr std::size_t kMostAnswer = 1u << 20;
constexpr std::string_view kPath = "/.well-known/est/";

struct FreeEasy {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

struct Answer {
  long status = 0;
  std::string body;
};

std::size_t Collect(char* data, std::size_t size, std::size_t count, void* to) noexcept {
  auto& body = *static_cast<std::string*>(to);
  if (body.size() + size * count > kMostAnswer) return 0;
  try {
    body.append(data, size * count);
  } catch (...) {
    return 0;
  }
  return size * count;
}

curl_blob Borrow(ByteView bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
}

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
    Set(CURLOPT_URL, url_.c_str());
    Set(CURLOPT_PROTOCOLS_STR, "https");
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(server.timeout.count()));
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (crypto::ConfinedToFips()) {
      Set(CURLOPT_TLS13_CIPHERS, crypto::kApprovedTls13Suites);
      Set(CURLOPT_SSL_CIPHER_LIST, "ECDHE+AESGCM");
      Set(CURLOPT_SSL_EC_CURVES, crypto::kApprovedTlsGroups);
    }
    Set(CURLOPT_ERRORBUFFER, error_);
    Set(CURLOPT_WRITEFUNCTION, &Collect);
    Set(CURLOPT_WRITEDATA, static_cast<void*>(&answer_.body));
    if (!server.ca_pem.empty()) {
      curl_blob ca = Borrow(AsBytes(server.ca_pem));
      Set(CURLOPT_CAINFO_BLOB, &ca);
      Set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
    }
  }

  CURL* curl() const { return curl_.get(); }
  template <typename Value>
  void Set(CURLoption option, Value value) {
    if (curl_easy_setopt(curl_.get(), option, value) != CURLE_OK) refused_ = true;
  }

  // Posts a PKCS #10 request as base64 (RFC 7030, 4.2.1).
  void Post(ByteView request_der) {
    body_ = ToBase64(request_der);
    headers_.reset(curl_slist_append(headers_.release(), "Content-Type: application/pkcs10"));
    headers_.reset(curl_slist_append(headers_.release(), "Content-Transfer-Encoding: base64"));
    Set(CURLOPT_HTTPHEADER, headers_.get());
    Set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body_.size()));
    Set(CURLOPT_POSTFIELDS, body_.c_str());
  }

  Result<std::vector<std::string>> Certificates() {
    if (!curl_ || refused_) return Error(Code::kInternal, "cannot set up an HTTPS request");
    const CURLcode code = curl_easy_perform(curl_.get());
    if (code != CURLE_OK) return FailureOf(code, error_, url_);
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    if (answer_.status != 200) return Refusal();
    const Bytes der = TRY(FromBase64(answer_.body));
    return CertificatesOf(der);
  }

 private:
  Error Refusal() const {
    std::string text = answer_.body.substr(0, 300);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.pop_back();
    for (char& c : text) {
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    }
    const auto status = static_cast<std::uint64_t>(answer_.status);
    text = "the server refused (HTTP " + std::to_string(status) + "): " + text;
    if (status == 401 || status == 403) return Error(Code::kUnauthenticated, text, status);
    if (status == 503) return Error(Code::kUnavailable, text, status);
    return Error(Code::kRejected, text, status);
  }

  std::unique_ptr<CURL, FreeEasy> curl_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::string url_;
  std::string body_;
  Answer answer_;
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
