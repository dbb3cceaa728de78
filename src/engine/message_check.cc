#include "engine/message_check.h"

#include <cstdint>
#include <cstdlib>

#include "engine/refusal.h"
#include "engine/versions.h"
#include "kmip/reject.h"

namespace dare::engine {

using kmip::Reject;
using kmip::ResultReason;

Result<void> CheckMessage(const kmip::RequestMessage& message, const ServerFacts& facts,
                          const Clock& clock) {
  const kmip::RequestHeader& header = message.header();
  const kmip::ProtocolVersion version = header.version;
  if (!IsSupported(version)) {
    return RejectIn(ClosestSupported(version), ResultReason::kInvalidMessage,
                    ResultReason::kUnsupportedProtocolVersion,
                    "this protocol version is not supported");
  }
  const kmip::RequestMessage::Survey items = message.LookAtItems();
  //= kmip-1.4 6.14 Batch Count
  //# it SHALL be equal to the number of batch items in the message
  if (header.batch_count != items.items || header.batch_count < 1) {
    return Reject(ResultReason::kInvalidMessage, "Batch Count is not the number of batch items");
  }
  if (items.repeated_id) {
    return Reject(ResultReason::kInvalidMessage, "a Unique Batch Item ID stands there twice");
  }
  //= kmip-2.1 9.13 Message Extension
  //# If the indicator is True (i.e., Critical), and the receiver does not understand the extension,
  //# then the receiver SHALL reject the entire message.
  if (items.critical_extension) {
    return RejectIn(version, ResultReason::kFeatureNotSupported,
                    ResultReason::kUnknownMessageExtension, "unknown critical Message Extension");
  }
  //= kmip-2.1 9.20 Time Stamp
  //# a server MAY choose to reject a request if a client's time stamp contains a value that is too
  //# far off the server's time
  const std::int64_t skew = facts.most_clock_skew;
  if (skew != 0 && header.time_stamp && std::abs(*header.time_stamp - clock.Now()) > skew) {
    return Reject(ResultReason::kInvalidField, "the Time Stamp is too far off the server's time");
  }
  return {};
}

}  // namespace dare::engine
