#include "crypto/asymmetric_key.h"

#include <gtest/gtest.h>

#include <vector>

namespace dare::crypto {
namespace {

class AsymmetricKey : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20)); }
};

Bytes Hex(std::string_view hex) { return *FromHex(hex); }
SecretBytes SecretHex(std::string_view hex) { return *SecretBytes::CopyOf(Hex(hex)); }
std::string Shown(const SecretBytes& secret) { return ToHex(secret.Reveal()); }

PrivateKey Made(KeyFamily family, std::size_t bits, std::string curve = "") {
  return *PrivateKey::Generate(KeySpecification{.family = family, .bits = bits, .curve = curve});
}

// Small and made once: what these tests ask does not depend on the size.
const PrivateKey& SmallRsa() {
  static const PrivateKey key = Made(KeyFamily::kRsa, 1024);
  return key;
}

std::vector<PrivateKey> OneOfEachFamily() {
  return {SmallRsa(),
          Made(KeyFamily::kEc, 0, "prime256v1"),
          Made(KeyFamily::kEc, 0, "secp521r1"),
          Made(KeyFamily::kEc, 0, "secp256k1"),
          Made(KeyFamily::kEc, 0, "sect163k1"),
          Made(KeyFamily::kEc, 0, "brainpoolP256r1"),
          Made(KeyFamily::kEd25519, 0),
          Made(KeyFamily::kEd448, 0),
          Made(KeyFamily::kX25519, 0),
          Made(KeyFamily::kX448, 0),
          Made(KeyFamily::kDsa, 1024),
          Made(KeyFamily::kDh, 2048)};
}

TEST_F(AsymmetricKey, GoesThroughPkcs8AndSubjectPublicKeyInfoInEveryFamily) {
  for (const PrivateKey& key : OneOfEachFamily()) {
    SCOPED_TRACE(std::string(Name(key.facts().family)) + " " + key.facts().curve);
    const auto der = key.Encode(PrivateKeyFormat::kPkcs8);
    ASSERT_TRUE(der) << der.error().message;
    const auto again = PrivateKey::Parse(PrivateKeyFormat::kPkcs8, der->Reveal());
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->facts(), key.facts());
    const auto half = key.Public();
    ASSERT_TRUE(half) << half.error().message;
    EXPECT_TRUE(Matches(*again, *half));
    const auto info = half->Encode(PublicKeyFormat::kSubjectPublicKeyInfo);
    ASSERT_TRUE(info) << info.error().message;
    const auto parsed = PublicKey::Parse(PublicKeyFormat::kSubjectPublicKeyInfo, *info);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_TRUE(Matches(key, *parsed));
  }
}

TEST_F(AsymmetricKey, RefusesBytesBehindTheKey) {
  for (const PrivateKey& key : OneOfEachFamily()) {
    const SecretBytes der = *key.Encode(PrivateKeyFormat::kPkcs8);
    WipingBytes longer(der.Reveal().begin(), der.Reveal().end());
    longer.push_back(0);
    EXPECT_EQ(PrivateKey::Parse(PrivateKeyFormat::kPkcs8, longer).error().code, Code::kMalformed);
    Bytes info = *key.Public()->Encode(PublicKeyFormat::kSubjectPublicKeyInfo);
    info.push_back(0);
    EXPECT_EQ(PublicKey::Parse(PublicKeyFormat::kSubjectPublicKeyInfo, info).error().code,
              Code::kMalformed);
  }
}

TEST_F(AsymmetricKey, GoesThroughPkcs1AndSec1) {
  const SecretBytes pkcs1 = *SmallRsa().Encode(PrivateKeyFormat::kPkcs1);
  const auto rsa = PrivateKey::Parse(PrivateKeyFormat::kPkcs1, pkcs1.Reveal());
  ASSERT_TRUE(rsa) << rsa.error().message;
  const Bytes open = *SmallRsa().Public()->Encode(PublicKeyFormat::kPkcs1);
  EXPECT_TRUE(Matches(*rsa, *PublicKey::Parse(PublicKeyFormat::kPkcs1, open)));

  const PrivateKey ec = Made(KeyFamily::kEc, 0, "secp384r1");
  const SecretBytes sec1 = *ec.Encode(PrivateKeyFormat::kSec1);
  const auto again = PrivateKey::Parse(PrivateKeyFormat::kSec1, sec1.Reveal());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(Matches(*again, *ec.Public()));
}

