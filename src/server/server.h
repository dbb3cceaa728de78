#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/loop.h"

namespace dare::server {

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric IPv4 or IPv6; "::" takes both
  std::uint16_t port = 0;             // 0: any free one, see Server::port()
  std::uint32_t threads = 1;          // loops; 0: one a core
  Limits limits;
  std::shared_ptr<Accounts> accounts;  // shared with other listeners; null: nobody is limited
  RefusalObserver observer;
};

// A Server listens on one port and serves its connections on its loops until it is stopped.
// `tls`, `framing` and `handler` outlive it. Thread-safe.
class Server {
 public:
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, const TlsContext& tls,
                                               const Framing& framing, RequestHandler& handler);
  ~Server();

  std::uint16_t port() const { return port_; }
  std::size_t connections() const { return shared_.visitors->total(); }
  // Begins to stop: no new connections, requests in flight are finished within Limits::shutdown.
  void BeginStop();
  // BeginStop() and wait for the end.
  void Stop();

 private:
  Server() = default;

  Shared shared_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace dare::server
