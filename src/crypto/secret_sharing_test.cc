#include "crypto/secret_sharing.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "crypto/binary_fields.h"
#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

const RandomSource& Random() {
  static const auto* const source =
      new std::unique_ptr<RandomSource>(*RandomSource::Open(RandomGenerator::kDrbg, {}));
  return **source;
}

SharingScheme Scheme(SharingMethod method, std::uint32_t threshold, std::uint32_t parts,
                     std::size_t secret_bytes) {
  SharingScheme scheme{method, parts, threshold, {}};
  if (method == SharingMethod::kPrimeField) scheme.prime = *MakeSharingPrime(secret_bytes);
  return scheme;
}

std::vector<SecretPart> Some(const std::vector<SecretPart>& parts, std::uint32_t mask) {
  std::vector<SecretPart> some;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if ((mask >> i & 1u) != 0) some.push_back({parts[i].identifier, *parts[i].bytes.Clone()});
  }
  return some;
}

constexpr SharingMethod kMethods[] = {SharingMethod::kXor, SharingMethod::kGf256,
                                      SharingMethod::kGf65536, SharingMethod::kPrimeField};

TEST(BinaryFields, HaveAnInverseForEachElement) {
  static_assert(Gf256::Multiply(0x80, 2) == 0x1D, "polynomial 285");
  for (unsigned a = 1; a < Gf256::kSize; ++a) {
    const auto e = static_cast<std::uint8_t>(a);
    EXPECT_EQ(Gf256::Multiply(e, Gf256::Invert(e)), 1);
  }
  for (unsigned a = 1; a < Gf65536::kSize; ++a) {
    const auto e = static_cast<std::uint16_t>(a);
    ASSERT_EQ(Gf65536::Multiply(e, Gf65536::Invert(e)), 1) << a;
  }
}

TEST(BinaryFields, MultiplicationDistributesOverAddition) {
  for (unsigned i = 0; i < 20000; ++i) {
    const auto a = static_cast<std::uint16_t>(i * 40503), b = static_cast<std::uint16_t>(i * 30011),
               c = static_cast<std::uint16_t>(i * 12289 + 7);
    ASSERT_EQ(Gf65536::Multiply(a, static_cast<std::uint16_t>(b ^ c)),
              Gf65536::Multiply(a, b) ^ Gf65536::Multiply(a, c));
    ASSERT_EQ(Gf65536::Multiply(Gf65536::Multiply(a, b), c),
              Gf65536::Multiply(a, Gf65536::Multiply(b, c)));
  }
}

TEST(SecretSharing, JoinsThePartsThatOasisPrinted) {
  // TC-SJ-2-12: 2 of 4 in GF(2^8)
  const char* const printed[] = {
      "66c46a7754f94de420c7b1a7fff5ec56", "cf93d1e2a7e593cd5b8d6247f4e5d49c",
      "a855b891f61ad9217240d8ec061e37da", "803dbad55cdd329fad19d99ae2c5a415"};
  const SharingScheme scheme{SharingMethod::kGf256, 4, 2, {}};
  std::vector<SecretPart> all;
  for (std::uint32_t i = 0; i < 4; ++i) {
    all.push_back({i + 1, *SecretBytes::CopyOf(Hex(printed[i]))});
  }
  for (const std::uint32_t mask : {0b0101u, 0b0011u, 0b1001u, 0b1111u}) {
    const auto joined = JoinSecret(scheme, Some(all, mask), 16);
    ASSERT_TRUE(joined.has_value());
    EXPECT_EQ(ToHex(joined->Reveal()), "0102030405060708090a0b0c0d0e0f10");
  }
}

TEST(SecretSharing, AnyThresholdOpensAndOneLessDoesNot) {
  for (const SharingMethod method : kMethods) {
    for (const std::size_t bytes : {1u, 16u, 33u}) {
      const bool exclusive_or = method == SharingMethod::kXor;
      const SharingScheme scheme = Scheme(method, exclusive_or ? 5 : 3, 5, bytes);
      const SecretBytes secret = *Random().Secret(bytes);
      const auto parts = SplitSecret(scheme, secret.Reveal(), Random());
      ASSERT_TRUE(parts.has_value()) << parts.error().message;
      ASSERT_EQ(parts->size(), 5u);
      for (std::uint32_t mask = 1; mask < 32; ++mask) {
        const auto some = Some(*parts, mask);
        const auto joined = JoinSecret(scheme, some, bytes);
        if (some.size() >= scheme.threshold) {
          ASSERT_TRUE(joined.has_value()) << joined.error().message;
          EXPECT_TRUE(*joined == secret);
        } else {
          EXPECT_EQ(joined.error().code, Code::kDamaged);
        }
      }
    }
  }
}

