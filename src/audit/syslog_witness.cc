#include "audit/syslog_witness.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"

namespace dare::audit {
namespace {

constexpr int kAuditNotice = 13 * 8 + 5;
constexpr timeval kPatience{5, 0};

// JSON with every byte in ASCII: the em dash of a checkpoint is the one character that is not.
std::string AsciiJson(const std::string& checkpoint) {
  constexpr std::string_view kDash = "\xE2\x80\x94";
  std::string text = boost::json::serialize(boost::json::object{{"checkpoint", checkpoint}});
  for (std::size_t at = text.find(kDash); at != std::string::npos; at = text.find(kDash, at)) {
    text.replace(at, kDash.size(), "\\u2014");
  }
  return text;
}

Result<FileDescriptor> OpenSocket(int family, int type) {
  FileDescriptor socket(::socket(family, type | SOCK_CLOEXEC, 0));
  if (!socket) return IoError("cannot make a socket", errno);
  // Bounds connect() and send().
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  return socket;
}

Result<void> SendAll(const FileDescriptor& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot send", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

class UnixPlace {
 public:
  explicit UnixPlace(const std::string& path) {
    address_.sun_family = AF_UNIX;
    std::memcpy(address_.sun_path, path.data(), path.size());
  }
  static bool Fits(std::string_view path) {
    return path.starts_with('/') && path.size() < sizeof(sockaddr_un::sun_path);
  }
  Result<void> Send(const std::string& message) const {
    const FileDescriptor socket = TRY(OpenSocket(AF_UNIX, SOCK_DGRAM));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_) !=
        0) {
      return IoError("cannot connect", errno);
    }
    return SendAll(socket, message);
  }

 private:
  sockaddr_un address_{};
};

class NetworkPlace {
 public:
  NetworkPlace(std::string host, std::string port, bool tcp)
      : host_(std::move(host)), port_(std::move(port)), tcp_(tcp) {}

  Result<void> Send(const std::string& message) const {
    addrinfo wanted{};
    wanted.ai_socktype = tcp_ ? SOCK_STREAM : SOCK_DGRAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int failed = ::getaddrinfo(host_.c_str(), port_.c_str(), &wanted, &found);
        failed != 0) {
      return Error(Code::kUnavailable, host_ + ": " + ::gai_strerror(failed));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
    Result<void> sent = Error(Code::kUnavailable, host_ + " has no address");
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
      sent = SendTo(*one, message);
      if (sent) return {};
    }
    return sent;
  }

 private:
  Result<void> SendTo(const addrinfo& address, const std::string& message) const {
    const FileDescriptor socket = TRY(OpenSocket(address.ai_family, address.ai_socktype));
    if (::connect(socket.get(), address.ai_addr, address.ai_addrlen) != 0) {
      return IoError("cannot connect", errno);
    }
    return SendAll(socket, tcp_ ? std::to_string(message.size()) + " " + message : message);
  }

  const std::string host_, port_;
  const bool tcp_;
};

template <typename Place>
class SyslogWitness : public Witness {
 public:
  SyslogWitness(std::string name, Place place) : name_(std::move(name)), place_(std::move(place)) {}
  std::string name() const override { return name_; }
  Result<std::optional<SignedCheckpoint>> Newest() override {
    return std::optional<SignedCheckpoint>();
  }
  Result<void> Record(const std::string& text) override {
    const std::string message = TRY(SyslogMessage(text));
    return place_.Send(message);
  }

 private:
  const std::string name_;
  const Place place_;
};

template <typename Place>
std::unique_ptr<Witness> Made(std::string_view name, Place place) {
  return std::make_unique<SyslogWitness<Place>>("syslog:" + std::string(name), std::move(place));
}

}  // namespace

Result<std::string> SyslogMessage(const std::string& checkpoint) {
  const SignedCheckpoint parsed = TRY(ParseCheckpoint(checkpoint));
  const std::string& origin = parsed.checkpoint.origin;
  const std::string node = origin.substr(origin.find('/') + 1);
  return "<" + std::to_string(kAuditNotice) + ">1 " +
         std::string(TimeText(parsed.checkpoint.time)) + " " + node + " dare-kms - checkpoint - " +
         AsciiJson(checkpoint);
}

Result<std::unique_ptr<Witness>> MakeSyslogWitness(std::string_view place) {
  constexpr std::string_view kUnix = "unix:";
  if (place.starts_with(kUnix) && UnixPlace::Fits(place.substr(kUnix.size()))) {
    return Made(place, UnixPlace(std::string(place.substr(kUnix.size()))));
  }
  const bool tcp = place.starts_with("tcp:");
  const std::size_t colon = place.rfind(':');
  if ((tcp || place.starts_with("udp:")) && colon > 4 && colon + 1 < place.size()) {
    std::string_view host = place.substr(4, colon - 4);
    const std::string_view port = place.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const bool digits = port.find_first_not_of("0123456789") == std::string_view::npos;
    if (!host.empty() && digits && port.size() <= 5) {
      return Made(place, NetworkPlace(std::string(host), std::string(port), tcp));
    }
  }
  return Error(Code::kInvalidArgument,
               "'syslog:" + std::string(place) +
                   "' is no witness: syslog:unix:/PATH, syslog:udp:HOST:PORT and "
                   "syslog:tcp:HOST:PORT are");
}

}  // namespace dare::audit
