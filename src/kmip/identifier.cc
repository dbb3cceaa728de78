#include "kmip/identifier.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<Identifier> ReadIdentifier(ttlv::Reader& in, ProtocolVersion version) {
  return ReadIdentifierAt(Tag::kUniqueIdentifier, in, version);
}

void WriteIdentifier(ttlv::Writer& out, const Identifier& identifier) {
  WriteIdentifierAt(Tag::kUniqueIdentifier, out, identifier);
}

Result<Identifier> ReadIdentifierAt(Tag tag, ttlv::Reader& in, ProtocolVersion version) {
  Identifier identifier;
  if (!in.At(tag)) return identifier;
  if (version.major >= 2 && in.type() == ttlv::Type::kEnumeration) {
    identifier.value = TRY(in.Enum<UniqueIdentifier>(tag));
  } else if (version.major >= 2 && in.type() == ttlv::Type::kInteger) {
    identifier.value = TRY(in.Integer(tag));
  } else {
    identifier.value = std::string(TRY(in.Text(tag)));
  }
  return identifier;
}

void WriteIdentifierAt(Tag tag, ttlv::Writer& out, const Identifier& identifier) {
  if (const auto* text = std::get_if<std::string>(&identifier.value)) {
    out.Text(tag, *text);
  } else if (const auto* enumeration = std::get_if<UniqueIdentifier>(&identifier.value)) {
    out.Enum(tag, *enumeration);
  } else if (const auto* nth = std::get_if<std::int32_t>(&identifier.value)) {
    out.Integer(tag, *nth);
  }
}

}  // namespace dare::kmip
