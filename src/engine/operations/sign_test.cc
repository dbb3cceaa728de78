#include "engine/operations/sign.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "engine/key_formats.h"
#include "kmip/payloads/signature_verify.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::CryptographicParameters;
using kmip::HashingAlgorithm;
using kmip::ResultReason;
using kmip::Tag;
using kmip::ValidityIndicator;

struct Pair {
  std::string signing, verifying;
};

// Both halves of a new key, Active, for Sign and for Verify.
Pair NewPair(EngineForTest& engine, const crypto::KeySpecification& wanted,
             kmip::CryptographicAlgorithm algorithm) {
  const auto key = crypto::PrivateKey::Generate(wanted);
  const KeyForm private_form{.format = kmip::KeyFormatType::kPKCS_8,
                             .compression = {},
                             .algorithm = algorithm,
                             .bits = static_cast<std::int32_t>(key->facts().bits)};
  KeyForm public_form = private_form;
  public_form.format = kmip::KeyFormatType::kX_509;
  return {
      engine.AddObject(kmip::ObjectType::kPrivateKey, *MakePrivateKey(*key, private_form),
                       {Attribute::OfInteger(Tag::kCryptographicUsageMask, 1)}),
      engine.AddObject(kmip::ObjectType::kPublicKey, *MakePublicKey(*key->Public(), public_form),
                       {Attribute::OfInteger(Tag::kCryptographicUsageMask, 2)})};
}

Pair NewRsa(EngineForTest& engine) {
  return NewPair(engine, {crypto::KeyFamily::kRsa, 2048, "", 0},
                 kmip::CryptographicAlgorithm::kRSA);
}
Pair NewEc(EngineForTest& engine) {
  return NewPair(engine, {crypto::KeyFamily::kEc, 0, "prime256v1", 0},
                 kmip::CryptographicAlgorithm::kEC);
}

CryptographicParameters Pss(HashingAlgorithm hash) {
  CryptographicParameters parameters;
  parameters.padding_method = kmip::PaddingMethod::kPSS;
  parameters.hashing_algorithm = hash;
  parameters.cryptographic_algorithm = kmip::CryptographicAlgorithm::kRSA;
  return parameters;
}

Bytes SignatureOf(EngineForTest& engine, const std::string& id, ByteView data,
                  const CryptographicParameters& parameters) {
  kmip::SignRequest request;
  request.id = kmip::Identifier(id);
  request.parameters = parameters;
  request.data = data;
  return *engine.Must<kmip::SignResponse>(request).signature;
}

ValidityIndicator Verdict(EngineForTest& engine, const std::string& id, ByteView data,
                          ByteView signature, const CryptographicParameters& parameters) {
  kmip::SignatureVerifyRequest request;
  request.id = kmip::Identifier(id);
  request.parameters = parameters;
  request.data = data;
  request.signature = signature;
  return *engine.Must<kmip::SignatureVerifyResponse>(request).validity;
}

TEST(Sign, TellsRightFromWrong) {
  EngineForTest engine;
  const Pair rsa = NewRsa(engine);
  const CryptographicParameters pss = Pss(HashingAlgorithm::kSHA_256);
  const Bytes signature = SignatureOf(engine, rsa.signing, AsBytes("text"), pss);
  EXPECT_EQ(Verdict(engine, rsa.verifying, AsBytes("text"), signature, pss),
            ValidityIndicator::kValid);
  EXPECT_EQ(Verdict(engine, rsa.verifying, AsBytes("test"), signature, pss),
            ValidityIndicator::kInvalid);
  EXPECT_EQ(
      Verdict(engine, rsa.verifying, AsBytes("text"), signature, Pss(HashingAlgorithm::kSHA_384)),
      ValidityIndicator::kInvalid);
  EXPECT_EQ(Verdict(engine, rsa.verifying, AsBytes("text"), {}, pss), ValidityIndicator::kInvalid);
}

TEST(Sign, TheDigitalSignatureAlgorithmSaysItAll) {
  EngineForTest engine;
  const Pair rsa = NewRsa(engine);
  const Pair ec = NewEc(engine);
  CryptographicParameters named;
  named.digital_signature_algorithm = kmip::DigitalSignatureAlgorithm::kSHA_512WithRSAEncryption;
  const Bytes signature = SignatureOf(engine, rsa.signing, AsBytes("text"), named);
  CryptographicParameters spelled;
  spelled.hashing_algorithm = HashingAlgorithm::kSHA_512;
  spelled.padding_method = kmip::PaddingMethod::kPKCS1V1_5;
  EXPECT_EQ(Verdict(engine, rsa.verifying, AsBytes("text"), signature, spelled),
            ValidityIndicator::kValid);
  kmip::SignRequest request;
  request.id = kmip::Identifier(ec.signing);
  request.parameters = named;
  request.data = AsBytes("text");
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kBadCryptographicParameters);
}

