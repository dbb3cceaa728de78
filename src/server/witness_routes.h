#pragma once

#include <functional>
#include <string>

#include "server/admin.h"
#include "server/https.h"

namespace dare::server {

// Other nodes bring the checkpoints of their audit logs here (docs/audit.md "A second place").
inline constexpr std::string_view kWitnessPath = "/witness/v1/checkpoint";

// Keeps them behind the routes. Any thread; calls may wait for the disk.
class WitnessOffice {
 public:
  virtual ~WitnessOffice() = default;
  // Whether this is a node whose log is witnessed here: only such peers come to the others.
  virtual bool IsWitnessed(const Peer& peer) = 0;
  // Durable when it returns. kConflict: it contradicts what is here.
  virtual Result<void> Take(const std::string& checkpoint, const std::string& public_key,
                            const Peer& peer) = 0;
  // The text of the newest one; empty: there is none.
  virtual Result<std::string> Newest(const Peer& peer) = 0;
};

// WitnessRoutes are what nodes ask at kWitnessPath: POST brings a checkpoint, GET gives the newest
// one. Everything else goes to `next`. Thread-safe; `next` and `office` outlive it.
class WitnessRoutes : public HttpRoutes {
 public:
  // `observer` hears of each peer that may not, and of each checkpoint that was refused.
  using Observer = std::function<Result<void>(const AdminEvent& event)>;
  WitnessRoutes(HttpRoutes& next, WitnessOffice& office, Observer observer)
      : next_(next), office_(office), observer_(std::move(observer)) {}
  HttpResponse Serve(const HttpRequest& request, const Caller& caller) override;

 private:
  HttpRoutes& next_;
  WitnessOffice& office_;
  const Observer observer_;
};

}  // namespace dare::server
