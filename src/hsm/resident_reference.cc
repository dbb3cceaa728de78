#include "hsm/resident_reference.h"

#include <algorithm>
#include <optional>

namespace dare::hsm {
namespace {

constexpr std::uint8_t kMagic[] = {'D', 'a', 'R', 'R', 1};  // the last byte: version
constexpr std::size_t kHeadBytes = sizeof kMagic + 1 + 4;
constexpr std::size_t kIdBytes = 16;

void AddField(Bytes& out, ByteView field) {
  std::uint8_t length[2];
  PutU16(length, static_cast<std::uint16_t>(field.size()));
  Append(out, length);
  Append(out, field);
}

std::optional<ByteView> TakeField(ByteView& rest) {
  if (rest.size() < 2) return std::nullopt;
  const std::size_t length = GetU16(rest.data());
  if (rest.size() - 2 < length) return std::nullopt;
  const ByteView field = rest.subspan(2, length);
  rest = rest.subspan(2 + length);
  return field;
}

Error NoReference() { return Error(Code::kDamaged, "not a reference to a key in the HSM"); }

}  // namespace

Result<SecretBytes> ResidentReference::Encode() const {
  Bytes out(std::begin(kMagic), std::end(kMagic));
  out.push_back(static_cast<std::uint8_t>(kind));
  std::uint8_t number[4];
  PutU32(number, bits);
  Append(out, number);
  for (const ByteView field : {AsBytes(token_label), AsBytes(token_serial), ByteView(id),
                               ByteView(check), ByteView(public_key)}) {
    if (field.size() > 0xffff) return Error(Code::kTooLarge, "a key reference is too long");
    AddField(out, field);
  }
  return SecretBytes::CopyOf(out);
}

bool ResidentReference::Is(ByteView material) {
  return material.size() >= sizeof kMagic &&
         std::equal(std::begin(kMagic), std::end(kMagic), material.begin());
}

Result<ResidentReference> ResidentReference::Parse(ByteView material) {
  if (!Is(material) || material.size() < kHeadBytes) return NoReference();
  const std::uint8_t kind = material[sizeof kMagic];
  if (kind < static_cast<std::uint8_t>(ResidentKind::kAes) ||
      kind > static_cast<std::uint8_t>(ResidentKind::kEc)) {
    return NoReference();
  }
  ResidentReference reference;
  reference.kind = static_cast<ResidentKind>(kind);
  reference.bits = GetU32(material.data() + sizeof kMagic + 1);
  ByteView rest = material.subspan(kHeadBytes);
  const auto label = TakeField(rest);
  const auto serial = TakeField(rest);
  const auto id = TakeField(rest);
  const auto check = TakeField(rest);
  const auto public_key = TakeField(rest);
  if (!public_key || !rest.empty() || id->size() != kIdBytes ||
      reference.IsPair() == public_key->empty()) {
    return NoReference();
  }
  reference.token_label = AsText(*label);
  reference.token_serial = AsText(*serial);
  reference.id = ToBytes(*id);
  reference.check = ToBytes(*check);
  reference.public_key = ToBytes(*public_key);
  return reference;
}

}  // namespace dare::hsm
