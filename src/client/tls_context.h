#pragma once

#include <openssl/ossl_typ.h>

#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "client/config.h"

struct ssl_session_st;  // SSL_SESSION

namespace dare::client {

// What every TLS connection of this machine shares: our certificate and key, the CA we trust, the
// protocol rules (1.2 and 1.3, kmip-profiles-2.1 3.2), and the sessions servers let us resume.
// Thread-safe. Connections keep it alive.
class TlsContext {
 public:
  // kInvalidArgument or kIo, naming the file, when certificate, key or CA cannot be used; a key
  // file that others may read is refused.
  static Result<std::shared_ptr<TlsContext>> Create(const Config& config);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  SSL_CTX* get() const { return context_; }
  // Makes the TLS side of a connection to `endpoint`: its name (or address) will be verified.
  // `endpoint` outlives it.
  Result<SSL*> NewConnection(const Endpoint& endpoint);

 private:
  explicit TlsContext(SSL_CTX* context) : context_(context) {}
  static int KeepSession(SSL* connection, ssl_session_st* session) noexcept;

  SSL_CTX* const context_;
  Mutex mutex_;
  std::map<std::string, ssl_session_st*> sessions_ GUARDED_BY(mutex_);  // by endpoint, the latest
};

// The text of OpenSSL's newest error, and an empty queue.
std::string TakeTlsError();

}  // namespace dare::client
