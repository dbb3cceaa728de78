#include "client/https_get.h"

#include "client/https_call.h"

namespace dare::client {

Result<std::string> HttpsGet(const std::string& url, const HttpsGetOptions& options) {
  HttpsCallOptions call;
  call.ca_file = options.ca_file;
  call.most_bytes = options.most_bytes;
  call.timeout = options.timeout;
  HttpsAnswer answer = TRY(HttpsCall(url, "", call));
  if (answer.status != 200) {
    return Error(Code::kRejected, url + ": HTTP " + std::to_string(answer.status));
  }
  return std::move(answer.body);
}

}  // namespace dare::client
