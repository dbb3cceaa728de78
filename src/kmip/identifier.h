#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// How a request names the object it means: not at all (the ID Placeholder), by text, and since 2.0
// by what an earlier item of the batch made (an enumeration), or by position among the identifiers
// that the batch answered so far (an integer, negative from the end). kmip-2.1 4.61 Unique
// Identifier; kmip-1.4 4 (ID Placeholder).
struct Identifier {
  std::variant<std::monostate, std::string, UniqueIdentifier, std::int32_t> value;

  Identifier() = default;
  explicit Identifier(std::string_view id) : value(std::string(id)) {}
  bool omitted() const { return std::holds_alternative<std::monostate>(value); }
};

// At Unique Identifier, or anywhere else when it is omitted.
Result<Identifier> ReadIdentifier(ttlv::Reader& in, ProtocolVersion version);
void WriteIdentifier(ttlv::Writer& out, const Identifier& identifier);
// The same under another tag (Certificate Request Unique Identifier, …).
Result<Identifier> ReadIdentifierAt(Tag tag, ttlv::Reader& in, ProtocolVersion version);
void WriteIdentifierAt(Tag tag, ttlv::Writer& out, const Identifier& identifier);

}  // namespace dare::kmip
