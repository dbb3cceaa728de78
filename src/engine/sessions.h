#pragma once

#include "engine/asynchronous_book.h"
#include "engine/authenticator.h"
#include "engine/ticket_book.h"

namespace dare::engine {

// What lasts longer than a message and less long than an object: tickets, asynchronous requests,
// what passwords opened. In this process only. Thread-safe, as each part is.
struct Sessions {
  TicketBook tickets;
  AsynchronousBook asynchronous;
  Authenticator authenticator;
};

}  // namespace dare::engine
