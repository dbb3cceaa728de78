#include "client/https_get.h"

#include "base/file.h"
#include "client/curl_parts.h"

namespace dare::client {

Result<std::string> HttpsGet(const std::string& url, const HttpsGetOptions& options) {
  const Bytes ca = TRY(ReadFile(options.ca_file));
  const CurlPtr curl(curl_easy_init());
  if (curl == nullptr) return Error(Code::kExhausted, "cannot set up an HTTPS request");
  BoundedBody body{options.most_bytes, {}};
  char detail[CURL_ERROR_SIZE] = "";
  const bool ready = PrepareRequest(curl.get(), url, body, detail) && TrustOnly(curl.get(), ca) &&
                     curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS,
                                      static_cast<long>(options.timeout.count())) == CURLE_OK;
  if (!ready) return Error(Code::kInternal, "cannot set up an HTTPS request");
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_WRITE_ERROR) return Error(Code::kTooLarge, url + ": the answer is too large");
  if (code != CURLE_OK) {
    const std::string why = *detail != '\0' ? detail : curl_easy_strerror(code);
    return Error(code == CURLE_OPERATION_TIMEDOUT ? Code::kTimeout : Code::kUnavailable,
                 url + ": " + why, code);
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return Error(Code::kRejected, url + ": HTTP " + std::to_string(status));
  return std::move(body.text);
}

}  // namespace dare::client
