#include "kmip/identifier.h"

#include "kmip/tags.h"

namespace dare::kmip {

Result<Identifier> ReadIdentifier(ttlv::Reader& in, ProtocolVersion version) {
  Identifier identifier;
  if (!in.At(Tag::kUniqueIdentifier)) return identifier;
  if (version.major >= 2 && in.type() == ttlv::Type::kEnumeration) {
    identifier.value = TRY(in.Enum<UniqueIdentifier>(Tag::kUniqueIdentifier));
  } else if (version.major >= 2 && in.type() == ttlv::Type::kInteger) {
    identifier.value = TRY(in.Integer(Tag::kUniqueIdentifier));
  } else {
    identifier.value = std::string(TRY(in.Text(Tag::kUniqueIdentifier)));
  }
  return identifier;
}

void WriteIdentifier(ttlv::Writer& out, const Identifier& identifier) {
  if (const auto* text = std::get_if<std::string>(&identifier.value)) {
    out.Text(Tag::kUniqueIdentifier, *text);
  } else if (const auto* enumeration = std::get_if<UniqueIdentifier>(&identifier.value)) {
    out.Enum(Tag::kUniqueIdentifier, *enumeration);
  } else if (const auto* nth = std::get_if<std::int32_t>(&identifier.value)) {
    out.Integer(Tag::kUniqueIdentifier, *nth);
  }
}

}  // namespace dare::kmip