// Whatever a threshold less one of parts are: for every secret there is exactly one further part
// that would open it. So they say nothing about which secret it is.
TEST(SecretSharing, OneLessThanTheThresholdIsConsistentWithEverySecret) {
  for (const SharingMethod method : {SharingMethod::kXor, SharingMethod::kGf256,
                                     SharingMethod::kGf65536, SharingMethod::kPrimeField}) {
    const std::size_t bytes = method == SharingMethod::kGf65536 ? 2 : 1;
    SharingScheme scheme{method, 3, 3, {}};
    std::uint32_t values = bytes == 2 ? 65536 : 256;
    if (method == SharingMethod::kPrimeField) {
      scheme.prime = Hex("0101");  // 257
      values = 257;
    }
    auto parts = *SplitSecret(scheme, Bytes(bytes, 0x5a), Random());
    std::set<std::string> secrets;
    for (std::uint32_t value = 0; value < values; ++value) {
      MutableBytes last = parts[2].bytes.RevealMutable();
      last[last.size() - 1] = static_cast<std::uint8_t>(value);
      if (last.size() == 2) last[0] = static_cast<std::uint8_t>(value >> 8);
      const auto joined = JoinSecret(scheme, parts, bytes);
      // The number 256 of the field is no secret of one byte.
      secrets.insert(joined ? ToHex(joined->Reveal()) : "too long");
    }
    EXPECT_EQ(secrets.size(), values);
  }
}

TEST(SecretSharing, TheSameSecretTwiceHasOtherParts) {
  for (const SharingMethod method : kMethods) {
    const SharingScheme scheme = Scheme(method, 2, 2, 16);
    const auto a = *SplitSecret(scheme, Bytes(16, 1), Random());
    const auto b = *SplitSecret(scheme, Bytes(16, 1), Random());
    for (std::size_t i = 0; i < 2; ++i) EXPECT_FALSE(a[i].bytes == b[i].bytes);
  }
}

TEST(SecretSharing, RefusesPartsThatDoNotFit) {
  const SharingScheme scheme = Scheme(SharingMethod::kGf256, 2, 3, 16);
  const auto parts = *SplitSecret(scheme, Bytes(16, 1), Random());
  auto twice = Some(parts, 0b011);
  twice[1].identifier = 1;
  EXPECT_EQ(JoinSecret(scheme, twice, 16).error().code, Code::kDamaged);
  auto outside = Some(parts, 0b011);
  outside[1].identifier = 4;
  EXPECT_EQ(JoinSecret(scheme, outside, 16).error().code, Code::kDamaged);
  outside[1].identifier = 0;
  EXPECT_EQ(JoinSecret(scheme, outside, 16).error().code, Code::kDamaged);
  auto changed = Some(parts, 0b111);
  changed[2].bytes.RevealMutable()[3] ^= 1;
  EXPECT_EQ(JoinSecret(scheme, changed, 16).error().code, Code::kDamaged)
      << "the third disagrees with the others";
  auto short_part = Some(parts, 0b011);
  short_part[0].bytes = *SecretBytes::OfSize(15);
  EXPECT_EQ(JoinSecret(scheme, short_part, 16).error().code, Code::kDamaged);
  EXPECT_EQ(JoinSecret(scheme, Some(parts, 0b011), 15).error().code, Code::kDamaged);
}

TEST(SecretSharing, RefusesSchemesThatCannotBe) {
  const auto check = [](SharingMethod method, std::uint32_t threshold, std::uint32_t parts,
                        const Bytes& prime = {}) {
    const SharingScheme scheme{method, parts, threshold, prime};
    const auto split = SplitSecret(scheme, Bytes(16, 1), Random());
    return split ? Code::kInternal : split.error().code;
  };
  EXPECT_EQ(check(SharingMethod::kGf256, 0, 3), Code::kInvalidArgument);
  EXPECT_EQ(check(SharingMethod::kGf256, 4, 3), Code::kInvalidArgument);
  EXPECT_EQ(check(SharingMethod::kGf256, 2, 256), Code::kInvalidArgument);
  EXPECT_EQ(check(SharingMethod::kXor, 2, 3), Code::kInvalidArgument);
  EXPECT_EQ(check(SharingMethod::kPrimeField, 2, 3), Code::kInvalidArgument) << "no prime";
  EXPECT_EQ(check(SharingMethod::kPrimeField, 2, 3, Hex("0101")), Code::kInvalidArgument)
      << "too small";
  EXPECT_EQ(check(SharingMethod::kPrimeField, 2, 3, Bytes(17, 0xff)), Code::kInvalidArgument)
      << "composite";
  EXPECT_EQ(SplitSecret({SharingMethod::kGf256, 3, 2, {}}, {}, Random()).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(SplitSecret({SharingMethod::kGf256, 255, 255, {}}, Bytes(65536), Random()).error().code,
            Code::kTooLarge);
}

}  // namespace
}  // namespace dare::crypto
