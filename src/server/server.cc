#include "server/server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

namespace dare::server {
namespace {

constexpr int kBacklog = 4096;

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

Result<Address> ParseAddress(const std::string& text, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(text.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) {
    return Error(Code::kInvalidArgument,
                 "'" + text + "' is not a numeric IP address: " + ::gai_strerror(status));
  }
  Address address;
  address.length = found->ai_addrlen;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

Result<FileDescriptor> Listen(const std::string& text, std::uint16_t port) {
  const Address address = TRY(ParseAddress(text, port));
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
  FileDescriptor fd(::socket(raw->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return IoError("cannot make a socket", errno);
  const int one = 1, zero = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (raw->sa_family == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  }
  const std::string where = text + " port " + std::to_string(port);
  if (::bind(fd.get(), raw, address.length) != 0) return IoError("cannot bind " + where, errno);
  if (::listen(fd.get(), kBacklog) != 0) return IoError("cannot listen on " + where, errno);
  return fd;
}

std::uint16_t PortOf(const FileDescriptor& fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return 0;
  return ntohs(storage.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(storage).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(storage).sin_port);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, const TlsContext& tls,
                                              const Framing& framing, RequestHandler& handler) {
  std::unique_ptr<Server> server(new Server());
  server->shared_.limits = options.limits;
  server->shared_.tls = &tls;
  server->shared_.framing = &framing;
  server->shared_.handler = &handler;
  server->shared_.observer = options.observer;
  server->shared_.visitors = std::make_unique<Visitors>(options.limits.visitors);
  server->shared_.accounts =
      options.accounts != nullptr ? options.accounts : std::make_shared<Accounts>(AccountLimits{});
  FileDescriptor listener = TRY(Listen(options.address, options.port));
  server->port_ = PortOf(listener);
  const std::uint32_t threads =
      options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  server->shared_.half_open_each = std::max(1u, options.limits.half_open / threads);
  std::vector<Loop*> loops;
  for (std::uint32_t i = 0; i < threads; ++i) {
    server->loops_.push_back(TRY(Loop::Make(server->shared_)));
    loops.push_back(server->loops_.back().get());
  }
  loops.front()->Listen(std::move(listener), loops);
  for (Loop* loop : loops) loop->Start();
  return server;
}

Server::~Server() {
  // Every thread ends before any loop goes: the accepting one knows the others.
  for (auto& loop : loops_) loop->Abandon();
  for (auto& loop : loops_) loop->Join();
}

void Server::BeginStop() {
  for (auto& loop : loops_) loop->Stop();
}

void Server::Stop() {
  BeginStop();
  for (auto& loop : loops_) loop->Join();
}

}  // namespace dare::server
