#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace dare::bench {

using SslContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

struct Target {
  std::string host;
  int port = 0;
  std::string certificate, key, ca;
};

// Exits with a message when the files cannot be read.
SslContext ClientContext(const Target& target);

// One non-blocking mTLS connection in strict request and reply: send, wait for the whole TTLV
// answer, again. Not thread-safe.
class LoadConnection {
 public:
  enum class Step { kWantRead, kWantWrite, kReply, kFailed };

  LoadConnection(SSL_CTX* context, const Target& target, SSL_SESSION* session = nullptr);
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  int fd() const { return fd_; }
  // What to send next; borrowed until the reply came.
  void Begin(ByteView request);
  // Goes on until it must wait, or the reply is there.
  Step Continue();
  const Bytes& reply() const { return reply_; }
  std::chrono::steady_clock::time_point began() const { return began_; }

 private:
  SSL* ssl_;
  int fd_;
  bool ready_ = false;
  ByteView request_;
  std::size_t sent_ = 0;
  Bytes reply_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace dare::bench
