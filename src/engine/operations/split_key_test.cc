#include "kmip/split_key.h"

#include <gtest/gtest.h>

#include "engine/key_formats.h"
#include "engine/operations/create_split_key.h"
#include "engine/operations/join_split_key.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/managed_object.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::ObjectType;
using kmip::ResultReason;
using kmip::SplitKeyMethod;
using kmip::Tag;

constexpr SplitKeyMethod kMethods[] = {
    SplitKeyMethod::kXOR, SplitKeyMethod::kPolynomialSharingGF2_8,
    SplitKeyMethod::kPolynomialSharingGF2_16, SplitKeyMethod::kPolynomialSharingPrimeField};

class SplitKeys : public ::testing::Test {
 protected:
  static kmip::CreateSplitKeyRequest Request(const std::string& id, std::int32_t threshold,
                                             std::int32_t parts, SplitKeyMethod method) {
    kmip::CreateSplitKeyRequest request;
    if (!id.empty()) request.id = kmip::Identifier(id);
    request.parts = parts;
    request.threshold = threshold;
    request.method = method;
    return request;
  }
  std::vector<std::string> Split(const std::string& id, std::int32_t threshold, std::int32_t parts,
                                 SplitKeyMethod method) {
    return engine_.Must<kmip::CreateSplitKeyResponse>(Request(id, threshold, parts, method)).ids;
  }
  static kmip::JoinSplitKeyRequest Joining(const std::vector<std::string>& ids, ObjectType type) {
    kmip::JoinSplitKeyRequest request;
    request.object_type = type;
    for (const std::string& id : ids) request.ids.emplace_back(id);
    return request;
  }
  std::string Join(const std::vector<std::string>& ids, ObjectType type) {
    return engine_.Must<kmip::JoinSplitKeyResponse>(Joining(ids, type)).id;
  }
  // The Key Material of any object that has a Key Block.
  std::string MaterialOf(const std::string& id) {
    kmip::GetRequest get;
    get.id = kmip::Identifier(id);
    const ItemForTest item = engine_.Do(get);
    if (!item.success) return item.message;
    ttlv::Reader in = item.in();
    auto got = kmip::GetResponse::Decode(in, kmip::kVersion2_1);
    ttlv::Reader members = *got->object.Members();
    while (!members.At(Tag::kKeyBlock)) EXPECT_TRUE(members.Skip().has_value());
    const auto block = kmip::ReadKeyBlock(members);
    return ToHex(*block->KeyBytes());
  }

  EngineForTest engine_;
};

TEST_F(SplitKeys, JoinToTheKeyThatWasSplit) {
  const Bytes key = *FromHex("0102030405060708090a0b0c0d0e0f10");
  const std::string id = engine_.AddAesKey(key);
  for (const SplitKeyMethod method : kMethods) {
    const bool all = method == SplitKeyMethod::kXOR;
    const auto parts = Split(id, all ? 4 : 2, 4, method);
    ASSERT_EQ(parts.size(), 4u);
    for (const std::string& part : parts) EXPECT_NE(MaterialOf(part), ToHex(key));
    const auto some = all ? parts : std::vector<std::string>{parts[3], parts[1]};
    const std::string joined = Join(some, ObjectType::kSymmetricKey);
    EXPECT_EQ(MaterialOf(joined), ToHex(key));
    EXPECT_EQ(ReadForTest(engine_, joined).Integer(Tag::kCryptographicUsageMask), 0x0C);
    EXPECT_EQ(engine_.Do(Joining({parts[2]}, ObjectType::kSymmetricKey)).reason,
              ResultReason::kCryptographicFailure);
  }
}

