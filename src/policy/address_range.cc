#include "policy/address_range.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace dare::policy {
namespace {

using Bytes16 = std::array<std::uint8_t, 16>;

constexpr Bytes16 kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
constexpr int kMappedBits = 96;

struct Address {
  Bytes16 bytes{};
  bool v4 = false;
};

std::optional<Address> Read(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos) return std::nullopt;
  const std::string whole(text);
  Address address{.bytes = kMapped, .v4 = true};
  if (inet_pton(AF_INET, whole.c_str(), address.bytes.data() + 12) == 1) return address;
  if (inet_pton(AF_INET6, whole.c_str(), address.bytes.data()) != 1) return std::nullopt;
  address.v4 = std::equal(kMapped.begin(), kMapped.begin() + 12, address.bytes.begin());
  return address;
}

bool SameBits(const Bytes16& a, const Bytes16& b, int bits) {
  const auto whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits % 8));
  return ((a[static_cast<std::size_t>(whole)] ^ b[static_cast<std::size_t>(whole)]) & mask) == 0;
}

}  // namespace

Result<AddressRange> AddressRange::Parse(std::string_view text) {
  const auto invalid = [&](const char* what) {
    return Error(Code::kInvalidArgument, "'" + std::string(text.substr(0, 64)) + "' " + what);
  };
  const std::size_t slash = text.find('/');
  const std::optional<Address> address = Read(text.substr(0, slash));
  if (!address) return invalid("is no range of IP addresses");
  AddressRange range;
  range.bytes_ = address->bytes;
  range.v4_ = address->v4;
  const int most = range.v4_ ? 32 : 128;
  int length = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, failure] =
        std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (failure != std::errc() || end != digits.data() + digits.size() || length < 0 ||
        length > most) {
      return invalid("has no length that fits its kind of address");
    }
  }
  range.bits_ = range.v4_ ? kMappedBits + length : length;
  Bytes16 masked = range.bytes_;
  for (int bit = range.bits_; bit < 128; ++bit) {
    masked[static_cast<std::size_t>(bit / 8)] &= static_cast<std::uint8_t>(~(0x80 >> (bit % 8)));
  }
  if (masked != range.bytes_) return invalid("has bits behind its length");
  return range;
}

bool AddressRange::Contains(std::string_view text) const {
  const std::optional<Address> address = Read(text);
  return address && address->v4 == v4_ && SameBits(address->bytes, bytes_, bits_);
}

std::string AddressRange::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  const int family = v4_ ? AF_INET : AF_INET6;
  const std::uint8_t* const from = v4_ ? bytes_.data() + 12 : bytes_.data();
  if (inet_ntop(family, from, buffer, sizeof buffer) == nullptr) return {};
  return std::string(buffer) + "/" + std::to_string(v4_ ? bits_ - kMappedBits : bits_);
}

}  // namespace dare::policy
