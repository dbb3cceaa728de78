#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "client/deadline.h"
#include "client/endpoint.h"
#include "client/tls_context.h"
#include "kmip/tags.h"
#include "ttlv/limits.h"

namespace dare::client {

// One TLS connection to a key server, carrying one message and its answer at a time (or, where the
// server asks, its messages and our answers). Waits with
// poll() until a deadline. One thread at a time. After an error it is of no more use. Programs
// ignore SIGPIPE.
//
// Errors: kTimeout; kUnavailable (no route, refused, reset, a server certificate we do not accept);
// kUnauthenticated (the server does not accept our certificate); kMalformed and kTooLarge (an
// answer that is none); kIo with detail EINTR when the user cancelled.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(std::shared_ptr<TlsContext> tls,
                                                  const Endpoint& endpoint,
                                                  const Deadline& deadline);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends one whole message and gives the whole answer, a Response Message by its first bytes.
  Result<WipingBytes> Exchange(ByteView message, const ttlv::Limits& limits,
                               const Deadline& deadline);

  // For a connection on which the server asks. Waits for its next message; false when `deadline`
  // passed first, and then nothing is lost.
  Result<bool> AwaitMessage(const Deadline& deadline);
  // The whole next message, of the tag `expected`.
  Result<WipingBytes> Receive(kmip::Tag expected, const ttlv::Limits& limits,
                              const Deadline& deadline);
  Result<void> Send(ByteView message, const Deadline& deadline);
  // Has the system find out within some ten seconds that the server's machine is gone, when nobody
  // says anything.
  void WatchPeer();

  // True when the last Exchange failed before a byte of the message was sent.
  bool nothing_sent() const { return nothing_sent_; }
  // False when the server has closed it, or said something nobody asked for.
  bool StillOpen() const;

  const Endpoint& endpoint() const { return endpoint_; }
  std::string TlsVersion() const;     // "TLSv1.3"
  std::string CipherSuite() const;    // "TLS_AES_256_GCM_SHA384"
  std::string ServerSubject() const;  // "CN=kms.example"

 private:
  Connection(std::shared_ptr<TlsContext> tls, Endpoint endpoint);
  Result<void> Connect(const Deadline& deadline);
  Result<void> Handshake(const Deadline& deadline);
  Result<void> Write(ByteView bytes, const Deadline& deadline);
  Result<void> Read(MutableBytes bytes, const Deadline& deadline);
  Result<WipingBytes> ReadMessage(kmip::Tag expected, const ttlv::Limits& limits,
                                  const Deadline& deadline);
  // Waits for what TLS wants after `returned`; the error when it wants nothing any more.
  Result<void> Await(int returned, const Deadline& deadline);
  Error Failure(int ssl_error) const;
  // `error` as this connection's callers know it.
  Error Named(Error error) const;

  const std::shared_ptr<TlsContext> tls_;
  const Endpoint endpoint_;
  int socket_ = -1;
  SSL* ssl_ = nullptr;
  bool nothing_sent_ = true;
};

}  // namespace dare::client
