#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "kmip/ticket.h"
#include "ttlv/item.h"
#include "ttlv/writer.h"

// What a Request Header shows of who asks (kmip-2.1 9.4, 9.11; kmip-1.4 2.1.2). Texts borrow from
// the message's bytes.
namespace dare::kmip {

struct PasswordCredential {
  std::string_view username;
  std::optional<std::string_view> password;
};

struct DeviceCredential {
  std::optional<std::string_view> serial_number, password, device, network, machine, media;

  // The fields that identify, as one name in a fixed form; empty when none is given. The device is
  // the user of that name.
  std::string Name() const;
};

// Evidence is read and judged by nobody here.
struct AttestationCredential {
  AttestationType type{};
};

struct OneTimePasswordCredential {
  std::string_view username;
  std::optional<std::string_view> password;
  std::string_view one_time_password;
};

struct HashedPasswordCredential {
  std::string_view username;
  std::int64_t time_stamp = 0;  // microseconds since the epoch
  HashingAlgorithm hash = HashingAlgorithm::kSHA_256;
  ByteView hashed_password;
};

struct TicketCredential {
  Ticket ticket;
};

using Credential =
    std::variant<PasswordCredential, DeviceCredential, AttestationCredential,
                 OneTimePasswordCredential, HashedPasswordCredential, TicketCredential>;

// The Credentials of an Authentication structure: at least one, and more only since 1.2.
// kMalformed; Invalid Field for a type that `version` does not have.
Result<std::vector<Credential>> ReadAuthentication(const ttlv::Item& authentication,
                                                   ProtocolVersion version);
// An Authentication with one Credential.
void WriteAuthentication(ttlv::Writer& out, const Credential& credential);

}  // namespace dare::kmip