TEST(Sign, AnEllipticCurveKeyHashesWithSha256WhenNobodySays) {
  // CS-AC-M-3-ECC; the padding and the algorithm of RSA say nothing to such a key.
  EngineForTest engine;
  const Pair ec = NewEc(engine);
  const Bytes signature = SignatureOf(engine, ec.signing, AsBytes("text"), {});
  EXPECT_EQ(
      Verdict(engine, ec.verifying, AsBytes("text"), signature, Pss(HashingAlgorithm::kSHA_256)),
      ValidityIndicator::kValid);
}

TEST(Sign, ADigestIsSignedAsTheDataWouldBe) {
  EngineForTest engine;
  const Pair ec = NewEc(engine);
  const Bytes digest =
      *FromHex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // of "abc"
  kmip::SignRequest request;
  request.id = kmip::Identifier(ec.signing);
  request.parameters.emplace().hashing_algorithm = HashingAlgorithm::kSHA_256;
  request.digested_data = digest;
  const auto made = engine.Must<kmip::SignResponse>(request);
  EXPECT_EQ(Verdict(engine, ec.verifying, AsBytes("abc"), *made.signature, *request.parameters),
            ValidityIndicator::kValid);
  request.digested_data = ByteView(digest).first(20);
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kCryptographicFailure);
  request.data = AsBytes("abc");
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kInvalidMessage) << "both";
  request.data.reset();
  request.digested_data.reset();
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kInvalidMessage) << "neither";
}

TEST(Sign, ComesInPartsAndIsVerifiedInParts) {
  EngineForTest engine;
  const Pair rsa = NewRsa(engine);
  kmip::SignRequest part;
  part.id = kmip::Identifier(rsa.signing);
  part.parameters = Pss(HashingAlgorithm::kSHA_256);
  part.data = AsBytes("te");
  part.init = true;
  const auto first = engine.Must<kmip::SignResponse>(part);
  EXPECT_FALSE(first.signature);
  part = {};
  part.id = kmip::Identifier(rsa.signing);
  part.correlation = *first.correlation;
  part.data = AsBytes("xt");
  part.final = true;
  const Bytes signature = *engine.Must<kmip::SignResponse>(part).signature;
  EXPECT_EQ(
      Verdict(engine, rsa.verifying, AsBytes("text"), signature, Pss(HashingAlgorithm::kSHA_256)),
      ValidityIndicator::kValid);

  kmip::SignatureVerifyRequest verify;
  verify.id = kmip::Identifier(rsa.verifying);
  verify.parameters = Pss(HashingAlgorithm::kSHA_256);
  verify.data = AsBytes("tex");
  verify.signature = signature;
  verify.init = true;
  const auto begun = engine.Must<kmip::SignatureVerifyResponse>(verify);
  EXPECT_FALSE(begun.validity);
  verify = {};
  verify.id = kmip::Identifier(rsa.verifying);
  verify.correlation = *begun.correlation;
  verify.data = AsBytes("t");
  verify.final = true;
  EXPECT_EQ(*engine.Must<kmip::SignatureVerifyResponse>(verify).validity,
            ValidityIndicator::kValid);
}

TEST(Sign, Ed25519SignsWholeMessagesOnly) {
  EngineForTest engine;
  const Pair ed = NewPair(engine, {crypto::KeyFamily::kEd25519, 0, "", 0},
                          kmip::CryptographicAlgorithm::kEd25519);
  const Bytes signature = SignatureOf(engine, ed.signing, AsBytes("text"), {});
  EXPECT_EQ(Verdict(engine, ed.verifying, AsBytes("text"), signature, {}),
            ValidityIndicator::kValid);
  kmip::SignRequest part;
  part.id = kmip::Identifier(ed.signing);
  part.data = AsBytes("te");
  part.init = true;
  EXPECT_EQ(engine.Do(part).reason, ResultReason::kUnsupportedCryptographicParameters);
}

TEST(Sign, NeedsTheRightHalfTheMaskAndTheOwner) {
  EngineForTest engine;
  const Pair ec = NewEc(engine);
  const std::string aes =
      engine.AddAesKey(Bytes(32, 1), {Attribute::OfInteger(Tag::kCryptographicUsageMask, 3)});
  kmip::SignRequest sign;
  sign.data = AsBytes("text");
  sign.id = kmip::Identifier(ec.verifying);
  EXPECT_FALSE(engine.Do(sign).success) << "a public key does not sign";
  sign.id = kmip::Identifier(aes);
  EXPECT_FALSE(engine.Do(sign).success) << "a symmetric key does not sign";
  sign.id = kmip::Identifier(ec.signing);
  EXPECT_EQ(engine.Do(sign, kmip::kVersion2_1, "mallory").reason, ResultReason::kPermissionDenied);
  kmip::SignatureVerifyRequest verify;
  verify.id = kmip::Identifier(ec.signing);
  verify.data = AsBytes("text");
  verify.signature = AsBytes("text");
  EXPECT_EQ(engine.Do(verify).reason, ResultReason::kIncompatibleCryptographicUsageMask);
}

}  // namespace
}  // namespace dare::engine
