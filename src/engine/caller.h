#pragma once

#include <memory>
#include <string>

#include "engine/ticket_book.h"
#include "policy/principal.h"

namespace dare::engine {

class Endpoint;

// Who asks: made once for a connection, shared by its requests. Where a message shows credentials,
// a copy with another principal stands in for the length of that message.
struct Caller {
  policy::Principal principal;
  std::string address;
  std::string certificate;  // what names the client's certificate
  // The ticket that the message showed, for operations that must not pass on more than it gives.
  std::shared_ptr<LiveTicket> ticket;
  // The connection, where the server may send requests to it; null otherwise.
  std::shared_ptr<Endpoint> endpoint;
  // The server itself, which does what somebody arranged before who was allowed to: nothing judges
  // it. Never of anybody who comes over a connection.
  bool is_server = false;
};

}  // namespace dare::engine
