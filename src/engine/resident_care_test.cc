// Keys that stay in the HSM, from creation to the end: over a token that is a map in memory and
// keeps to the rights of its keys.
#include "engine/resident_care.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "crypto/signature.h"
#include "engine/kms.h"
#include "engine/operations/key_pairs_for_test.h"
#include "engine/vendor_attributes.h"
#include "hsm/memory_resident_keys_for_test.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/add_attribute.h"
#include "kmip/payloads/create_split_key.h"
#include "kmip/payloads/decrypt.h"
#include "kmip/payloads/derive_key.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/export.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/mac.h"
#include "kmip/payloads/mac_verify.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/revoke.h"
#include "kmip/payloads/sign.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::ResultReason;
using kmip::Tag;
using testing::HasSubstr;

constexpr std::int32_t kHardware = 2;
constexpr char kWish[] = "OpenDaRE-Protection-Storage";

class Resident : public testing::Test {
 protected:
  Resident() : engine_(Options()) {}

  KmsOptions Options() {
    KmsOptions options;
    options.resident_keys = &hsm_;
    options.make_resident_keys = true;
    return options;
  }

  static kmip::CreateRequest InHsm(kmip::CreateRequest request) {
    request.protection_storage_masks = kmip::ProtectionStorageMasks{kHardware};
    return request;
  }
  // An Active AES-256 key in the HSM.
  std::string NewKey(std::int32_t mask = 0x0C) {
    kmip::CreateRequest request = InHsm(CreateAesForTest());
    request.attributes.attributes.Set(Attribute::OfInteger(Tag::kCryptographicUsageMask, mask));
    request.attributes.attributes.Add(Attribute::OfDate(Tag::kActivationDate, 1));
    return engine_.Must<kmip::CreateResponse>(request).id;
  }
  kmip::CreateKeyPairResponse NewPair(kmip::CryptographicAlgorithm algorithm, std::int32_t bits) {
    kmip::CreateKeyPairRequest request =
        PairRequestForTest(algorithm, bits, {Attribute::OfDate(Tag::kActivationDate, 1)});
    request.attributes.private_masks = kmip::ProtectionStorageMasks{kHardware};
    return engine_.Must<kmip::CreateKeyPairResponse>(request);
  }
  static kmip::EncryptRequest Encrypting(const std::string& id, ByteView data) {
    kmip::EncryptRequest request;
    request.id = Identifier(id);
    request.parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kGCM;
    request.parameters->random_iv = true;
    request.data = data;
    request.aad = AsBytes("bound");
    return request;
  }
  ItemForTest Revoke(const std::string& id) {
    kmip::RevokeRequest request;
    request.id = Identifier(id);
    request.reason = kmip::RevocationReasonCode::kCessationOfOperation;
    return engine_.Do(request);
  }
  ItemForTest Destroy(const std::string& id) {
    kmip::DestroyRequest request;
    request.id = Identifier(id);
    return engine_.Do(request);
  }

  hsm::MemoryResidentKeysForTest hsm_;
  EngineForTest engine_;
};

TEST_F(Resident, IsMadeInTheHsmWhereTheFirstMaskThatFitsSaysSo) {
  const std::string id = NewKey();
  EXPECT_EQ(hsm_.count(), 1u);
  EXPECT_THAT(hsm_.OnlyLabel(), testing::EndsWith(" " + id));
  const kmip::AttributeSet all = ReadForTest(engine_, id);
  EXPECT_EQ(all.Integer(Tag::kProtectionStorageMask), kHardware);
  EXPECT_EQ(all.Boolean(Tag::kSensitive), true);
  EXPECT_EQ(all.Boolean(Tag::kExtractable), false);
  EXPECT_EQ(all.Boolean(Tag::kAlwaysSensitive), true);
  EXPECT_EQ(all.Boolean(Tag::kNeverExtractable), true);
  EXPECT_FALSE(all.Has(Tag::kDigest));
  EXPECT_EQ(all.Count(ServerAttribute(kProtectionStorageName)), 1u);

  kmip::CreateRequest request = CreateAesForTest();
  request.protection_storage_masks = kmip::ProtectionStorageMasks{1, kHardware};
  engine_.Must<kmip::CreateResponse>(request);
  // All bits of a mask must hold: nothing here is in the HSM and validated.
  request.protection_storage_masks = kmip::ProtectionStorageMasks{0x1000 | kHardware};
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kProtectionStorageUnavailable);
  EXPECT_EQ(hsm_.count(), 1u);
}