TEST_F(AsymmetricKey, RefusesOneFormatUnderTheNameOfAnother) {
  const SecretBytes pkcs1 = *SmallRsa().Encode(PrivateKeyFormat::kPkcs1);
  const SecretBytes pkcs8 = *SmallRsa().Encode(PrivateKeyFormat::kPkcs8);
  const Bytes open = *SmallRsa().Public()->Encode(PublicKeyFormat::kPkcs1);
  const Bytes info = *SmallRsa().Public()->Encode(PublicKeyFormat::kSubjectPublicKeyInfo);
  EXPECT_FALSE(PrivateKey::Parse(PrivateKeyFormat::kPkcs1, pkcs8.Reveal()));
  EXPECT_FALSE(PrivateKey::Parse(PrivateKeyFormat::kPkcs8, pkcs1.Reveal()));
  EXPECT_FALSE(PrivateKey::Parse(PrivateKeyFormat::kSec1, pkcs1.Reveal()));
  EXPECT_FALSE(PrivateKey::Parse(PrivateKeyFormat::kPkcs1, open));
  EXPECT_FALSE(PublicKey::Parse(PublicKeyFormat::kPkcs1, info));
  EXPECT_FALSE(PublicKey::Parse(PublicKeyFormat::kPkcs1, pkcs1.Reveal()));
  EXPECT_FALSE(PublicKey::Parse(PublicKeyFormat::kSubjectPublicKeyInfo, open));
  EXPECT_FALSE(SmallRsa().Encode(PrivateKeyFormat::kSec1));
  EXPECT_FALSE(Made(KeyFamily::kEd25519, 0).Encode(PrivateKeyFormat::kPkcs1));
}

// Everything that may be left out of a Transparent RSA Private Key is found again.
TEST_F(AsymmetricKey, CompletesRsaNumbers) {
  const RsaNumbers all = *SmallRsa().Rsa();
  const auto with = [&](bool e, bool d, bool primes) {
    RsaNumbers some;
    some.modulus = all.modulus;
    if (e) some.public_exponent = all.public_exponent;
    if (d) some.private_exponent = *all.private_exponent.Clone();
    if (primes) {
      some.p = *all.p.Clone();
      some.q = *all.q.Clone();
    }
    return PrivateKey::FromRsa(some);
  };
  for (const auto& made : {with(true, true, false), with(false, true, false),
                           with(true, false, true), with(false, true, true)}) {
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_TRUE(Matches(*made, *SmallRsa().Public()));
    const RsaNumbers numbers = *made->Rsa();
    EXPECT_EQ(numbers.public_exponent, all.public_exponent);
    EXPECT_TRUE(numbers.p == all.p || numbers.p == all.q);
  }
  EXPECT_FALSE(with(true, false, false));
  EXPECT_FALSE(with(false, false, true));
}

