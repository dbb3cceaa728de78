#include "crypto/signature.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

constexpr AlgorithmPolicy kLegacy{true};

// OASIS CS-AC-M-2: PSS with SHA-256, MGF1 with SHA-256, a salt as long as fits.
constexpr char kPublicKey[] =
    "3082010a0282010100ab7f161c0042496ccd6c6d4dadb919973435357776003acf54b7af1e440afb80b64a87"
    "55f8002cfeba6b184540a2d66086d74648346d75b8d71812b205387c0f6583bc4d7dc7ec114f3b176b7957c4"
    "22e7d03fc6267fa2a6f89b9bee9e60a1d7c2d833e5a5f4bb0b1434f4e795a41100f8aa214900df8b65089f98"
    "135b1c67b701675abdbc7d5721aac9d14a7f081fcec80b64e8a0ecc8295353c795328abf70e1b42e7bb8b7f4"
    "e8ac8c810cdb66e3d21126eba8da7d0ca34142cb76f91f013da809e9c1b7ae64c54130fbc21d80e9c2cb06c5"
    "c8d7cce8946a9ac99b1c2815c3612a29a82d73a1f99374fe30e54951662a6eda29c6fc411335d5dc7426b0f6"
    "050203010001";
constexpr char kSignature[] =
    "2925ebf8c6c9d0585c36a44491dd28f8ffd1098d2275a505a0eba7af452e9496472fd5c4a515d1c0db16c7c5"
    "9ef76863b571cbf498fb8178ffeb75667e6e51b9b9bbf09d55bba54b42acb947aa5a81dc62751727d7cad461"
    "6c0c0bf1dd666f8266f24262c5fa9cbbdc424ef5f5e345e633d111e66eb4afc4001bb02e158b2d5d4573c614"
    "655f21a688bee0e9dbde6a58324c08f42ae69697e0c51803f9de6b3df242d2915d9b1a8110ad28143ab7855e"
    "f92ede48971b484172de3b0b8957f493a74b3372ee2200f2233607735f90d0b180968ab20d74841fd3dba4fb"
    "1f225ea5c6c87f99c2a238db72a536e68be202a092cd032337d451477e568f9a48b638cb";
constexpr char kMessage[] = "01020304050607080910111213141516";

TEST(Signature, VerifiesWhatOasisPrinted) {
  const auto key = PublicKey::Parse(PublicKeyFormat::kPkcs1, Hex(kPublicKey));
  ASSERT_TRUE(key.has_value());
  SignatureScheme scheme{.padding = SignaturePadding::kPss};
  EXPECT_TRUE(*VerifyMessage(*key, scheme, Hex(kMessage), Hex(kSignature)));
  Bytes other = Hex(kMessage);
  other[0] ^= 1;
  EXPECT_FALSE(*VerifyMessage(*key, scheme, other, Hex(kSignature)));
  Bytes damaged = Hex(kSignature);
  damaged.back() ^= 1;
  EXPECT_FALSE(*VerifyMessage(*key, scheme, Hex(kMessage), damaged));
  EXPECT_FALSE(*VerifyMessage(*key, scheme, Hex(kMessage), {}));
  scheme.salt_length = 32;
  EXPECT_FALSE(*VerifyMessage(*key, scheme, Hex(kMessage), Hex(kSignature)));
  scheme.salt_length = 222;
  EXPECT_TRUE(*VerifyMessage(*key, scheme, Hex(kMessage), Hex(kSignature)));
  scheme.mgf_hash = HashAlgorithm::kSha1;
  EXPECT_FALSE(*VerifyMessage(*key, scheme, Hex(kMessage), Hex(kSignature)));
}

