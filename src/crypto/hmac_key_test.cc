#include "crypto/hmac_key.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/bytes.h"
#include "crypto/mac.h"

namespace dare::crypto {
namespace {

// RFC 4231, section 4.3.
TEST(HmacKey, GivesThePublishedCode) {
  const HmacKey key = HmacKey::Create(AsBytes("Jefe")).value();
  EXPECT_EQ(ToHex(key.Code(AsBytes("what do ya want for nothing?")).value()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(HmacKey, IsTheMacOfEveryLength) {
  for (std::size_t size : {16u, 32u, 64u, 65u, 200u}) {
    const Bytes secret(size, 0x5a);
    const HmacKey key = HmacKey::Create(secret).value();
    for (std::size_t length : {0u, 1u, 55u, 56u, 64u, 1000u}) {
      const Bytes message(length, static_cast<std::uint8_t>(length));
      EXPECT_EQ(key.Code(message).value(), Hmac(HashAlgorithm::kSha256, secret, message).value());
    }
  }
}

TEST(HmacKey, NeedsAKey) { EXPECT_EQ(HmacKey::Create({}).error().code, Code::kInvalidArgument); }

TEST(HmacKey, ServesManyThreads) {
  const HmacKey key = HmacKey::Create(Bytes(32, 7)).value();
  const Bytes expected = key.Code(AsBytes("message")).value();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) EXPECT_EQ(key.Code(AsBytes("message")).value(), expected);
    });
  }
}

}  // namespace
}  // namespace dare::crypto
