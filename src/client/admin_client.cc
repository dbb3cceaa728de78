#include "client/admin_client.h"

#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "base/file.h"
#include "client/curl_parts.h"

namespace dare::client {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostAnswer = 4u << 20;
// A rotation asks every HSM for something, and each may take a while.
constexpr long kPatienceMs = 120'000;

Error Unreached(CURLcode code, const char* detail, const std::string& url) {
  const std::string why = *detail != '\0' ? std::string(detail) : curl_easy_strerror(code);
  return Error(code == CURLE_OPERATION_TIMEDOUT ? Code::kTimeout : Code::kUnavailable,
               url + ": " + why, code);
}

Code CodeOf(long status) {
  switch (status) {
    case 400:
      return Code::kInvalidArgument;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    case 501:
      return Code::kUnsupported;
    case 503:
      return Code::kUnavailable;
    default:
      return Code::kRejected;
  }
}

Error Refused(long status, const std::string& body) {
  boost::system::error_code failure;
  const json::value answer = json::parse(body, failure);
  std::string why = "the server refused (HTTP " + std::to_string(status) + ")";
  if (!failure && answer.is_object()) {
    const json::value* const text = answer.get_object().if_contains("error");
    if (text != nullptr && text->is_string()) {
      why.assign(text->get_string().data(), text->get_string().size());
    }
  }
  for (char& c : why) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return Error(CodeOf(status), why, static_cast<std::uint64_t>(status));
}

}  // namespace

Result<std::string> Administer(const Config& config, const std::string& method,
                               const std::string& path, const std::string& body,
                               const SecretBytes& token) {
  if (config.enrolment_url.empty()) {
    return Error(Code::kInvalidArgument,
                 config.path + " names no enrolment.url, the server's HTTPS port");
  }
  const Bytes ca = TRY(ReadFile(config.ca_file));
  Bytes certificate;
  SecretBytes key;
  if (token.empty()) {
    certificate = TRY(ReadFile(config.certificate_file));
    key = TRY(ReadSecretFile(config.key_file));
  }
  const CurlPtr curl(curl_easy_init());
  if (curl == nullptr) return Error(Code::kExhausted, "cannot set up an HTTPS request");
  const std::string url = config.enrolment_url + path;
  BoundedBody answer{kMostAnswer, {}};
  char detail[CURL_ERROR_SIZE] = "";
  bool good = PrepareRequest(curl.get(), url, answer, detail) && TrustOnly(curl.get(), ca);
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(curl.get(), option, value) == CURLE_OK;
  };
  curl_blob certificate_blob = Borrow(certificate), key_blob = Borrow(key.Reveal());
  const CurlListPtr headers(curl_slist_append(nullptr, "Content-Type: application/json"));
  // libcurl wants a terminated string; WipingBytes clears ours, libcurl its own copy.
  WipingBytes bearer(token.Reveal().begin(), token.Reveal().end());
  bearer.push_back(0);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(config.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, kPatienceMs);
  if (token.empty()) {
    set(CURLOPT_SSLCERT_BLOB, &certificate_blob);
    set(CURLOPT_SSLCERTTYPE, "PEM");
    set(CURLOPT_SSLKEY_BLOB, &key_blob);
    set(CURLOPT_SSLKEYTYPE, "PEM");
  } else {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    set(CURLOPT_XOAUTH2_BEARER, reinterpret_cast<const char*>(bearer.data()));
  }
  if (method != "GET") set(CURLOPT_CUSTOMREQUEST, method.c_str());
  if (method == "POST") {
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    set(CURLOPT_POSTFIELDS, body.c_str());
  }
  if (!good) return Error(Code::kInternal, "cannot set up an HTTPS request");
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) return Unreached(code, detail, url);
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return Refused(status, answer.text);
  return std::move(answer.text);
}

}  // namespace dare::client
