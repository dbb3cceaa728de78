#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"

namespace dare::kmip {
struct ResponseItem;
}

namespace dare::engine {

// What a client that took the server's role can do there: which version it is best told things in
// (Discover Versions), and which of them it takes (Query). It is asked once, one question after the
// other; as long as it does not say, it takes everything, in the version in which it took the role.
//
//   while (auto question = abilities.Question()) { send it; abilities.TakeAnswer(what came); }
//
// A value; one thread at a time.
class ClientAbilities {
 public:
  // Of a client that is asked nothing: an agreement outside of the protocol, any version.
  ClientAbilities() : stage_(Stage::kKnown) {}
  // Of one that spoke `version` when it took the role.
  explicit ClientAbilities(kmip::ProtocolVersion version) : version_(version) {}

  // Of what is sent; nothing: of whatever version the change was made in.
  std::optional<kmip::ProtocolVersion> version() const { return version_; }
  // Whether it takes Notify or Put. As long as it did not say: yes.
  bool Takes(kmip::Operation operation) const;

  // The message to send now; nothing when all is known.
  std::optional<WipingBytes> Question() const;
  // The answer to it. An error when it is none, and the connection of no more use; a refusal is an
  // answer.
  Result<void> TakeAnswer(ByteView message);

 private:
  enum class Stage : std::uint8_t { kVersions, kOperations, kKnown };
  Result<void> TakeVersions(const kmip::ResponseItem& answer, kmip::ProtocolVersion version);
  Result<void> TakeOperations(const kmip::ResponseItem& answer, kmip::ProtocolVersion version);

  Stage stage_ = Stage::kVersions;
  std::optional<kmip::ProtocolVersion> version_;
  std::optional<std::vector<kmip::Operation>> operations_;
};

}  // namespace dare::engine
