#include "crypto/der_reader.h"

#include <cstddef>

namespace dare::crypto {
namespace {

constexpr std::uint8_t kLongTag = 0x1f;
constexpr std::size_t kMostLengthBytes = 4;

Error NotDer() { return Error(Code::kMalformed, "not DER"); }

}  // namespace

Result<DerView> DerReader::Next() {
  if (rest_.size() < 2 || (rest_[0] & kLongTag) == kLongTag) return NotDer();
  std::size_t head = 2;
  std::size_t size = rest_[1];
  if (size >= 0x80) {
    const std::size_t octets = size & 0x7f;
    if (octets == 0 || octets > kMostLengthBytes || rest_.size() < head + octets) return NotDer();
    size = 0;
    for (std::size_t i = 0; i < octets; ++i) size = size << 8 | rest_[head + i];
    if (size < 0x80 || rest_[head] == 0) return NotDer();  // fewer bytes would have done
    head += octets;
  }
  if (size > rest_.size() - head) return NotDer();
  const DerView element{rest_[0], rest_.subspan(head, size), rest_.first(head + size)};
  rest_ = rest_.subspan(head + size);
  return element;
}

Result<DerView> DerReader::Next(std::uint8_t tag) {
  if (!At(tag)) return NotDer();
  return Next();
}

Result<void> DerReader::End() const {
  if (!rest_.empty()) return NotDer();
  return {};
}

}  // namespace dare::crypto
