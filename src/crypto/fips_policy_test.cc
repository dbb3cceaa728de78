#include "crypto/fips_policy.h"

#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "crypto/aead.h"
#include "crypto/algorithm_policy.h"
#include "crypto/fips_approval.h"
#include "crypto/key_derivation.h"
#include "crypto/mac.h"
#include "crypto/password_verifier.h"
#include "crypto/pkcs12.h"
#include "crypto/signature.h"

namespace dare::crypto {
namespace {

std::string Verdict(const Result<void>& result) {
  return result ? "yes" : std::string(CodeName(result.error().code));
}

// What is approved, as a table: a change of it shows as a difference that somebody must approve.
TEST(FipsPolicy, ApprovesWhatItApprovedBefore) {
  std::ostringstream table;
  for (int i = 0; i <= static_cast<int>(CipherAlgorithm::kOneTimePad); ++i) {
    const auto cipher = static_cast<CipherAlgorithm>(i);
    table << Name(cipher) << " " << Verdict(RequireApproved(cipher)) << "\n";
  }
  for (std::size_t i = 0; i < kHashAlgorithms; ++i) {
    const auto hash = static_cast<HashAlgorithm>(i);
    table << Name(hash) << " " << Verdict(RequireApproved(hash)) << "\n";
  }
  for (int i = 0; i <= static_cast<int>(KeyAlgorithm::kSecret); ++i) {
    table << Verdict(RequireApproved(static_cast<KeyAlgorithm>(i))) << " ";
  }
  table << "\n";
  for (const KeyFacts& key : std::vector<KeyFacts>{{KeyFamily::kRsa, 2048, ""},
                                                   {KeyFamily::kEc, 224, "secp224r1"},
                                                   {KeyFamily::kEc, 256, "prime256v1"},
                                                   {KeyFamily::kEc, 384, "secp384r1"},
                                                   {KeyFamily::kEc, 521, "secp521r1"},
                                                   {KeyFamily::kEc, 256, "secp256k1"},
                                                   {KeyFamily::kEc, 256, "brainpoolP256r1"},
                                                   {KeyFamily::kEc, 283, "sect283k1"},
                                                   {KeyFamily::kEd25519, 256, ""},
                                                   {KeyFamily::kEd448, 448, ""},
                                                   {KeyFamily::kX25519, 256, ""},
                                                   {KeyFamily::kX448, 448, ""},
                                                   {KeyFamily::kDsa, 3072, ""},
                                                   {KeyFamily::kDh, 3072, ""}}) {
    table << Name(key.family) << " " << key.curve << " " << Verdict(RequireApproved(key)) << "\n";
  }
  EXPECT_EQ(table.str(),
            "AES yes\n"
            "3DES denied\n"
            "CAMELLIA denied\n"
            "ARIA denied\n"
            "ChaCha20 denied\n"
            "ChaCha20-Poly1305 denied\n"
            "One Time Pad denied\n"
            "MD5 denied\n"
            "SHA-1 yes\n"
            "SHA-224 yes\n"
            "SHA-256 yes\n"
            "SHA-384 yes\n"
            "SHA-512 yes\n"
            "SHA-512/224 yes\n"
            "SHA-512/256 yes\n"
            "SHA3-224 yes\n"
            "SHA3-256 yes\n"
            "SHA3-384 yes\n"
            "SHA3-512 yes\n"
            "RIPEMD-160 denied\n"
            "yes denied denied denied denied denied yes yes \n"
            "RSA  yes\n"
            "EC secp224r1 yes\n"
            "EC prime256v1 yes\n"
            "EC secp384r1 yes\n"
            "EC secp521r1 yes\n"
            "EC secp256k1 denied\n"
            "EC brainpoolP256r1 denied\n"
            "EC sect283k1 denied\n"
            "ED25519  yes\n"
            "ED448  yes\n"
            "X25519  denied\n"
            "X448  denied\n"
            "DSA  denied\n"
            "DH  yes\n");
}

TEST(FipsPolicy, LeavesBulkEncryptionToOpenSsl) {
  const Bytes key(32, 1);
  {
    const ConfinementForTest confined;
    EXPECT_EQ(Aead::Create(key)->kernel_name(), "openssl");
  }
  // On a machine with VAES and libipsec-mb this was another one; the other has no say any more.
  Aead free = Aead::Create(key).value();
  const ConfinementForTest confined;
  Aead bound = Aead::Create(key).value();
  Bytes data = ToBytes(AsBytes("the same bytes")), tag(kGcmTagSize);
  const Bytes iv(kGcmIvSize, 2), plain = data;
  ASSERT_TRUE(free.SealInPlace(iv, {}, data, tag));
  ASSERT_TRUE(bound.OpenInPlace(iv, {}, data, tag));
  EXPECT_EQ(data, plain);
}

// Not even where old algorithms are allowed to old peers.
TEST(FipsPolicy, OverrulesTheAlgorithmPolicy) {
  const AlgorithmPolicy legacy{true};
  const auto verdicts = [&] {
    return Verdict(CheckCipher(legacy, CipherAlgorithm::kTripleDes, CipherMode::kCbc, 24, 0)) +
           Verdict(
               CheckCipher(legacy, CipherAlgorithm::kChaCha20Poly1305, CipherMode::kNone, 32, 16)) +
           Verdict(CheckHash(legacy, HashAlgorithm::kMd5)) +
           Verdict(CheckHmac(legacy, HashAlgorithm::kRipemd160, 32)) +
           Verdict(CheckKey(legacy, KeyAlgorithm::kChaCha20, 256)) +
           Verdict(CheckKey(legacy, KeyFacts{KeyFamily::kX25519, 256, ""}));
  };
  EXPECT_EQ(verdicts(), "yesyesyesyesyesyes");
  const ConfinementForTest confined;
  EXPECT_EQ(verdicts(), "denieddenieddenieddenieddenieddenied");
  EXPECT_TRUE(CheckCipher(legacy, CipherAlgorithm::kAes, CipherMode::kGcm, 32, 16));
  EXPECT_TRUE(CheckHmac(legacy, HashAlgorithm::kSha1, 20)) << "sound and approved inside HMAC";
}

TEST(FipsPolicy, TakesPassPhrasesOnlyAsSp800_132Does) {
  const Bytes password(16, 'p'), salt(16, 's'), short_salt(8, 's');
  const auto derive = [&](ByteView with, std::uint32_t iterations, std::size_t length) {
    return Pbkdf2(HashAlgorithm::kSha256, password, with, iterations, length).has_value();
  };
  EXPECT_TRUE(derive(short_salt, 10, 8));
  const ConfinementForTest confined;
  EXPECT_TRUE(derive(salt, 1000, 32));
  EXPECT_FALSE(derive(short_salt, 1000, 32)) << "a salt under 128 bits";
  EXPECT_FALSE(derive(salt, 999, 32)) << "under 1000 iterations";
  EXPECT_FALSE(derive(salt, 1000, 13)) << "a key under 112 bits";
}

TEST(FipsPolicy, RefusesWhatIsBuiltOnOtherAlgorithms) {
  KeySpecification x25519, p256;
  x25519.family = KeyFamily::kX25519;
  p256.family = KeyFamily::kEc;
  p256.curve = "prime256v1";
  const PrivateKey unapproved = PrivateKey::Generate(x25519).value();
  const PrivateKey approved = PrivateKey::Generate(p256).value();
  const ConfinementForTest confined;
  EXPECT_EQ(Agree(unapproved, unapproved.Public().value()).error().code, Code::kDenied);
  EXPECT_TRUE(Agree(approved, approved.Public().value()));
  EXPECT_EQ(MakePasswordVerifier("u", AsBytes("p"), {}, 10).error().code, Code::kDenied);
  EXPECT_EQ(OpenPasswordVerifier(NobodysVerifier(), Bytes(32)).error().code, Code::kDenied);
  EXPECT_EQ(OpenPkcs12(Bytes(8), AsBytes("p")).error().code, Code::kDenied);
  EXPECT_EQ(MakePkcs12(Pkcs12{approved, {}, {}}, AsBytes("p")).error().code, Code::kDenied);
}

TEST(FipsPolicy, IsNeverUndoneByAnotherChoice) {
  const ConfinementForTest confined;
  ASSERT_TRUE(ApplyPolicy({}, ProviderLoading::kMustBeInForce));
  EXPECT_TRUE(ConfinedToFips());
}

TEST(FipsPolicy, RequiresAProviderThatIsThere) {
  if (!FipsProvider().empty())
    GTEST_SKIP() << "this machine's OpenSSL computes in its FIPS provider";
  const PolicyChoice strict{.fips = true, .require_provider = true};
  const Result<void> in_force = ApplyPolicy(strict, ProviderLoading::kMustBeInForce);
  ASSERT_FALSE(in_force);
  EXPECT_EQ(in_force.error().code, Code::kUnsupported);
  EXPECT_FALSE(ConfinedToFips()) << "nothing was changed";
}

}  // namespace
}  // namespace dare::crypto
