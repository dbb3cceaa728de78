#include "engine/operations/derive_key.h"

#include <gtest/gtest.h>

#include "engine/key_formats.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/managed_object.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/revoke.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::DerivationMethod;
using kmip::HashingAlgorithm;
using kmip::ObjectType;
using kmip::ResultReason;
using kmip::Tag;

Attribute MayDerive() { return Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x200); }

class DeriveKey : public ::testing::Test {
 protected:
  std::string AddKey(ByteView bytes) { return engine_.AddAesKey(bytes, {MayDerive()}); }
  std::string AddSecret(std::string_view text) {
    return engine_.AddObject(ObjectType::kSecretData,
                             *kmip::MakeSecretData(AsBytes(text), kmip::SecretDataType::kSeed),
                             {MayDerive()});
  }
  // A symmetric key of `bits` (AES), by `method`.
  static kmip::DeriveKeyRequest Request(const std::vector<std::string>& ids,
                                        DerivationMethod method, std::int32_t bits) {
    kmip::DeriveKeyRequest request;
    for (const std::string& id : ids) request.ids.emplace_back(id);
    request.method = method;
    request.attributes = AttributesForTest(
        {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES),
         Attribute::OfInteger(Tag::kCryptographicLength, bits)});
    return request;
  }
  static kmip::DeriveKeyRequest WithHash(kmip::DeriveKeyRequest request, HashingAlgorithm hash) {
    request.derivation.parameters.emplace().hashing_algorithm = hash;
    return request;
  }
  std::string Made(const kmip::DeriveKeyRequest& request) {
    const auto response = engine_.Must<kmip::DeriveKeyResponse>(request);
    kmip::GetRequest get;
    get.id = kmip::Identifier(response.id);
    const ItemForTest item = engine_.Do(get);
    ttlv::Reader in = item.in();
    auto got = kmip::GetResponse::Decode(in, kmip::kVersion2_1);
    ttlv::Reader members = *got->object.Members();
    while (!members.At(Tag::kKeyBlock)) EXPECT_TRUE(members.Skip().has_value());
    const auto block = kmip::ReadKeyBlock(members);
    return ToHex(*block->KeyBytes());
  }

  EngineForTest engine_{true};
};

TEST_F(DeriveKey, HashAndPbkdf2GiveThePublishedAnswers) {
  // TC-DERIVEKEY-1, -4 and -5
  const std::string key = AddKey(*FromHex("00112233445566778899aabbccddeeff"));
  EXPECT_EQ(
      Made(WithHash(Request({key}, DerivationMethod::kHASH, 128), HashingAlgorithm::kSHA_256)),
      "a8faed6abbf35c12a4b26e40f6feb19d");
  const std::string secret = AddSecret("password");
  kmip::DeriveKeyRequest request = Request({secret}, DerivationMethod::kPBKDF2, 128);
  request.derivation.salt = AsBytes("salt");
  request.derivation.iterations = 4096;
  EXPECT_EQ(Made(request), "4b007901b765489abead49d926f721d0");
  request = WithHash(std::move(request), HashingAlgorithm::kSHA_256);
  EXPECT_EQ(Made(request), "c5e478d59288c841aa530db6845c4c8d");
}

TEST_F(DeriveKey, HmacTakesItsDataFromTheRequestOrFromSecretData) {
  // RFC 4231, test case 2
  const std::string key = AddSecret("Jefe");
  const std::string data = AddSecret("what do ya want for nothing?");
  auto request = WithHash(Request({key}, DerivationMethod::kHMAC, 256), HashingAlgorithm::kSHA_256);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidMessage) << "no data";
  request.derivation.data = {AsBytes("what do ya want for nothing?")};
  const std::string answer = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  EXPECT_EQ(Made(request), answer);
  request.ids.emplace_back(data);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidMessage) << "data twice";
  request.derivation.data.clear();
  EXPECT_EQ(Made(request), answer);
}

