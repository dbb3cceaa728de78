#include "client/curl_parts.h"

#include "crypto/fips_policy.h"

namespace dare::client {
namespace {

std::size_t Collect(char* data, std::size_t size, std::size_t count, void* to) noexcept {
  auto& body = *static_cast<BoundedBody*>(to);
  if (body.text.size() + size * count > body.most) return 0;
  try {
    body.text.append(data, size * count);
  } catch (...) {
    return 0;
  }
  return size * count;
}

}  // namespace

curl_blob Borrow(ByteView bytes) {
  return {const_cast<std::uint8_t*>(bytes.data()), bytes.size(), CURL_BLOB_NOCOPY};
}

bool PrepareRequest(CURL* curl, const std::string& url, BoundedBody& body, char* detail) {
  bool good = true;
  const auto set = [&](CURLoption option, auto value) {
    good = good && curl_easy_setopt(curl, option, value) == CURLE_OK;
  };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (crypto::ConfinedToFips()) {
    set(CURLOPT_TLS13_CIPHERS, crypto::kApprovedTls13Suites);
    set(CURLOPT_SSL_CIPHER_LIST, "ECDHE+AESGCM");
    set(CURLOPT_SSL_EC_CURVES, crypto::kApprovedTlsGroups);
  }
  set(CURLOPT_ERRORBUFFER, detail);
  set(CURLOPT_WRITEFUNCTION, &Collect);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&body));
  return good;
}

bool TrustOnly(CURL* curl, ByteView ca_pem) {
  curl_blob ca = Borrow(ca_pem);
  return curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca) == CURLE_OK &&
         curl_easy_setopt(curl, CURLOPT_CAPATH, static_cast<char*>(nullptr)) == CURLE_OK;
}

}  // namespace dare::client