TEST_F(AsymmetricKey, RefusesRsaNumbersThatDoNotBelongTogether) {
  const auto change = [](auto&& at) {
    RsaNumbers numbers = *SmallRsa().Rsa();
    at(numbers);
    return PrivateKey::FromRsa(numbers);
  };
  const auto flip = [](SecretBytes& secret) { secret.RevealMutable()[5] ^= 1; };
  EXPECT_TRUE(change([](RsaNumbers&) {}));
  EXPECT_FALSE(change([](RsaNumbers& n) { n.modulus[5] ^= 1; }));
  EXPECT_FALSE(change([](RsaNumbers& n) { n.public_exponent = {3}; }));
  EXPECT_FALSE(change([&](RsaNumbers& n) { flip(n.private_exponent); }));
  EXPECT_FALSE(change([&](RsaNumbers& n) { flip(n.p); }));
  EXPECT_FALSE(change([&](RsaNumbers& n) { flip(n.exponent_p); }));
  EXPECT_FALSE(change([&](RsaNumbers& n) { flip(n.exponent_q); }));
  EXPECT_FALSE(change([&](RsaNumbers& n) { flip(n.coefficient); }));
  RsaNumbers even;
  even.modulus = SmallRsa().Rsa()->modulus;
  even.public_exponent = {2};
  EXPECT_FALSE(PublicKey::FromRsa(even));
}

// RFC 6979, A.2.5: P-256.
TEST_F(AsymmetricKey, ComputesThePointOfAScalar) {
  EcNumbers numbers;
  numbers.curve = "prime256v1";
  numbers.scalar = SecretHex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
  const std::string x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";
  const std::string y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
  const auto key = PrivateKey::FromEc(numbers);
  ASSERT_TRUE(key) << key.error().message;
  const PublicKey half = *key->Public();
  EXPECT_EQ(ToHex(half.Ec()->point), "04" + x + y);
  EXPECT_EQ(ToHex(half.Ec(PointForm::kCompressed)->point), "03" + x);
  EXPECT_EQ(ToHex(half.Ec(PointForm::kHybrid)->point), "07" + x + y);
  for (const char* form : {"04", "03", "07"}) {
    EcNumbers open;
    open.curve = "prime256v1";
    open.point = Hex(form + x + (form[1] == '3' ? "" : y));
    const auto read = PublicKey::FromEc(open);
    ASSERT_TRUE(read) << form << read.error().message;
    EXPECT_TRUE(Matches(*key, *read));
  }
  const Bytes short_info = *half.EncodeInfo(PointForm::kCompressed);
  EXPECT_LT(short_info.size(), half.Encode(PublicKeyFormat::kSubjectPublicKeyInfo)->size());
  EXPECT_TRUE(Matches(*key, *PublicKey::Parse(PublicKeyFormat::kSubjectPublicKeyInfo, short_info)));
}