TEST_F(Resident, IsAskedForByAnAttributeInVersionsWithoutMasks) {
  const std::string id =
      NewKeyForTest(engine_, {CustomForTest(kWish, "Hardware")}, kmip::kVersion1_4);
  EXPECT_EQ(hsm_.count(), 1u);
  const kmip::AttributeSet all = ReadForTest(engine_, id);
  EXPECT_EQ(all.Count(ServerAttribute(kProtectionStorageName)), 1u);
  EXPECT_EQ(all.Count(ClientAttribute(kWish)), 0u);
  NewKeyForTest(engine_, {CustomForTest(kWish, "Software")}, kmip::kVersion1_4);
  EXPECT_EQ(hsm_.count(), 1u);
  const auto wrong = CreateAesForTest({CustomForTest(kWish, "Vault")});
  EXPECT_EQ(engine_.Do(wrong, kmip::kVersion1_4).reason, ResultReason::kInvalidField);
}

TEST_F(Resident, NobodyMayClaimAProtectionThatIsNotThere) {
  const std::string id = engine_.AddAesKey(Bytes(32, 1));
  kmip::AddAttributeRequest add;
  add.id = Identifier(id);
  for (const char* vendor : {"x", "y"}) {
    add.attribute.attribute = CustomForTest(kWish, "Hardware", vendor);
    EXPECT_FALSE(engine_.Do(add, kmip::kVersion2_1).success) << vendor;
  }
  kmip::RegisterRequest request;
  request.object_type = kmip::ObjectType::kSymmetricKey;
  const SecretBytes material =
      *kmip::MakeSymmetricKey(Bytes(32, 2), kmip::CryptographicAlgorithm::kAES, 256);
  request.object = *ttlv::ParseItem(material.Reveal());
  request.attributes = AttributesForTest(
      {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C), CustomForTest(kWish, "Hardware")});
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kProtectionStorageUnavailable);
}

TEST_F(Resident, HasTheRightsOfItsUsageMaskAndNoOthers) {
  NewKey(0x04 | 0x10);  // Encrypt, Wrap Key
  const auto rights = hsm_.RightsOf(hsm_.OnlyLabel());
  ASSERT_TRUE(rights.has_value());
  EXPECT_TRUE(rights->encrypt && rights->wrap);
  EXPECT_FALSE(rights->decrypt || rights->unwrap || rights->sign || rights->verify);
}

TEST_F(Resident, EncryptsAndDecryptsWithoutBeingHere) {
  const std::string id = NewKey();
  const auto made = engine_.Must<kmip::EncryptResponse>(Encrypting(id, AsBytes("a data key")));
  kmip::DecryptRequest back;
  back.id = Identifier(id);
  back.parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kGCM;
  back.data = *made.data;
  back.iv = *made.iv;
  back.tag = *made.tag;
  back.aad = AsBytes("bound");
  EXPECT_EQ(AsText(*engine_.Must<kmip::DecryptResponse>(back).data), "a data key");
  back.aad = AsBytes("other");
  EXPECT_EQ(engine_.Do(back).reason, ResultReason::kCryptographicFailure);
  back.aad = AsBytes("bound");
  ASSERT_TRUE(Revoke(id).success);
  EXPECT_FALSE(engine_.Do(back).success);
  EXPECT_FALSE(engine_.Do(Encrypting(id, AsBytes("x"))).success);
}

TEST_F(Resident, DoesNotComeInParts) {
  const std::string id = NewKey();
  kmip::EncryptRequest request = Encrypting(id, AsBytes("x"));
  request.init = true;
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kFeatureNotSupported);
}

TEST_F(Resident, MakesAndVerifiesCodes) {
  kmip::CreateRequest request = InHsm({});
  request.object_type = kmip::ObjectType::kSymmetricKey;
  request.attributes = AttributesForTest(
      {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kHMAC_SHA256),
       Attribute::OfInteger(Tag::kCryptographicLength, 256),
       Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x80 | 0x100),
       Attribute::OfDate(Tag::kActivationDate, 1)});
  const std::string id = engine_.Must<kmip::CreateResponse>(request).id;
  kmip::MacRequest mac;
  mac.id = Identifier(id);
  mac.data = AsBytes("text");
  const auto made = engine_.Must<kmip::MacResponse>(mac);
  EXPECT_EQ(made.mac->size(), 32u);
  kmip::MacVerifyRequest verify;
  verify.id = Identifier(id);
  verify.data = AsBytes("text");
  verify.mac = *made.mac;
  EXPECT_EQ(engine_.Must<kmip::MacVerifyResponse>(verify).validity,
            kmip::ValidityIndicator::kValid);
  verify.data = AsBytes("texts");
  EXPECT_EQ(engine_.Must<kmip::MacVerifyResponse>(verify).validity,
            kmip::ValidityIndicator::kInvalid);
}

