#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Ticket (kmip-2.1 7.39): what Login gives and a Ticket credential shows. Who holds the value is
// who logged in: a secret.
struct Ticket {
  TicketType type = TicketType::kLogin;
  WipingBytes value;
};
Result<Ticket> ReadTicket(ttlv::Reader& in);
void WriteTicket(ttlv::Writer& out, const Ticket& ticket);

// How many operations (kmip-2.1 7.40), in a ticket or a right.
struct OperationLimit {
  std::int64_t total = 0;
  std::int64_t count = 0;
  UsageLimitsUnit unit = UsageLimitsUnit::kObject;
};
Result<std::optional<OperationLimit>> ReadOperationLimit(ttlv::Reader& in);
void WriteOperationLimit(ttlv::Writer& out, const OperationLimit& limit);

// What a client asks of its ticket (kmip-2.1 6.1.30); what it leaves out is for the server to say.
struct TicketTerms {
  std::optional<std::uint32_t> lease;         // seconds from now; 0: as long as the server permits
  std::optional<std::int64_t> good_until;     // POSIX seconds, in place of `lease`
  std::optional<std::int32_t> request_count;  // 0: as many as one likes
  std::optional<OperationLimit> usage_limits;
};
Result<TicketTerms> ReadTicketTerms(ttlv::Reader& in);
void WriteTicketTerms(ttlv::Writer& out, const TicketTerms& terms);

// Right (kmip-2.1 7.34): an aspect that is not given is not restricted.
struct TicketRight {
  std::optional<OperationLimit> usage_limits;
  std::optional<std::vector<Operation>> operations;
  std::optional<std::vector<std::string>> objects;  // Unique Identifiers
  std::optional<std::vector<std::string>> groups;   // Object Groups
};
// Rights; kTooLarge over kMostTicketRights rights or names in one.
inline constexpr std::size_t kMostTicketRights = 64;
Result<std::vector<TicketRight>> ReadRights(ttlv::Reader& in);
void WriteRights(ttlv::Writer& out, const std::vector<TicketRight>& rights);

}  // namespace dare::kmip
