#include "audit/syslog_place.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace dare::audit {
namespace {

constexpr timeval kPatience{5, 0};

Result<FileDescriptor> Connect(int family, int type, const sockaddr* address, socklen_t size) {
  FileDescriptor socket(::socket(family, type | SOCK_CLOEXEC, 0));
  if (!socket) return IoError("cannot make a socket", errno);
  // Bounds connect() and send().
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (::connect(socket.get(), address, size) != 0) return IoError("cannot connect", errno);
  return socket;
}

// Keeps its connection from one message to the next.
class ConnectedPlace : public SyslogPlace {
 public:
  explicit ConnectedPlace(bool stream) : stream_(stream) {}

  Result<void> Send(std::string_view message) override {
    if (socket_ && IsClosedByPeer()) Close();
    if (!socket_) socket_ = TRY(Open());
    const Result<void> sent =
        stream_ ? SendAll(std::to_string(message.size()) + " " + std::string(message))
                : SendAll(message);
    if (!sent && sent.error().code != Code::kTooLarge) Close();
    return sent;
  }
  void Close() override { socket_ = FileDescriptor(); }

 protected:
  virtual Result<FileDescriptor> Open() const = 0;
  bool is_stream() const { return stream_; }

 private:
  // A collector sends nothing: what can be read is its end.
  bool IsClosedByPeer() const {
    if (!stream_) return false;
    char byte = 0;
    const ssize_t n = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }
  Result<void> SendAll(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EMSGSIZE) return Error(Code::kTooLarge, "no datagram is so large");
      if (n < 0) return IoError("cannot send", errno);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  const bool stream_;
  FileDescriptor socket_;
};

class UnixPlace : public ConnectedPlace {
 public:
  explicit UnixPlace(const std::string& path) : ConnectedPlace(false) {
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path.data(), path.size());
  }
  static bool Fits(std::string_view path) {
    return path.starts_with('/') && path.size() < sizeof(sockaddr_un::sun_path);
  }

 protected:
  Result<FileDescriptor> Open() const override {
    return Connect(AF_UNIX, SOCK_DGRAM, reinterpret_cast<const sockaddr*>(&address_),
                   sizeof address_);
  }

 private:
  sockaddr_un address_{};
};

class NetworkPlace : public ConnectedPlace {
 public:
  NetworkPlace(std::string host, std::string port, bool tcp)
      : ConnectedPlace(tcp), host_(std::move(host)), port_(std::move(port)) {}

 protected:
  Result<FileDescriptor> Open() const override {
    addrinfo wanted{};
    wanted.ai_socktype = is_stream() ? SOCK_STREAM : SOCK_DGRAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int failed = ::getaddrinfo(host_.c_str(), port_.c_str(), &wanted, &found);
        failed != 0) {
      return Error(Code::kUnavailable, host_ + ": " + ::gai_strerror(failed));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
    Result<FileDescriptor> socket = Error(Code::kUnavailable, host_ + " has no address");
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      socket = Connect(one->ai_family, one->ai_socktype, one->ai_addr, one->ai_addrlen);
      if (socket) break;
    }
    return socket;
  }

 private:
  const std::string host_, port_;
};

}  // namespace

Result<std::unique_ptr<SyslogPlace>> SyslogPlace::Make(std::string_view place) {
  constexpr std::string_view kUnix = "unix:";
  if (place.starts_with(kUnix) && UnixPlace::Fits(place.substr(kUnix.size()))) {
    return std::unique_ptr<SyslogPlace>(
        std::make_unique<UnixPlace>(std::string(place.substr(kUnix.size()))));
  }
  const bool tcp = place.starts_with("tcp:");
  const std::size_t colon = place.rfind(':');
  if ((tcp || place.starts_with("udp:")) && colon > 4 && colon + 1 < place.size()) {
    std::string_view host = place.substr(4, colon - 4);
    const std::string_view port = place.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const bool digits = port.find_first_not_of("0123456789") == std::string_view::npos;
    if (!host.empty() && digits && port.size() <= 5) {
      return std::unique_ptr<SyslogPlace>(
          std::make_unique<NetworkPlace>(std::string(host), std::string(port), tcp));
    }
  }
  return Error(Code::kInvalidArgument, "'" + std::string(place) +
                                           "' is no syslog collector: unix:/PATH, udp:HOST:PORT "
                                           "and tcp:HOST:PORT are");
}

}  // namespace dare::audit