TEST(Signature, Ed25519GivesTheAnswerOfRfc8032) {
  // RFC 8032, section 7.1, test 2
  const auto key = PrivateKey::FromOctets(
      KeyFamily::kEd25519, Hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  ASSERT_TRUE(key.has_value());
  const Bytes message = Hex("72");
  const auto signature = SignMessage(*key, {}, message);
  ASSERT_TRUE(signature.has_value());
  EXPECT_EQ(ToHex(*signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(*VerifyMessage(*key->Public(), {}, message, *signature));
  EXPECT_EQ(SignDigest(*key, {}, Bytes(32)).error().code, Code::kUnsupported);
}

// Each kind of key signs and verifies, and a change is seen.
TEST(Signature, EveryFamilyGoesThereAndBack) {
  for (const KeySpecification& wanted :
       std::vector<KeySpecification>{{KeyFamily::kRsa, 2048, "", 0},
                                     {KeyFamily::kEc, 0, "prime256v1", 0},
                                     {KeyFamily::kEc, 0, "secp521r1", 0},
                                     {KeyFamily::kDsa, 1024, "", 0},
                                     {KeyFamily::kEd25519, 0, "", 0},
                                     {KeyFamily::kEd448, 0, "", 0}}) {
    const auto key = PrivateKey::Generate(wanted);
    ASSERT_TRUE(key.has_value());
    const auto other = PrivateKey::Generate(wanted);
    SCOPED_TRACE(Name(wanted.family));
    for (const SignaturePadding padding : {SignaturePadding::kPkcs1, SignaturePadding::kPss}) {
      for (const HashAlgorithm hash : {HashAlgorithm::kSha256, HashAlgorithm::kSha3_512}) {
        const SignatureScheme scheme{.hash = hash, .padding = padding};
        const auto signature = SignMessage(*key, scheme, AsBytes("message"));
        ASSERT_TRUE(signature.has_value()) << signature.error().message;
        EXPECT_TRUE(*VerifyMessage(*key->Public(), scheme, AsBytes("message"), *signature));
        EXPECT_FALSE(*VerifyMessage(*key->Public(), scheme, AsBytes("massage"), *signature));
        EXPECT_FALSE(*VerifyMessage(*other->Public(), scheme, AsBytes("message"), *signature));
      }
    }
  }
}

TEST(Signature, ADigestMustBeOfItsHash) {
  const auto key = PrivateKey::Generate({KeyFamily::kEc, 0, "prime256v1", 0});
  EXPECT_EQ(SignDigest(*key, {}, Bytes(20)).error().code, Code::kInvalidArgument);
  EXPECT_EQ(SignDigest(*key, {}, {}).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(SignDigest(*key, {}, Bytes(32, 1)).has_value());
  EXPECT_TRUE(SignDigest(*key, {.hash = std::nullopt}, Bytes(20, 1)).has_value());
}

TEST(Signature, TheOldAndTheNamelessNeedTheLegacyPolicy) {
  const auto key = PrivateKey::Generate({KeyFamily::kRsa, 2048, "", 0});
  const SignatureScheme sha1{.hash = HashAlgorithm::kSha1}, nameless{.hash = std::nullopt};
  for (const SignatureScheme& scheme : {sha1, nameless}) {
    EXPECT_EQ(SignMessage(*key, scheme, Bytes(16, 1)).error().code, Code::kDenied);
    const auto signature = SignMessage(*key, scheme, Bytes(16, 1), kLegacy);
    ASSERT_TRUE(signature.has_value());
    EXPECT_TRUE(*VerifyMessage(*key->Public(), scheme, Bytes(16, 1), *signature, kLegacy));
    EXPECT_EQ(VerifyMessage(*key->Public(), scheme, Bytes(16, 1), *signature).error().code,
              Code::kDenied);
  }
}

TEST(Signature, RefusesKeysThatDoNotSignAndWhatDoesNotFit) {
  const auto agreement = PrivateKey::Generate({KeyFamily::kX25519, 0, "", 0});
  EXPECT_EQ(SignMessage(*agreement, {}, {}).error().code, Code::kUnsupported);
  const auto small = PrivateKey::Generate({KeyFamily::kRsa, 512, "", 0});
  const SignatureScheme long_salt{.padding = SignaturePadding::kPss, .salt_length = 100};
  EXPECT_EQ(SignMessage(*small, long_salt, {}).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace dare::crypto