TEST_F(DeriveKey, EncryptHkdfAndAwsGivePublishedAnswers) {
  // SP 800-38A F.1.1
  const std::string aes = AddKey(*FromHex("2b7e151628aed2a6abf7158809cf4f3c"));
  auto request = Request({aes}, DerivationMethod::kENCRYPT, 128);
  request.derivation.parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kECB;
  const Bytes block = *FromHex("6bc1bee22e409f96e93d7e117393172a");
  request.derivation.data = {block};
  EXPECT_EQ(Made(request), "3ad77bb40d7a3660a89ecaf32466ef97");
  // RFC 5869, A.1
  const std::string input = AddSecret(std::string(22, '\x0b'));
  request = Request({input}, DerivationMethod::kHKDF, 256);
  const Bytes salt = *FromHex("000102030405060708090a0b0c");
  const Bytes info = *FromHex("f0f1f2f3f4f5f6f7f8f9");
  request.derivation.salt = salt;
  request.derivation.data = {info};
  EXPECT_EQ(Made(request), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  // AWS's documents
  const std::string secret = AddSecret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  request = Request({secret}, DerivationMethod::kAWSSignatureVersion4, 256);
  request.derivation.data = {AsBytes("20120215"), AsBytes("us-east-1"), AsBytes("iam")};
  EXPECT_EQ(Made(request), "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

TEST_F(DeriveKey, Sp800_108InItsThreeModes) {
  const std::string key = AddSecret("0123456789abcdef0123456789abcdef");
  std::vector<std::string> seen;
  for (const DerivationMethod method :
       {DerivationMethod::kNIST800_108_C, DerivationMethod::kNIST800_108_F,
        DerivationMethod::kNIST800_108_DPI}) {
    auto request = WithHash(Request({key}, method, 512), HashingAlgorithm::kSHA_256);
    request.derivation.data = {AsBytes("label")};
    request.object_type = ObjectType::kSecretData;
    seen.push_back(Made(request));
    EXPECT_EQ(seen.back().size(), 128u);
    EXPECT_EQ(Made(request), seen.back());
  }
  EXPECT_NE(seen[0], seen[1]);
  EXPECT_NE(seen[1], seen[2]);
}

TEST_F(DeriveKey, BothSidesOfAnAgreementFindTheSameKey) {
  const auto add = [&](const crypto::PrivateKey& key, bool is_private) {
    const KeyForm form{
        .format = is_private ? kmip::KeyFormatType::kPKCS_8 : kmip::KeyFormatType::kX_509,
        .compression = {},
        .algorithm = kmip::CryptographicAlgorithm::kEC,
        .bits = 256};
    return engine_.AddObject(
        is_private ? ObjectType::kPrivateKey : ObjectType::kPublicKey,
        is_private ? *MakePrivateKey(key, form) : *MakePublicKey(*key.Public(), form),
        {MayDerive()});
  };
  const auto a = *crypto::PrivateKey::Generate({crypto::KeyFamily::kEc, 0, "prime256v1", 0});
  const auto b = *crypto::PrivateKey::Generate({crypto::KeyFamily::kEc, 0, "prime256v1", 0});
  const std::string a_private = add(a, true), a_public = add(a, false);
  const std::string b_private = add(b, true), b_public = add(b, false);
  const auto method = DerivationMethod::kAsymmetricKey;
  EXPECT_EQ(Made(Request({a_private, b_public}, method, 256)),
            Made(Request({a_public, b_private}, method, 256)));
  EXPECT_EQ(engine_.Do(Request({a_private, b_private}, method, 256)).reason,
            ResultReason::kInvalidField);
  EXPECT_EQ(engine_.Do(Request({a_private}, method, 256)).reason, ResultReason::kInvalidField);
}

TEST_F(DeriveKey, LinksBothWaysAndTellsWhatWasMade) {
  const std::string key = AddKey(Bytes(16, 1));
  const auto made = engine_.Must<kmip::DeriveKeyResponse>(
      WithHash(Request({key}, DerivationMethod::kHASH, 128), HashingAlgorithm::kSHA_256));
  const kmip::AttributeSet derived = ReadForTest(engine_, made.id);
  EXPECT_EQ(*derived.Find(Tag::kLink),
            Attribute::OfLink(static_cast<std::uint32_t>(kmip::LinkType::kDerivationBaseObjectLink),
                              key));
  EXPECT_EQ(derived.Integer(Tag::kCryptographicLength), 128);
  EXPECT_TRUE(derived.Has(Tag::kRandomNumberGenerator));
  EXPECT_EQ(
      *ReadForTest(engine_, key).Find(Tag::kLink),
      Attribute::OfLink(static_cast<std::uint32_t>(kmip::LinkType::kDerivedKeyLink), made.id));
}

TEST_F(DeriveKey, RefusesMoreThanTheMethodGives) {
  const std::string key = AddKey(Bytes(16, 1));
  auto request = WithHash(Request({key}, DerivationMethod::kHASH, 256), HashingAlgorithm::kSHA_224);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kCryptographicFailure);
  request = Request({AddSecret("x")}, DerivationMethod::kPBKDF2, 256);
  request.derivation.salt = AsBytes("salt");
  request.derivation.iterations = INT32_MAX;
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
  request.derivation.iterations = 0;
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
}

TEST_F(DeriveKey, NeedsTheMaskTheStateTheOwnerAndALength) {
  const std::string bare = engine_.AddAesKey(Bytes(16, 1));
  const auto from = [](const std::string& id) {
    return WithHash(Request({id}, DerivationMethod::kHASH, 128), HashingAlgorithm::kSHA_256);
  };
  EXPECT_EQ(engine_.Do(from(bare)).reason, ResultReason::kIncompatibleCryptographicUsageMask);
  EXPECT_EQ(engine_.Do(from(bare), kmip::kVersion1_4).reason, ResultReason::kInvalidField);
  const std::string key = AddKey(Bytes(16, 1));
  EXPECT_EQ(engine_.Do(from(key), kmip::kVersion2_1, "mallory").reason,
            ResultReason::kPermissionDenied);
  auto request = from(key);
  request.attributes = {};
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
  request = from(key);
  request.object_type = ObjectType::kCertificate;
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidObjectType);
  kmip::RevokeRequest revoke;
  revoke.id = kmip::Identifier(key);
  revoke.reason = kmip::RevocationReasonCode::kKeyCompromise;
  engine_.Must<kmip::RevokeResponse>(revoke);
  EXPECT_EQ(engine_.Do(from(key)).reason, ResultReason::kWrongKeyLifecycleState);
}

}  // namespace
}  // namespace dare::engine