TEST_F(Resident, PrivateKeySignsAndItsPublicHalfIsGivenAway) {
  const auto pair = NewPair(kmip::CryptographicAlgorithm::kEC, 256);
  kmip::SignRequest sign;
  sign.id = Identifier(pair.private_id);
  sign.parameters.emplace().hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
  sign.data = AsBytes("text");
  const auto signature = engine_.Must<kmip::SignResponse>(sign);
  const GivenKeyForTest half = GetForTest(engine_, pair.public_id);
  EXPECT_FALSE(half.material.empty());
  EXPECT_EQ(ReadForTest(engine_, pair.public_id).Integer(Tag::kProtectionStorageMask), 1);
  EXPECT_EQ(ReadForTest(engine_, pair.private_id).Integer(Tag::kProtectionStorageMask), kHardware);
  kmip::GetRequest get;
  get.id = Identifier(pair.private_id);
  EXPECT_EQ(engine_.Do(get).reason, ResultReason::kNotExtractable);
  // Both halves in the HSM: there is no such thing.
  kmip::CreateKeyPairRequest both = PairRequestForTest(kmip::CryptographicAlgorithm::kEC, 256);
  both.attributes.common_masks = kmip::ProtectionStorageMasks{kHardware};
  EXPECT_EQ(engine_.Do(both).reason, ResultReason::kPublicProtectionStorageUnavailable);
}

TEST_F(Resident, IsNeitherGivenNorDerivedFromNorSplit) {
  const std::string id = NewKey(0x0C | 0x200);  // Derive Key, too
  kmip::GetRequest get;
  get.id = Identifier(id);
  EXPECT_EQ(engine_.Do(get).reason, ResultReason::kNotExtractable);
  kmip::ExportRequest export_request;
  export_request.get.id = Identifier(id);
  EXPECT_EQ(engine_.Do(export_request).reason, ResultReason::kNotExtractable);
  kmip::CreateSplitKeyRequest split;
  split.object_type = kmip::ObjectType::kSplitKey;
  split.id = Identifier(id);
  split.parts = 2;
  split.threshold = 2;
  split.method = kmip::SplitKeyMethod::kXOR;
  EXPECT_EQ(engine_.Do(split).reason, ResultReason::kNotExtractable);
}

TEST_F(Resident, WrapsAKeyThatIsHere) {
  const std::string kek = NewKey(0x10 | 0x20);
  const std::string id = engine_.AddAesKey(Bytes(32, 7));
  kmip::GetRequest get;
  get.id = Identifier(id);
  kmip::KeyWrapping& wrapping = get.wrapping.emplace();
  wrapping.encryption.emplace().id = kek;
  wrapping.encryption->parameters.emplace().block_cipher_mode = kmip::BlockCipherMode::kNISTKeyWrap;
  const ItemForTest wrapped = engine_.Do(get);
  ASSERT_TRUE(wrapped.success) << wrapped.message;
  ttlv::Reader in = wrapped.in();
  const auto response = *kmip::GetResponse::Decode(in, kmip::kVersion2_1);
  ttlv::Reader members = *response.object.Members();
  const kmip::KeyBlock block = *kmip::ReadKeyBlock(members);
  EXPECT_EQ(block.key_value->AsByteString()->size(), 40u);
}

TEST_F(Resident, IsRekeyedInTheHsm) {
  const std::string id = NewKey();
  kmip::ReKeyRequest request;
  request.id = Identifier(id);
  const std::string next = engine_.Must<kmip::ReKeyResponse>(request).id;
  EXPECT_EQ(hsm_.count(), 2u);
  const kmip::AttributeSet all = ReadForTest(engine_, next);
  EXPECT_EQ(all.Integer(Tag::kProtectionStorageMask), kHardware);
  EXPECT_EQ(all.Count(ServerAttribute(kProtectionStorageName)), 1u);
  EXPECT_TRUE(engine_.Do(Encrypting(next, AsBytes("x"))).success);
}

TEST_F(Resident, LeavesTheHsmWhenItIsDestroyed) {
  const std::string id = NewKey();
  EXPECT_FALSE(Destroy(id).success);  // Active
  EXPECT_EQ(hsm_.count(), 1u);
  ASSERT_TRUE(Revoke(id).success);
  EXPECT_TRUE(Destroy(id).success);
  EXPECT_EQ(hsm_.count(), 0u);
}

