#pragma once

#include <memory>
#include <string_view>

#include "server/handler.h"
#include "server/https.h"
#include "ttlv/limits.h"

namespace dare::server {

inline constexpr std::string_view kKmipPath = "/kmip";

// KmipOverHttps is the HTTPS binding of KMIP (KMIP Profiles, "HTTPS"): a POST to /kmip with a
// Request Message as application/octet-stream (TTLV), text/xml or application/json is answered with
// the Response Message in the same encoding, status 200 whatever KMIP says in it. Messages go to
// the same handler as those of the KMIP port, in TTLV: it does not know where they came from.
// Only for clients with a certificate. Thread-safe; `kmip` outlives it.
class KmipOverHttps {
 public:
  // `limits` are those of a request in TTLV.
  KmipOverHttps(RequestHandler& kmip, const ttlv::Limits& limits) : kmip_(kmip), limits_(limits) {}

  // What the body of a request may take at most, so that every message within `limits` fits.
  static std::size_t LargestBody(const ttlv::Limits& limits);

  std::shared_ptr<const void> Meet(const Peer& peer) { return kmip_.Meet(peer); }
  Handled Serve(const HttpRequest& request, const Caller& caller, const ReplyTo& later,
                WipingBytes& answer);
  // Does nothing when the tick had no KMIP request: /healthz answers while nothing can be recorded.
  Result<void> Flush();

 private:
  RequestHandler& kmip_;
  const ttlv::Limits limits_;
};

}  // namespace dare::server
