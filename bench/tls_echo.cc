// The physical limit of a key server: one epoll thread and OpenSSL, mutual TLS, a fixed reply for
// every TTLV-framed request. Nothing is parsed, stored, decided or logged. Prints `listening PORT`
// and serves until SIGTERM.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/bytes.h"

namespace dare::bench {
namespace {

volatile std::sig_atomic_t stopping = 0;

struct Connection {
  int fd;
  SSL* ssl;
  bool ready = false;
  Bytes in, out;
  std::size_t sent = 0;
};

class Echo {
 public:
  Echo(SSL_CTX* context, int port, std::size_t reply_bytes)
      : context_(context), reply_(reply_bytes, 0x55), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    PutU32(reply_.data(), 0x42007B01);
    PutU32(reply_.data() + 4, static_cast<std::uint32_t>(reply_bytes - 8));
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int one = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_, 4096) != 0) {
      std::perror("listen");
      std::exit(2);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event);
  }

  int port() const {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    return ntohs(address.sin_port);
  }

  void Run() {
    epoll_event events[256];
    while (stopping == 0) {
      const int n = ::epoll_wait(epoll_, events, 256, 100);
      for (int i = 0; i < n; ++i) {
        if (events[i].data.ptr == nullptr) {
          Accept();
        } else {
          Continue(static_cast<Connection*>(events[i].data.ptr));
        }
      }
    }
  }

 private:
  void Accept() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      auto* connection = new Connection{.fd = fd, .ssl = SSL_new(context_)};
      SSL_set_fd(connection->ssl, fd);
      SSL_set_accept_state(connection->ssl);
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT | EPOLLET;
      event.data.ptr = connection;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
      Continue(connection);
    }
  }

  int Step(Connection* c) {
    if (!c->ready) {
      const int result = SSL_do_handshake(c->ssl);
      c->ready = result == 1;
      return result;
    }
    if (c->sent < c->out.size()) {
      const int result =
          SSL_write(c->ssl, c->out.data() + c->sent, static_cast<int>(c->out.size() - c->sent));
      if (result > 0 && (c->sent += static_cast<std::size_t>(result)) == c->out.size()) {
        c->out.clear();
        c->sent = 0;
      }
      return result;
    }
    std::uint8_t buffer[16384];
    const int result = SSL_read(c->ssl, buffer, sizeof buffer);
    if (result > 0) {
      Append(c->in, {buffer, static_cast<std::size_t>(result)});
      while (c->in.size() >= 8 && c->in.size() >= 8 + GetU32(c->in.data() + 4)) {
        c->in.erase(c->in.begin(), c->in.begin() + 8 + GetU32(c->in.data() + 4));
        Append(c->out, reply_);
      }
    }
    return result;
  }

  void Continue(Connection* c) {
    for (;;) {
      errno = 0;
      const int result = Step(c);
      if (result > 0) continue;
      const int error = SSL_get_error(c->ssl, result);
      if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
      ERR_clear_error();
      SSL_free(c->ssl);
      ::close(c->fd);
      delete c;
      return;
    }
  }

  SSL_CTX* const context_;
  Bytes reply_;
  const int epoll_;
  int listener_ = -1;
};

int Main(int argc, char** argv) {
  std::string certificate, key, ca;
  std::size_t reply_bytes = 200;
  int threads = 1;
  CLI::App app("a bare TLS echo");
  app.add_option("--certificate", certificate)->required();
  app.add_option("--key", key)->required();
  app.add_option("--ca", ca)->required();
  app.add_option("--reply-bytes", reply_bytes);
  app.add_option("--threads", threads);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { stopping = 1; });
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(context, ca.c_str(), nullptr) != 1) {
    ERR_print_errors_fp(stderr);
    return 2;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  const unsigned char id[] = "echo";
  SSL_CTX_set_session_id_context(context, id, sizeof id);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  std::vector<std::unique_ptr<Echo>> echoes;
  echoes.push_back(std::make_unique<Echo>(context, 0, reply_bytes));
  for (int i = 1; i < threads; ++i) {
    echoes.push_back(std::make_unique<Echo>(context, echoes[0]->port(), reply_bytes));
  }
  fmt::print("listening {}\n", echoes[0]->port());
  std::fflush(stdout);
  std::vector<std::jthread> running;
  for (auto& echo : echoes) running.emplace_back([&echo] { echo->Run(); });
  running.clear();
  SSL_CTX_free(context);
  return 0;
}

}  // namespace
}  // namespace dare::bench

int main(int argc, char** argv) { return dare::bench::Main(argc, argv); }
