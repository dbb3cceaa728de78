#include "base/secret_bytes.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <type_traits>

namespace dare {
namespace {

class SecretBytesTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 16)); }
};

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_convertible_v<Dek, Kek>);

TEST_F(SecretBytesTest, LiveInTheSecureHeap) {
  const auto secret = SecretBytes::Random(32);
  ASSERT_TRUE(secret);
  EXPECT_EQ(CRYPTO_secure_allocated(secret->Reveal().data()), 1);
}

TEST_F(SecretBytesTest, CompareByContent) {
  auto a = SecretBytes::CopyOf(AsBytes("secret"));
  auto b = a->Clone();
  EXPECT_TRUE(*a == *b);
  b->RevealMutable()[0] ^= 1;
  EXPECT_FALSE(*a == *b);
  EXPECT_FALSE(*a == SecretBytes());
}

TEST_F(SecretBytesTest, MovingLeavesNothingBehind) {
  auto a = SecretBytes::CopyOf(AsBytes("secret"));
  const SecretBytes b = std::move(*a);
  EXPECT_TRUE(a->empty());
  EXPECT_EQ(AsText(b.Reveal()), "secret");
}

TEST_F(SecretBytesTest, AFullHeapIsAnErrorAndNotAFallBack) {
  const auto secret = SecretBytes::OfSize(1 << 20);
  ASSERT_FALSE(secret);
  EXPECT_EQ(secret.error().code, Code::kExhausted);
}

}  // namespace
}  // namespace dare
