#pragma once

#include <cstdint>

// The two binary fields of secret sharing (kmip-2.1 13.1), without tables or branches on values, so
// that time and memory accesses say nothing of them. Addition is XOR.
namespace dare::crypto {

// GF(2)[x]/(x^8+x^4+x^3+x^2+1).
struct Gf256 {
  using Element = std::uint8_t;
  static constexpr std::uint32_t kSize = 256;

  static constexpr Element Multiply(Element a, Element b) {
    unsigned product = 0;
    unsigned shifted = a;
    for (unsigned bit = 0; bit < 8; ++bit) {
      product ^= shifted & (0u - ((b >> bit) & 1u));
      shifted = (shifted << 1) ^ (0x11Du & (0u - ((shifted >> 7) & 1u)));
    }
    return static_cast<Element>(product);
  }
  // a^254; 0 for 0.
  static constexpr Element Invert(Element a) {
    Element result = 1;
    Element power = a;
    for (unsigned bit = 1; bit < 8; ++bit) {
      power = Multiply(power, power);
      result = Multiply(result, power);
    }
    return result;
  }
};

// Pairs (u, v) = u*y + v over Gf256, y^2 = y + 0x3a; u is the upper byte.
struct Gf65536 {
  using Element = std::uint16_t;
  static constexpr std::uint32_t kSize = 65536;
  static constexpr std::uint8_t kM = 0x3A;

  static constexpr std::uint8_t Upper(Element e) { return static_cast<std::uint8_t>(e >> 8); }
  static constexpr std::uint8_t Lower(Element e) { return static_cast<std::uint8_t>(e); }
  static constexpr Element Pair(unsigned u, unsigned v) {
    return static_cast<Element>((u << 8) | v);
  }
  //= kmip-2.1 13.1 Split Key Algorithms
  //# (ry + s) (uy + v) = ((r + s)(u + v) + sv)y + (ru + svm)
  // With y^2 = y + m the constant term is sv + rum, and so it is here; the text has m at the wrong
  // product. The inverse that the text gives, with d = (u + v)v + mu^2, agrees with this one.
  static constexpr Element Multiply(Element a, Element b) {
    const std::uint8_t r = Upper(a), s = Lower(a), u = Upper(b), v = Lower(b);
    const std::uint8_t ru = Gf256::Multiply(r, u), sv = Gf256::Multiply(s, v);
    const std::uint8_t cross =
        Gf256::Multiply(static_cast<std::uint8_t>(r ^ s), static_cast<std::uint8_t>(u ^ v));
    return Pair(static_cast<unsigned>(cross ^ sv),
                static_cast<unsigned>(sv ^ Gf256::Multiply(ru, kM)));
  }
  //# (uy + v)^-1 = ud^-1y + (u + v)d^-1, where d = (u + v)v + mu^2
  static constexpr Element Invert(Element a) {
    const std::uint8_t u = Upper(a), v = Lower(a);
    const auto sum = static_cast<std::uint8_t>(u ^ v);
    const auto d = static_cast<std::uint8_t>(Gf256::Multiply(sum, v) ^
                                             Gf256::Multiply(kM, Gf256::Multiply(u, u)));
    const std::uint8_t inverse = Gf256::Invert(d);
    return Pair(Gf256::Multiply(u, inverse), Gf256::Multiply(sum, inverse));
  }
};

}  // namespace dare::crypto
