#include "client/https_call.h"

#include "base/file.h"
#include "client/curl_parts.h"

namespace dare::client {

Result<HttpsAnswer> HttpsCall(const std::string& url, const std::string& json,
                              const HttpsCallOptions& options) {
  const Bytes ca = TRY(ReadFile(options.ca_file));
  Bytes certificate;
  SecretBytes key;
  if (!options.certificate_file.empty()) {
    certificate = TRY(ReadFile(options.certificate_file));
    key = TRY(ReadSecretFile(options.key_file));
  }
  const CurlPtr curl(curl_easy_init());
  if (curl == nullptr) return Error(Code::kExhausted, "cannot set up an HTTPS request");
  BoundedBody body{options.most_bytes, {}};
  char detail[CURL_ERROR_SIZE] = "";
  bool good = PrepareRequest(curl.get(), url, body, detail) && TrustOnly(curl.get(), ca);
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(curl.get(), option, value) == CURLE_OK;
  };
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  curl_blob certificate_blob = Borrow(certificate), key_blob = Borrow(key.Reveal());
  if (!certificate.empty()) {
    set(CURLOPT_SSLCERT_BLOB, &certificate_blob);
    set(CURLOPT_SSLCERTTYPE, "PEM");
    set(CURLOPT_SSLKEY_BLOB, &key_blob);
    set(CURLOPT_SSLKEYTYPE, "PEM");
  }
  const CurlListPtr headers(curl_slist_append(nullptr, "Content-Type: application/json"));
  if (!json.empty()) {
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(json.size()));
    set(CURLOPT_POSTFIELDS, json.c_str());
  }
  if (!good) return Error(Code::kInternal, "cannot set up an HTTPS request");
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) return Error(Code::kTooLarge, url + ": the answer is too large");
  if (code != CURLE_OK) {
    const std::string why = *detail != '\0' ? detail : curl_easy_strerror(code);
    return Error(code == CURLE_OPERATION_TIMEDOUT ? Code::kTimeout : Code::kUnavailable,
                 url + ": " + why, code);
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return HttpsAnswer{static_cast<int>(status), std::move(body.text)};
}

}  // namespace dare::client
