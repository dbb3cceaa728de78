#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dare::audit {

// A SyslogPlace is a collector that understands RFC 5424: a datagram socket of this machine, or one
// over UDP or TCP (with octet counting, RFC 6587). What was sent is gone: whether it arrived cannot
// be known. One thread at a time; calls may wait for some seconds.
class SyslogPlace {
 public:
  // "unix:/PATH", "udp:HOST:PORT" or "tcp:HOST:PORT" (an IPv6 address in brackets).
  // kInvalidArgument for anything else. Connects to nothing yet.
  static Result<std::unique_ptr<SyslogPlace>> Make(std::string_view place);
  virtual ~SyslogPlace() = default;
  // Connects where there is no connection, or the other side has closed it. After a failure the
  // next call connects anew. kTooLarge: no datagram is so large.
  virtual Result<void> Send(std::string_view message) = 0;
  virtual void Close() = 0;
};

}  // namespace dare::audit
