#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "server/peer.h"

namespace dare::server {

// Framing says where a message ends in a stream of bytes. Stateless and thread-safe.
class Framing {
 public:
  virtual ~Framing() = default;
  // The size of the message at the front of `bytes`, as soon as its head tells; 0 while it does
  // not. An error (kMalformed, kTooLarge) ends the connection. It is asked again whenever more
  // bytes have come, and before any memory is set aside for the message. How much may come can
  // depend on who sends it.
  virtual Result<std::size_t> MessageSize(ByteView bytes, const Peer& peer) const = 0;
  // What a peer is told that sent the head of a message and waits for a word before it sends the
  // rest; nothing when it does not wait. `bytes` are less than a message.
  virtual WipingBytes GoAhead(ByteView /*bytes*/) const { return {}; }
  // What is still said to a peer whose bytes were refused; nothing by default.
  virtual WipingBytes Refusal(const Error& /*error*/) const { return {}; }
};

// KMIP messages: a TTLV structure with the tag Request Message, or Response Message where the
// server asked something. kmip-2.1, 9.1.
class KmipFraming : public Framing {
 public:
  explicit KmipFraming(std::size_t limit) : limit_(limit) {}
  Result<std::size_t> MessageSize(ByteView bytes, const Peer& peer) const override;

 private:
  const std::size_t limit_;
};

}  // namespace dare::server
