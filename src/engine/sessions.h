#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "engine/asynchronous_book.h"
#include "engine/authenticator.h"
#include "engine/key_holders.h"
#include "engine/outbox.h"
#include "engine/ticket_book.h"

namespace dare::engine {

class ApprovalDesk;
class ChangeRing;
class Doorkeeper;

// Under which the store's metadata keeps constraints and defaults, and how much for one principal.
inline constexpr char kRulesPrefix[] = "rules/";
inline constexpr std::size_t kMostRulesBytes = 64u << 10;

// What lasts longer than a message and less long than an object: tickets, asynchronous requests,
// what passwords opened. In this process only. Thread-safe, as each part is.
struct Sessions {
  TicketBook tickets;
  AsynchronousBook asynchronous;
  Authenticator authenticator;
  Outbox outbox;
  KeyHolders holders{outbox};
  // False: nobody has constraints or defaults, so that nobody need look.
  std::atomic<bool> rules_exist = false;
  // Who is not served now; null: everybody is. Constant once there are requests.
  Doorkeeper* doorkeeper = nullptr;
  // Where approvals are asked for; null: what needs one is refused. Constant, too.
  ApprovalDesk* approvals = nullptr;
  // Where other nodes find what was changed here; null: there are none. Constant, too.
  ChangeRing* change_ring = nullptr;
  // Called when a principal began to listen, before he is answered. Constant, too.
  std::function<void(const std::string& principal)> listens = [](const std::string&) {};
};

}  // namespace dare::engine
