#include "client/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "kmip/tags.h"
#include "ttlv/type.h"
#include "ttlv/validate.h"

namespace dare::client {
namespace {

// The longest single wait, so that a cancellation that came just before poll() is seen.
constexpr std::chrono::milliseconds kSlice{200};

Result<void> AwaitSocket(int socket, short events, const Deadline& deadline) {
  for (;;) {
    if (deadline.Cancelled()) return IoError("cancelled", EINTR);
    const auto left = deadline.Left();
    if (left.count() == 0) return Error(Code::kTimeout, "no answer in time");
    pollfd entries[] = {{socket, events, 0}, {deadline.wake(), POLLIN, 0}};  // -1 is passed over
    const int ready = ::poll(entries, 2, static_cast<int>(std::min(left, kSlice).count()));
    if (ready > 0 && entries[0].revents != 0) return {};
    if (ready < 0 && errno != EINTR) return IoError("cannot wait for the network", errno);
  }
}

Result<int> ConnectTo(const addrinfo& address, const Deadline& deadline) {
  FileDescriptor socket(::socket(
      address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol));
  if (!socket) return IoError("cannot make a socket", errno);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return IoError("cannot connect", errno);
    TRY(AwaitSocket(socket.get(), POLLOUT, deadline));
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return IoError("cannot connect", error);
  }
  return socket.Release();
}

bool Gone(const Error& error) { return error.code == Code::kIo && error.detail == EINTR; }

// True for the alerts by which a server says that it does not accept who we are (RFC 8446, 6.2).
bool RefusesUs(unsigned long error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return false;
  switch (ERR_GET_REASON(error)) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

}  // namespace

Connection::Connection(std::shared_ptr<TlsContext> tls, Endpoint endpoint)
    : tls_(std::move(tls)), endpoint_(std::move(endpoint)) {}

Connection::~Connection() {
  if (ssl_ != nullptr) {
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);  // close_notify, not waited for
    ERR_clear_error();
    SSL_free(ssl_);
  }
  if (socket_ >= 0) ::close(socket_);
}

Result<std::unique_ptr<Connection>> Connection::Open(std::shared_ptr<TlsContext> tls,
                                                     const Endpoint& endpoint,
                                                     const Deadline& deadline) {
  std::unique_ptr<Connection> connection(new Connection(std::move(tls), endpoint));
  Result<void> opened = connection->Connect(deadline);
  if (opened) opened = connection->Handshake(deadline);
  if (opened) return connection;
  return connection->Named(std::move(opened).error());
}

Error Connection::Named(Error error) const {
  if (error.code == Code::kIo && !Gone(error)) error.code = Code::kUnavailable;
  return Error(error.code, "key server " + endpoint_.ToString() + ": " + error.message,
               error.detail);
}

Result<void> Connection::Connect(const Deadline& deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint_.port);
  int unknown = ::getaddrinfo(endpoint_.host.c_str(), port.c_str(), &hints, &found);
  if (unknown == EAI_NONAME || unknown == EAI_ADDRFAMILY) {  // loopback alone counts as no address
    hints.ai_flags = AI_NUMERICSERV;
    unknown = ::getaddrinfo(endpoint_.host.c_str(), port.c_str(), &hints, &found);
  }
  if (unknown != 0) return Error(Code::kUnavailable, ::gai_strerror(unknown));
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  Error last(Code::kUnavailable, "has no address");
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    Result<int> socket = ConnectTo(*a, deadline);
    if (socket) {
      socket_ = *socket;
      return {};
    }
    last = std::move(socket).error();
    if (Gone(last) || deadline.Passed()) break;
  }
  return last;
}

Result<void> Connection::Handshake(const Deadline& deadline) {
  ssl_ = TRY(tls_->NewConnection(endpoint_));
  if (SSL_set_fd(ssl_, socket_) != 1) return Error(Code::kExhausted, TakeTlsError());
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(ssl_);
    if (done == 1) return {};
    TRY(Await(done, deadline));
  }
}

Result<void> Connection::Await(int returned, const Deadline& deadline) {
  const int wants = SSL_get_error(ssl_, returned);
  if (wants == SSL_ERROR_WANT_READ) return AwaitSocket(socket_, POLLIN, deadline);
  if (wants == SSL_ERROR_WANT_WRITE) return AwaitSocket(socket_, POLLOUT, deadline);
  return Failure(wants);
}