TEST_F(SplitKeys, TellTheirPlaceAndTheirKey) {
  const std::string id = engine_.AddAesKey(Bytes(16, 1));
  const auto parts = Split(id, 2, 3, SplitKeyMethod::kPolynomialSharingGF2_8);
  for (std::int32_t i = 0; i < 3; ++i) {
    kmip::GetRequest get;
    get.id = kmip::Identifier(parts[static_cast<std::size_t>(i)]);
    const ItemForTest item = engine_.Do(get);
    ttlv::Reader in = item.in();
    auto got = kmip::GetResponse::Decode(in, kmip::kVersion2_1);
    EXPECT_EQ(got->type, ObjectType::kSplitKey);
    ttlv::Reader members = *got->object.Members();
    const auto head = kmip::ReadSplitKeyHead(members);
    EXPECT_EQ(head->identifier, i + 1);
    EXPECT_EQ(head->parts, 3);
    EXPECT_EQ(head->threshold, 2);
  }
  const kmip::AttributeSet attributes = ReadForTest(engine_, parts[0]);
  EXPECT_EQ(attributes.Integer(Tag::kCryptographicLength), 128);
  EXPECT_EQ(*attributes.Find(Tag::kLink),
            Attribute::OfLink(static_cast<std::uint32_t>(kmip::LinkType::kParentLink), id));
}

TEST_F(SplitKeys, ANewKeyIsOnlyThereInParts) {
  auto request = Request("", 2, 2, SplitKeyMethod::kXOR);
  request.attributes = AttributesForTest(
      {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES),
       Attribute::OfInteger(Tag::kCryptographicLength, 256)});
  const auto parts = engine_.Must<kmip::CreateSplitKeyResponse>(request).ids;
  const std::string joined = Join(parts, ObjectType::kSymmetricKey);
  EXPECT_EQ(MaterialOf(joined).size(), 64u);
}

TEST_F(SplitKeys, SecretDataAndPrivateKeysAreSplitToo) {
  const std::string secret =
      engine_.AddObject(ObjectType::kSecretData,
                        *kmip::MakeSecretData(AsBytes("odd"), kmip::SecretDataType::kPassword),
                        {Attribute::OfInteger(Tag::kCryptographicLength, 24)});
  const auto key = *crypto::PrivateKey::Generate({crypto::KeyFamily::kEc, 0, "prime256v1", 0});
  const KeyForm form{.format = kmip::KeyFormatType::kPKCS_8,
                     .compression = {},
                     .algorithm = kmip::CryptographicAlgorithm::kEC,
                     .bits = 256};
  const std::string signing = engine_.AddObject(
      ObjectType::kPrivateKey, *MakePrivateKey(key, form),
      {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kEC),
       Attribute::OfInteger(Tag::kCryptographicLength, 256),
       Attribute::OfInteger(Tag::kCryptographicUsageMask, 1)});
  const std::string material = MaterialOf(signing);
  for (const SplitKeyMethod method : kMethods) {
    EXPECT_EQ(MaterialOf(Join(Split(secret, 2, 2, method), ObjectType::kSecretData)),
              ToHex(AsBytes("odd")));
    const auto request = Request(signing, 2, 2, method);
    const ItemForTest item = engine_.Do(request);
    if (!item.success) continue;  // an odd number of bytes in GF(2^16), or too many for a prime
    ttlv::Reader in = item.in();
    const auto parts = kmip::CreateSplitKeyResponse::Decode(in, kmip::kVersion2_1)->ids;
    EXPECT_EQ(MaterialOf(Join(parts, ObjectType::kPrivateKey)), material);
  }
}

TEST_F(SplitKeys, PartsOfAGuardedKeyAreGuarded) {
  const std::string id =
      engine_.AddAesKey(Bytes(16, 1), {Attribute::OfBoolean(Tag::kExtractable, false)});
  const auto parts = Split(id, 2, 2, SplitKeyMethod::kXOR);
  kmip::GetRequest get;
  get.id = kmip::Identifier(parts[0]);
  EXPECT_EQ(engine_.Do(get).reason, ResultReason::kNotExtractable);
  const std::string joined = Join(parts, ObjectType::kSymmetricKey);
  get.id = kmip::Identifier(joined);
  EXPECT_EQ(engine_.Do(get).reason, ResultReason::kNotExtractable);
  auto request = Joining(parts, ObjectType::kSymmetricKey);
  request.attributes =
      AttributesForTest({Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x1C)});
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kIncompatibleCryptographicUsageMask);
  // Not as Secret Data or anything else that could be read, either.
  get.id = kmip::Identifier(Join(parts, ObjectType::kSecretData));
  EXPECT_EQ(engine_.Do(get).reason, ResultReason::kNotExtractable);
}

