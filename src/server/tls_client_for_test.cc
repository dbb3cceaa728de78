#include "server/tls_client_for_test.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "base/check.h"

namespace dare::server {

int ConnectForTest(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

TlsClientForTest::TlsClientForTest(const Options& options) : fd_(ConnectForTest(options.port)) {
  std::signal(SIGPIPE, SIG_IGN);
  context_ = SSL_CTX_new(TLS_client_method());
  CHECK(context_ != nullptr);
  if (options.tls12) SSL_CTX_set_max_proto_version(context_, TLS1_2_VERSION);
  if (!options.tls12_suites.empty()) {
    CHECK(SSL_CTX_set_cipher_list(context_, options.tls12_suites.c_str()) == 1);
  }
  CHECK(SSL_CTX_load_verify_file(context_, options.ca_file.c_str()) == 1);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT);
  if (options.identity != nullptr) {
    CHECK(SSL_CTX_use_certificate_chain_file(context_,
                                             options.identity->certificate_file.c_str()) == 1);
    CHECK(SSL_CTX_use_PrivateKey_file(context_, options.identity->key_file.c_str(),
                                      SSL_FILETYPE_PEM) == 1);
  }
  ssl_ = SSL_new(context_);
  SSL_set_app_data(ssl_, this);
  SSL_CTX_sess_set_new_cb(context_, [](SSL* ssl, SSL_SESSION* session) {
    auto* self = static_cast<TlsClientForTest*>(SSL_get_app_data(ssl));
    SSL_SESSION_free(self->session_);
    self->session_ = session;
    return 1;  // ours now
  });
  if (options.resume != nullptr) SSL_set_session(ssl_, options.resume);
  if (fd_ < 0) return;
  SSL_set_fd(ssl_, fd_);
  ERR_clear_error();
  const int result = SSL_connect(ssl_);
  connected_ = result == 1;
  if (!connected_) Note(result);
}

TlsClientForTest::~TlsClientForTest() {
  Close();
  SSL_SESSION_free(session_);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void TlsClientForTest::Close() {
  if (fd_ < 0) return;
  if (connected_ && !ended_) SSL_shutdown(ssl_);  // without it OpenSSL takes the session for bad
  ::close(fd_);
  fd_ = -1;
}

void TlsClientForTest::Note(int result) {
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;  // the time-out
  ended_ = true;
  const int reason = ERR_GET_REASON(ERR_peek_error());
  if (error == SSL_ERROR_SSL && reason > SSL_AD_REASON_OFFSET) {
    alert_ = reason - SSL_AD_REASON_OFFSET;
  }
  ERR_clear_error();
}

bool TlsClientForTest::resumed() const { return SSL_session_reused(ssl_) == 1; }

std::string TlsClientForTest::cipher() const { return SSL_get_cipher_name(ssl_); }

bool TlsClientForTest::Send(ByteView bytes) {
  ERR_clear_error();
  const int n = SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
  if (n <= 0) Note(n);
  return n == static_cast<int>(bytes.size());
}

std::size_t TlsClientForTest::SendUntilFull(ByteView message, std::size_t most) {
  const timeval short_patience{0, 300'000};
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &short_patience, sizeof short_patience);
  for (std::size_t sent = 0; sent < most; ++sent) {
    if (!Send(message)) return sent;
  }
  return most;
}

Bytes TlsClientForTest::Receive(std::size_t size) {
  Bytes got(size);
  std::size_t have = 0;
  while (have < size) {
    ERR_clear_error();
    const int n = SSL_read(ssl_, got.data() + have, static_cast<int>(size - have));
    if (n <= 0) {
      Note(n);
      break;
    }
    have += static_cast<std::size_t>(n);
  }
  got.resize(have);
  return got;
}

bool TlsClientForTest::WaitForClose() { return Receive(1).empty() && ended_; }

}  // namespace dare::server