TEST_F(AsymmetricKey, RefusesPointsAndScalarsThatAreNotOfTheirCurve) {
  const PrivateKey key = Made(KeyFamily::kEc, 0, "prime256v1");
  EcNumbers numbers = *key.Ec();
  numbers.point[40] ^= 1;
  EXPECT_FALSE(PublicKey::FromEc(numbers));
  EXPECT_FALSE(PrivateKey::FromEc(numbers));
  numbers.point = Made(KeyFamily::kEc, 0, "prime256v1").Ec()->point;
  EXPECT_FALSE(PrivateKey::FromEc(numbers)) << "a point of another key";
  numbers.point.clear();
  EXPECT_TRUE(PrivateKey::FromEc(numbers));
  numbers.point = {0};
  EXPECT_FALSE(PublicKey::FromEc(numbers)) << "the point at infinity";
  numbers.point.clear();
  for (const char* bad :
       {"00", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"}) {
    numbers.scalar = SecretHex(bad);
    EXPECT_FALSE(PrivateKey::FromEc(numbers)) << bad;
  }
  numbers.curve = "no such curve";
  EXPECT_EQ(PrivateKey::FromEc(numbers).error().code, Code::kUnsupported);
}

// RFC 8032, 7.1 (TEST 1).
TEST_F(AsymmetricKey, ReadsOctetsOfTheEdwardsCurves) {
  const auto ed = PrivateKey::FromOctets(
      KeyFamily::kEd25519, Hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  ASSERT_TRUE(ed);
  EXPECT_EQ(ToHex(*ed->Public()->Octets()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(ed->facts().bits, 256u);
  EXPECT_FALSE(PrivateKey::FromOctets(KeyFamily::kEd25519, Bytes(31)));
  EXPECT_FALSE(PublicKey::FromOctets(KeyFamily::kEd448, Bytes(32)));
  EXPECT_FALSE(PublicKey::FromOctets(KeyFamily::kRsa, Bytes(32)));
}

TEST_F(AsymmetricKey, GoesThroughGroupNumbers) {
  for (const PrivateKey& key : {Made(KeyFamily::kDsa, 1024), Made(KeyFamily::kDh, 2048)}) {
    GroupNumbers numbers = *key.Group();
    EXPECT_FALSE(numbers.x.empty());
    const auto again = PrivateKey::FromGroup(numbers);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(Shown(again->Group()->x), Shown(numbers.x));
    EXPECT_EQ(again->Public()->Group()->public_value, key.Public()->Group()->public_value);
    const auto half = PublicKey::FromGroup(*key.Public()->Group());
    ASSERT_TRUE(half) << half.error().message;
    EXPECT_EQ(half->facts(), key.facts());
    numbers.public_value[3] ^= 1;
    EXPECT_FALSE(PrivateKey::FromGroup(numbers));
    numbers.public_value.clear();
    EXPECT_TRUE(PrivateKey::FromGroup(numbers)) << "the public value follows from x";
    numbers.p.back() ^= 2;
    EXPECT_FALSE(PrivateKey::FromGroup(numbers)) << "p is no prime any more";
  }
}

// Proving that two large numbers are primes takes seconds.
TEST_F(AsymmetricKey, TakesLargeGroupsOnlyWhenTheyAreWellKnown) {
  GroupNumbers numbers = *Made(KeyFamily::kDh, 3072).Group();
  EXPECT_TRUE(PrivateKey::FromGroup(numbers));
  numbers.p.back() ^= 2;
  numbers.public_value.clear();
  EXPECT_EQ(PrivateKey::FromGroup(numbers).error().code, Code::kUnsupported);
}

TEST_F(AsymmetricKey, MakesKeysOfTheSizesAskedFor) {
  EXPECT_EQ(Made(KeyFamily::kRsa, 2048).facts(), (KeyFacts{KeyFamily::kRsa, 2048, ""}));
  EXPECT_EQ(Made(KeyFamily::kEc, 0, "secp224r1").facts().bits, 224u);
  EXPECT_EQ(Made(KeyFamily::kEc, 0, "sect233k1").facts().bits, 233u);
  EXPECT_EQ(Made(KeyFamily::kEd448, 0).facts().bits, 448u);
  for (const std::size_t bits : {0u, 256u, 1001u, 16384u}) {
    EXPECT_EQ(PrivateKey::Generate({KeyFamily::kRsa, bits, "", 0}).error().code,
              Code::kInvalidArgument);
  }
  EXPECT_EQ(PrivateKey::Generate({KeyFamily::kDh, 1024, "", 0}).error().code,
            Code::kInvalidArgument);
  EXPECT_EQ(PrivateKey::Generate({KeyFamily::kEc, 0, "SM2", 0}).error().code, Code::kUnsupported);
}

TEST_F(AsymmetricKey, TellsKeysApart) {
  const PrivateKey one = Made(KeyFamily::kEc, 0, "prime256v1");
  EXPECT_FALSE(Matches(one, *Made(KeyFamily::kEc, 0, "prime256v1").Public()));
  EXPECT_FALSE(Matches(one, *SmallRsa().Public()));
}

// A public half that left its private key behind holds no secret that an encoder could reach.
TEST_F(AsymmetricKey, ThePublicHalfHasNoSecret) {
  const PublicKey half = *SmallRsa().Public();
  EXPECT_FALSE(PrivateKey::Parse(PrivateKeyFormat::kPkcs8,
                                 *half.Encode(PublicKeyFormat::kSubjectPublicKeyInfo)));
  EXPECT_TRUE(half.Rsa()->private_exponent.empty());
}

}  // namespace
}  // namespace dare::crypto
