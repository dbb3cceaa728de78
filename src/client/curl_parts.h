#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "base/bytes.h"

// What our HTTPS requests by libcurl share. For the .cc files that call it.
namespace dare::client {

struct FreeCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlPtr = std::unique_ptr<CURL, FreeCurl>;
using CurlListPtr = std::unique_ptr<curl_slist, FreeCurl>;

// The body of an answer, up to `most` bytes; more end the request with CURLE_WRITE_ERROR.
struct BoundedBody {
  std::size_t most = 0;
  std::string text;
};

// Lent to libcurl for the length of a request.
curl_blob Borrow(ByteView bytes);

// What holds for all of them: HTTPS alone, straight to the server and no further, TLS 1.2 or newer,
// what the crypto policy asks for; the answer goes into `body` and what went wrong into `detail`,
// which has CURL_ERROR_SIZE. The arguments live as long as `curl`. False when libcurl refuses.
bool PrepareRequest(CURL* curl, const std::string& url, BoundedBody& body, char* detail);
// From now on the server's certificate must come from these authorities, PEM, and no others.
bool TrustOnly(CURL* curl, ByteView ca_pem);

}  // namespace dare::client
