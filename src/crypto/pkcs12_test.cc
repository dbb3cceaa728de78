#include "crypto/pkcs12.h"

#include <gtest/gtest.h>

namespace dare::crypto {
namespace {

class Pkcs12Container : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20)); }
};

Pkcs12 SomeContents() {
  return Pkcs12{*PrivateKey::Generate(
                    {.family = KeyFamily::kEc, .bits = 0, .curve = "prime256v1", .q_bits = 0}),
                "alias",
                {}};
}

TEST_F(Pkcs12Container, OpensWithItsPasswordOnly) {
  const Pkcs12 contents = SomeContents();
  const SecretBytes der = *MakePkcs12(contents, AsBytes("correct horse"));
  const auto opened = OpenPkcs12(der.Reveal(), AsBytes("correct horse"));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(Matches(opened->key, *contents.key.Public()));
  EXPECT_EQ(OpenPkcs12(der.Reveal(), AsBytes("battery staple")).error().code, Code::kDamaged);
  EXPECT_EQ(OpenPkcs12(der.Reveal(), AsBytes(std::string_view("a\0b", 3))).error().code,
            Code::kInvalidArgument);
}

TEST_F(Pkcs12Container, RefusesWhatIsNoContainer) {
  const SecretBytes der = *MakePkcs12(SomeContents(), AsBytes("x"));
  WipingBytes longer(der.Reveal().begin(), der.Reveal().end());
  longer.push_back(0);
  EXPECT_EQ(OpenPkcs12(longer, AsBytes("x")).error().code, Code::kMalformed);
  EXPECT_EQ(OpenPkcs12(der.Reveal().first(40), AsBytes("x")).error().code, Code::kMalformed);
  WipingBytes bent(der.Reveal().begin(), der.Reveal().end());
  bent[bent.size() / 2] ^= 1;
  EXPECT_FALSE(OpenPkcs12(bent, AsBytes("x")));
}

}  // namespace
}  // namespace dare::crypto
