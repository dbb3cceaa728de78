#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace dare::client {

struct HttpsGetOptions {
  std::string ca_file;  // PEM: whose certificates are accepted, and no others
  std::size_t most_bytes = 1u << 20;
  std::chrono::milliseconds timeout{3000};  // for all of it
};

// What `url` ("https://…") gives with status 200: no redirects, no proxy, TLS 1.2 or newer. Blocks.
// kTimeout, kUnavailable, kTooLarge, kRejected for another status, kIo for the file.
Result<std::string> HttpsGet(const std::string& url, const HttpsGetOptions& options);

}  // namespace dare::client
