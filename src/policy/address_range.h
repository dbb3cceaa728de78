#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace dare::policy {

// AddressRange is all IP addresses that begin with the same bits: "10.0.0.0/8", "2001:db8::/32", or
// one address. An IPv4 address is the same where a listener for both shows it as "::ffff:10.0.0.1".
class AddressRange {
 public:
  // kInvalidArgument: no address, a length out of range, or bits behind the length.
  static Result<AddressRange> Parse(std::string_view text);

  // False for what is no address.
  bool Contains(std::string_view address) const;
  std::string text() const;

  friend bool operator==(const AddressRange&, const AddressRange&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  int bits_ = 0;  // of 128
  bool v4_ = false;
};

}  // namespace dare::policy
