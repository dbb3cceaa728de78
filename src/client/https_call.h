#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace dare::client {

struct HttpsCallOptions {
  std::string ca_file;  // PEM: whose certificates are accepted, and no others
  // PEM: who asks; empty: nobody in particular.
  std::string certificate_file, key_file;
  std::size_t most_bytes = 1u << 20;        // of the answer
  std::chrono::milliseconds timeout{3000};  // for all of it
};

struct HttpsAnswer {
  int status = 0;
  std::string body;
};

// What `url` ("https://…") answers, whatever its status: to a POST of `json`, or to a GET where it
// is empty. No redirects, no proxy, TLS 1.2 or newer. Blocks. kTimeout, kUnavailable, kTooLarge,
// kDenied for a key that others may read, kIo for the files.
Result<HttpsAnswer> HttpsCall(const std::string& url, const std::string& json,
                              const HttpsCallOptions& options);

}  // namespace dare::client