TEST_F(SplitKeys, OnlyPartsOfOneKeyJoin) {
  const std::string one = engine_.AddAesKey(Bytes(16, 1));
  const std::string two = engine_.AddAesKey(Bytes(32, 2));
  const auto of_one = Split(one, 2, 3, SplitKeyMethod::kPolynomialSharingGF2_8);
  const auto of_two = Split(two, 2, 3, SplitKeyMethod::kPolynomialSharingGF2_8);
  const auto reason = [&](const std::vector<std::string>& ids) {
    return engine_.Do(Joining(ids, ObjectType::kSymmetricKey)).reason;
  };
  EXPECT_EQ(reason({of_one[0], of_two[1]}), ResultReason::kCryptographicFailure);
  EXPECT_EQ(reason({of_one[0], of_one[0]}), ResultReason::kCryptographicFailure);
  EXPECT_EQ(reason({one, of_one[0]}), ResultReason::kInvalidObjectType);
  kmip::DestroyRequest destroy;
  destroy.id = kmip::Identifier(of_one[0]);
  engine_.Must<kmip::DestroyResponse>(destroy);
  EXPECT_EQ(reason({of_one[0], of_one[1]}), ResultReason::kObjectDestroyed);
  EXPECT_EQ(engine_
                .Do(Joining({of_two[0], of_two[1]}, ObjectType::kSymmetricKey), kmip::kVersion2_1,
                    "mallory")
                .reason,
            ResultReason::kPermissionDenied);
}

TEST_F(SplitKeys, RefuseWhatCannotBe) {
  const std::string id = engine_.AddAesKey(Bytes(16, 1));
  const auto reason = [&](const kmip::CreateSplitKeyRequest& request,
                          const std::string& principal = "alice") {
    return engine_.Do(request, kmip::kVersion2_1, principal).reason;
  };
  EXPECT_EQ(reason(Request(id, 4, 3, SplitKeyMethod::kPolynomialSharingGF2_8)),
            ResultReason::kBadCryptographicParameters);
  EXPECT_EQ(reason(Request(id, 2, 3, SplitKeyMethod::kXOR)),
            ResultReason::kBadCryptographicParameters);
  EXPECT_EQ(reason(Request(id, 2, 3, SplitKeyMethod{9})),
            ResultReason::kUnsupportedCryptographicParameters);
  EXPECT_EQ(reason(Request(id, 2, 3, SplitKeyMethod::kPolynomialSharingGF2_8), "mallory"),
            ResultReason::kPermissionDenied);
  auto wrong_type = Request(id, 2, 3, SplitKeyMethod::kPolynomialSharingGF2_8);
  wrong_type.object_type = ObjectType::kSymmetricKey;
  EXPECT_EQ(reason(wrong_type), ResultReason::kInvalidObjectType);
}

TEST_F(SplitKeys, PartsMadeElsewhereCanBeRegistered) {
  // TC-SJ-2-12: 2 of 4 in GF(2^8)
  std::vector<std::string> ids;
  std::int32_t place = 1;
  for (const char* part :
       {"66c46a7754f94de420c7b1a7fff5ec56", "cf93d1e2a7e593cd5b8d6247f4e5d49c"}) {
    kmip::KeyBlock block;
    block.format = kmip::KeyFormatType::kRaw;
    block.algorithm = kmip::CryptographicAlgorithm::kAES;
    block.length = 128;
    const kmip::SplitKeyHead head{.parts = 4,
                                  .identifier = place++,
                                  .threshold = 2,
                                  .method = SplitKeyMethod::kPolynomialSharingGF2_8,
                                  .prime = {}};
    const auto material = kmip::MakeSplitKey(head, block, *FromHex(part));
    kmip::RegisterRequest request;
    request.object_type = ObjectType::kSplitKey;
    request.attributes =
        AttributesForTest({Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C)});
    request.object = *ttlv::ParseItem(material->Reveal());
    ids.push_back(engine_.Must<kmip::RegisterResponse>(request).id);
  }
  EXPECT_EQ(MaterialOf(Join(ids, ObjectType::kSymmetricKey)), "0102030405060708090a0b0c0d0e0f10");
}

}  // namespace
}  // namespace dare::engine