TEST_F(Resident, IsNotDestroyedWhileTheHsmIsAway) {
  const std::string id = NewKey();
  ASSERT_TRUE(Revoke(id).success);
  hsm_.SetUnavailable(true);
  EXPECT_EQ(engine_.Do(Encrypting(id, AsBytes("x"))).success, false);
  EXPECT_FALSE(Destroy(id).success);
  hsm_.SetUnavailable(false);
  EXPECT_EQ(hsm_.count(), 1u);
  EXPECT_TRUE(Destroy(id).success);
  EXPECT_EQ(hsm_.count(), 0u);
}

// The HSM breaks down between the commit and the removal, or the server does: the next start ends
// it.
TEST_F(Resident, WhatADestroyLeftBehindIsSweptAtTheNextStart) {
  const std::string id = NewKey();
  const std::string other = NewKey();
  ASSERT_TRUE(Revoke(id).success);
  hsm_.SetStuck(true);
  EXPECT_TRUE(Destroy(id).success);  // committed: nobody can use it any more
  EXPECT_FALSE(engine_.Do(Encrypting(id, AsBytes("x"))).success);
  EXPECT_EQ(hsm_.count(), 2u);
  hsm_.SetStuck(false);
  engine_.Restart();
  EXPECT_EQ(hsm_.count(), 1u);
  EXPECT_TRUE(engine_.Do(Encrypting(other, AsBytes("x"))).success);
}

TEST_F(Resident, ACreationThatIsRolledBackLeavesNothing) {
  kmip::CreateRequest request = InHsm(CreateAesForTest({Attribute::OfName("taken")}));
  engine_.Must<kmip::CreateResponse>(request);
  EXPECT_EQ(hsm_.count(), 1u);
  // The key is made before the name turns out to be taken.
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kNonUniqueNameAttribute);
  EXPECT_EQ(hsm_.count(), 1u);
  EXPECT_EQ(*engine_.store().Count({}), 1u);
}

// Another store's key, and one that this store does not know: an older copy of a database must not
// remove what the newer one made.
TEST_F(Resident, SweepLeavesAloneWhatItDoesNotKnow) {
  NewKey();
  const std::string label = hsm_.OnlyLabel();
  const std::string mine = label.substr(0, label.rfind(' ') + 1) + "00000000-0000-0000";
  for (const std::string& name : {mine, std::string("dare-kms-key ffffffffffffffff id")}) {
    ASSERT_TRUE(hsm_.Generate({.kind = hsm::ResidentKind::kAes, .bits = 256, .label = name}));
  }
  engine_.Restart();
  EXPECT_EQ(hsm_.count(), 3u);
  const auto found = engine_.kms().residents().Sweep();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->kept, 1u);
  ASSERT_EQ(found->unknown.size(), 1u);
  EXPECT_EQ(found->unknown.front().label, mine);
  EXPECT_TRUE(engine_.kms().residents().Remove(found->unknown.front()).has_value());
  EXPECT_EQ(hsm_.count(), 2u);
}

TEST_F(Resident, LostFromTheHsmSaysSo) {
  const std::string id = NewKey();
  hsm::ResidentEntry entry = hsm_.List("")->front();
  ASSERT_TRUE(hsm_.Remove(entry).has_value());
  const ItemForTest item = engine_.Do(Encrypting(id, AsBytes("x")));
  EXPECT_EQ(item.reason, ResultReason::kGeneralFailure);
  ASSERT_TRUE(Revoke(id).success);
  EXPECT_TRUE(Destroy(id).success);  // what is gone can be destroyed
}

TEST_F(Resident, IsFoundByItsProtectionStorageMask) {
  const std::string id = NewKey();
  engine_.AddAesKey(Bytes(32, 1));
  kmip::LocateRequest locate;
  locate.attributes.Add(Attribute::OfInteger(Tag::kProtectionStorageMask, kHardware));
  const auto found = engine_.Must<kmip::LocateResponse>(locate);
  EXPECT_THAT(found.ids, testing::ElementsAre(id));
  kmip::QueryRequest query;
  query.functions = {kmip::QueryFunction::kQueryStorageProtectionMasks};
  EXPECT_EQ(engine_.Must<kmip::QueryResponse>(query).protection_storage_masks,
            (kmip::ProtectionStorageMasks{1, kHardware}));
}

TEST(ResidentSwitchedOff, MakesNone) {
  hsm::MemoryResidentKeysForTest hsm;
  KmsOptions options;
  options.resident_keys = &hsm;
  EngineForTest engine(std::move(options));
  kmip::CreateRequest request = CreateAesForTest();
  request.protection_storage_masks = kmip::ProtectionStorageMasks{kHardware};
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kProtectionStorageUnavailable);
}

}  // namespace
}  // namespace dare::engine
