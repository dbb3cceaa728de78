#include "load_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace dare::bench {

SslContext ClientContext(const Target& target) {
  SslContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (SSL_CTX_use_certificate_chain_file(context.get(), target.certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), target.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(context.get(), target.ca.c_str(), nullptr) != 1) {
    ERR_print_errors_fp(stderr);
    std::exit(2);
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
  return context;
}

LoadConnection::LoadConnection(SSL_CTX* context, const Target& target, SSL_SESSION* session)
    : ssl_(SSL_new(context)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(target.port));
  ::inet_pton(AF_INET, target.host.c_str(), &address.sin_addr);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    std::exit(2);
  }
  const int one = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  SSL_set_fd(ssl_, fd_);
  if (session != nullptr) SSL_set_session(ssl_, session);
  SSL_set_connect_state(ssl_);
}

LoadConnection::~LoadConnection() {
  SSL_free(ssl_);
  ::close(fd_);
}

void LoadConnection::Begin(ByteView request) {
  request_ = request;
  sent_ = 0;
  reply_.clear();
  began_ = std::chrono::steady_clock::now();
}

LoadConnection::Step LoadConnection::Continue() {
  for (;;) {
    int result;
    errno = 0;
    if (!ready_) {
      result = SSL_do_handshake(ssl_);
      if (result == 1) {
        ready_ = true;
        continue;
      }
    } else if (sent_ < request_.size()) {
      result = SSL_write(ssl_, request_.data() + sent_, static_cast<int>(request_.size() - sent_));
      if (result > 0) {
        sent_ += static_cast<std::size_t>(result);
        continue;
      }
    } else {
      std::uint8_t buffer[16384];
      result = SSL_read(ssl_, buffer, sizeof buffer);
      if (result > 0) {
        Append(reply_, {buffer, static_cast<std::size_t>(result)});
        if (reply_.size() >= 8 && reply_.size() >= 8 + GetU32(reply_.data() + 4)) {
          return Step::kReply;
        }
        continue;
      }
    }
    switch (SSL_get_error(ssl_, result)) {
      case SSL_ERROR_WANT_READ:
        return Step::kWantRead;
      case SSL_ERROR_WANT_WRITE:
        return Step::kWantWrite;
      default:
        ERR_clear_error();
        return Step::kFailed;
    }
  }
}

}  // namespace dare::bench
