#include "engine/rsa_cipher.h"

#include <gtest/gtest.h>

#include "engine/operations/key_pairs_for_test.h"
#include "kmip/payloads/activate.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::CryptographicAlgorithm;
using kmip::CryptographicParameters;
using kmip::HashingAlgorithm;
using kmip::PaddingMethod;
using kmip::ResultReason;
using kmip::Tag;

const Bytes kText = {1, 2, 3, 4};

CryptographicParameters Oaep(HashingAlgorithm hash) {
  CryptographicParameters parameters;
  parameters.padding_method = PaddingMethod::kOAEP;
  parameters.hashing_algorithm = hash;
  parameters.mask_generator_hashing_algorithm = hash;
  return parameters;
}

// An active pair whose halves may do what `mask` says.
kmip::CreateKeyPairResponse ActivePair(EngineForTest& engine, CryptographicAlgorithm algorithm,
                                       std::int32_t secret_mask = 0x08,
                                       std::int32_t open_mask = 0x04,
                                       const std::vector<Attribute>& common = {}) {
  auto request = PairRequestForTest(algorithm, std::nullopt, common);
  const Attribute active = Attribute::OfDate(Tag::kActivationDate, engine.clock().Now() - 1);
  request.attributes.private_key =
      AttributesForTest({active, Attribute::OfInteger(Tag::kCryptographicUsageMask, secret_mask)});
  request.attributes.public_key =
      AttributesForTest({active, Attribute::OfInteger(Tag::kCryptographicUsageMask, open_mask)});
  return engine.Must<kmip::CreateKeyPairResponse>(request);
}

kmip::EncryptRequest EncryptWith(const std::string& id,
                                 const std::optional<CryptographicParameters>& parameters) {
  kmip::EncryptRequest request;
  request.id = kmip::Identifier(id);
  request.parameters = parameters;
  request.data = kText;
  return request;
}
kmip::DecryptRequest DecryptWith(const std::string& id,
                                 const std::optional<CryptographicParameters>& parameters,
                                 ByteView sealed) {
  kmip::DecryptRequest request;
  request.id = kmip::Identifier(id);
  request.parameters = parameters;
  request.data = sealed;
  return request;
}

TEST(RsaCipher, OpensWithThePrivateKeyWhatThePublicKeySealed) {
  EngineForTest engine;
  const auto pair = ActivePair(engine, CryptographicAlgorithm::kRSA);
  for (const HashingAlgorithm hash :
       {HashingAlgorithm::kSHA_1, HashingAlgorithm::kSHA_256, HashingAlgorithm::kSHA_512}) {
    for (const auto version : {kmip::kVersion1_4, kmip::kVersion2_1}) {
      const auto sealed =
          engine.Must<kmip::EncryptResponse>(EncryptWith(pair.public_id, Oaep(hash)), version);
      ASSERT_EQ(sealed.data->size(), 256u);
      const auto plain = engine.Must<kmip::DecryptResponse>(
          DecryptWith(pair.private_id, Oaep(hash), *sealed.data), version);
      EXPECT_EQ(ToHex(*plain.data), ToHex(kText));
    }
  }
}

TEST(RsaCipher, TakesParametersFromTheKeyAndThePSourceFromTheRequest) {
  EngineForTest engine;
  ttlv::Writer out;
  kmip::WriteCryptographicParameters(out, Oaep(HashingAlgorithm::kSHA_256));
  const auto pair = ActivePair(engine, CryptographicAlgorithm::kRSA, 0x08, 0x04,
                               {Attribute::OfItem(*ttlv::ParseItem(out.bytes()))});
  CryptographicParameters label;
  label.p_source = kText;
  const auto sealed = engine.Must<kmip::EncryptResponse>(EncryptWith(pair.public_id, label));
  EXPECT_TRUE(engine.Do(DecryptWith(pair.private_id, label, *sealed.data)).success);
  EXPECT_EQ(engine.Do(DecryptWith(pair.private_id, std::nullopt, *sealed.data)).reason,
            ResultReason::kCryptographicFailure);
}

TEST(RsaCipher, RefusesKeysAndParametersThatDoNotEncrypt) {
  EngineForTest engine;
  const auto pair = ActivePair(engine, CryptographicAlgorithm::kRSA);
  const auto ec = ActivePair(engine, CryptographicAlgorithm::kEC);
  const auto refused = [&](const std::string& id,
                           const std::optional<CryptographicParameters>& parameters) {
    return engine.Do(EncryptWith(id, parameters)).reason;
  };
  const auto oaep = Oaep(HashingAlgorithm::kSHA_256);
  EXPECT_EQ(refused(ec.public_id, oaep), ResultReason::kUnsupportedCryptographicParameters);
  EXPECT_EQ(refused(pair.public_id, std::nullopt), ResultReason::kBadCryptographicParameters);
  CryptographicParameters other = oaep;
  other.padding_method = PaddingMethod::kPSS;
  EXPECT_EQ(refused(pair.public_id, other), ResultReason::kUnsupportedCryptographicParameters);
  other = oaep;
  other.cryptographic_algorithm = CryptographicAlgorithm::kAES;
  EXPECT_EQ(refused(pair.public_id, other), ResultReason::kBadCryptographicParameters);
  other = oaep;
  other.padding_method = PaddingMethod::kPKCS1V1_5;
  EXPECT_EQ(refused(pair.public_id, other), ResultReason::kPermissionDenied) << "legacy only";
  EXPECT_EQ(refused(pair.private_id, oaep), ResultReason::kIncompatibleCryptographicUsageMask);
  const auto sealed = engine.Must<kmip::EncryptResponse>(EncryptWith(pair.public_id, oaep));
  EXPECT_EQ(engine.Do(DecryptWith(pair.public_id, oaep, *sealed.data)).reason,
            ResultReason::kIncompatibleCryptographicUsageMask);
  kmip::EncryptRequest parts = EncryptWith(pair.public_id, oaep);
  parts.init = true;
  EXPECT_EQ(engine.Do(parts).reason, ResultReason::kFeatureNotSupported);
  EXPECT_EQ(engine.Do(EncryptWith(pair.public_id, oaep), kmip::kVersion2_1, "bob").reason,
            ResultReason::kPermissionDenied);
}

// Its public half can encrypt where its mask says so; a public key can never decrypt.
TEST(RsaCipher, APrivateKeyMayStandForItsPublicHalf) {
  EngineForTest engine;
  const auto pair = ActivePair(engine, CryptographicAlgorithm::kRSA, 0x0C, 0x0C);
  const auto oaep = Oaep(HashingAlgorithm::kSHA_256);
  const auto sealed = engine.Must<kmip::EncryptResponse>(EncryptWith(pair.private_id, oaep));
  EXPECT_TRUE(engine.Do(DecryptWith(pair.private_id, oaep, *sealed.data)).success);
  EXPECT_EQ(engine.Do(DecryptWith(pair.public_id, oaep, *sealed.data)).reason,
            ResultReason::kInvalidObjectType);
}

TEST(RsaCipher, RefusesKeysThatAreNotActive) {
  EngineForTest engine;
  auto request = PairRequestForTest(CryptographicAlgorithm::kRSA, std::nullopt,
                                    {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C)});
  const auto pair = engine.Must<kmip::CreateKeyPairResponse>(request);
  EXPECT_EQ(engine.Do(EncryptWith(pair.public_id, Oaep(HashingAlgorithm::kSHA_256))).reason,
            ResultReason::kWrongKeyLifecycleState);
}

}  // namespace
}  // namespace dare::engine
