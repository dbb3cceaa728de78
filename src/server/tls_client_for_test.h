#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "server/pki_for_test.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace dare::server {

// A blocking TLS client that shows what a server really does: alerts, closes, tickets. Every wait
// ends after ten seconds. For tests only; one thread.
class TlsClientForTest {
 public:
  struct Options {
    std::uint16_t port = 0;
    std::string ca_file;
    const PkiForTest::Identity* identity = nullptr;  // null: comes without a certificate
    bool tls12 = false;
    std::string tls12_suites;
    ssl_session_st* resume = nullptr;
  };
  explicit TlsClientForTest(const Options& options);
  ~TlsClientForTest();
  TlsClientForTest(const TlsClientForTest&) = delete;
  TlsClientForTest& operator=(const TlsClientForTest&) = delete;

  // Whether the handshake ended well from here; with TLS 1.3 the server may still refuse.
  bool connected() const { return connected_; }
  // The alert that the server sent, 0 for none so far.
  int alert() const { return alert_; }
  bool resumed() const;
  std::string cipher() const;
  bool Send(ByteView bytes);
  // Sends `message` again and again without reading, until the way is full; gives how many were
  // taken whole, at most `most`.
  std::size_t SendUntilFull(ByteView message, std::size_t most);
  // As much as comes up to `size` bytes; empty at the end of the stream, an alert or a time-out.
  Bytes Receive(std::size_t size);
  // True when the server closes (or has), false when it says something or ten seconds pass.
  bool WaitForClose();
  void Close();
  // The newest ticket of this connection, for Options::resume; may be null. Owned by the client.
  ssl_session_st* session() const { return session_; }

 private:
  void Note(int result);

  int fd_ = -1;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* ssl_ = nullptr;
  ssl_session_st* session_ = nullptr;
  bool connected_ = false;
  bool ended_ = false;
  int alert_ = 0;
};

// A plain TCP connection to a port on loopback; -1 when it fails. With a receive time-out of 10 s.
int ConnectForTest(std::uint16_t port);

}  // namespace dare::server