Error Connection::Failure(int ssl_error) const {
  const int system_error = errno;
  const unsigned long queued = ERR_peek_last_error();
  if (ssl_error == SSL_ERROR_ZERO_RETURN || (ssl_error == SSL_ERROR_SYSCALL && queued == 0)) {
    ERR_clear_error();
    if (ssl_error == SSL_ERROR_SYSCALL && system_error != 0) {
      return Error(IoError("the connection broke", system_error));
    }
    return Error(Code::kUnavailable, "the server closed the connection");
  }
  const long verdict = SSL_get_verify_result(ssl_);
  if (verdict != X509_V_OK && ERR_GET_REASON(queued) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    ERR_clear_error();
    return Error(Code::kUnavailable, std::string("its certificate is not accepted: ") +
                                         X509_verify_cert_error_string(verdict));
  }
  if (RefusesUs(queued)) {
    return Error(Code::kUnauthenticated,
                 "the server does not accept our certificate: " + TakeTlsError());
  }
  return Error(Code::kUnavailable, "TLS failed: " + TakeTlsError());
}

Result<void> Connection::Write(ByteView bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    ERR_clear_error();
    errno = 0;
    const int chunk = static_cast<int>(std::min<std::size_t>(bytes.size(), 1u << 20));
    const int n = SSL_write(ssl_, bytes.data(), chunk);
    if (n <= 0) {
      TRY(Await(n, deadline));
      continue;
    }
    nothing_sent_ = false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> Connection::Read(MutableBytes bytes, const Deadline& deadline) {
  while (!bytes.empty()) {
    ERR_clear_error();
    errno = 0;
    const int chunk = static_cast<int>(std::min<std::size_t>(bytes.size(), 1u << 20));
    const int n = SSL_read(ssl_, bytes.data(), chunk);
    if (n <= 0) {
      TRY(Await(n, deadline));
      continue;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<WipingBytes> Connection::Exchange(ByteView message, const ttlv::Limits& limits,
                                         const Deadline& deadline) {
  nothing_sent_ = true;
  const auto exchange = [&]() -> Result<WipingBytes> {
    if (Result<void> written = Write(message, deadline); !written) {
      // A server that does not accept us says why before it closes (TLS 1.3 tells only now).
      std::uint8_t nothing[1];
      Result<void> why = Gone(written.error()) ? written : Read(nothing, deadline);
      if (!why && why.error().code == Code::kUnauthenticated) return why.error();
      return written.error();
    }
    return ReadMessage(kmip::Tag::kResponseMessage, limits, deadline);
  };
  Result<WipingBytes> answer = exchange();
  if (answer) return answer;
  return Named(std::move(answer).error());
}

Result<WipingBytes> Connection::ReadMessage(kmip::Tag expected, const ttlv::Limits& limits,
                                            const Deadline& deadline) {
  std::uint8_t head[ttlv::kHeaderBytes];
  TRY(Read(head, deadline));
  WipingBytes message(TRY(ttlv::MessageLength(head, expected, limits)));
  std::copy(std::begin(head), std::end(head), message.begin());
  TRY(Read(MutableBytes(message).subspan(sizeof head), deadline));
  return message;
}

Result<bool> Connection::AwaitMessage(const Deadline& deadline) {
  for (;;) {
    ERR_clear_error();
    errno = 0;
    std::uint8_t byte = 0;
    // Looked at by TLS: what the socket has may be a record that is no message.
    const int n = SSL_peek(ssl_, &byte, 1);
    if (n > 0) return true;
    Result<void> more = Await(n, deadline);
    if (more) continue;
    if (more.error().code == Code::kTimeout) return false;
    return Named(std::move(more).error());
  }
}

Result<WipingBytes> Connection::Receive(kmip::Tag expected, const ttlv::Limits& limits,
                                        const Deadline& deadline) {
  Result<WipingBytes> message = ReadMessage(expected, limits, deadline);
  if (message) return message;
  return Named(std::move(message).error());
}

Result<void> Connection::Send(ByteView message, const Deadline& deadline) {
  Result<void> sent = Write(message, deadline);
  if (sent) return {};
  return Named(std::move(sent).error());
}

void Connection::WatchPeer() {
  const auto set = [this](int level, int option, int value) {
    ::setsockopt(socket_, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_KEEPIDLE, 4);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
}

bool Connection::StillOpen() const {
  char byte = 0;
  const ssize_t n = ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && SSL_pending(ssl_) == 0;
}

std::string Connection::TlsVersion() const { return SSL_get_version(ssl_); }

std::string Connection::CipherSuite() const { return SSL_get_cipher_name(ssl_); }

std::string Connection::ServerSubject() const {
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
  if (!out ||
      X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace dare::client
