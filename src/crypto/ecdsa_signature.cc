#include "crypto/ecdsa_signature.h"

namespace dare::crypto {
namespace {

// INTEGER: no leading zero bytes but the one that keeps it positive.
void AppendInteger(Bytes& out, ByteView number) {
  while (number.size() > 1 && number[0] == 0) number = number.subspan(1);
  const bool pad = (number[0] & 0x80) != 0;
  out.push_back(0x02);
  out.push_back(static_cast<std::uint8_t>(number.size() + (pad ? 1 : 0)));
  if (pad) out.push_back(0);
  Append(out, number);
}

}  // namespace

Bytes DerSignature(ByteView raw) {
  Bytes numbers;
  AppendInteger(numbers, raw.first(raw.size() / 2));
  AppendInteger(numbers, raw.subspan(raw.size() / 2));
  Bytes der{0x30};
  if (numbers.size() > 0x7f) der.push_back(0x81);
  der.push_back(static_cast<std::uint8_t>(numbers.size()));
  Append(der, numbers);
  return der;
}

}  // namespace dare::crypto
