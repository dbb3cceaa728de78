#include "engine/operations/register.h"

#include <gtest/gtest.h>

#include <functional>

#include "crypto/digest.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/key_block.h"
#include "kmip/payloads/get.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::CryptographicAlgorithm;
using kmip::KeyFormatType;
using kmip::ObjectType;
using kmip::ResultReason;
using kmip::Tag;

const Bytes kKey(16, 7);
using WriteMembers = std::function<void(ttlv::Writer&)>;

// An object structure, kept alive for the request that borrows it.
struct Brought {
  WipingBytes bytes;
  kmip::RegisterRequest request;
};

Brought Bring(ObjectType type, Tag tag, const WriteMembers& members,
              const std::vector<Attribute>& attributes = {}) {
  Brought brought;
  ttlv::Writer out;
  out.Structure(tag, [&] { members(out); });
  brought.bytes = out.Take();
  brought.request.object_type = type;
  brought.request.attributes = AttributesForTest(attributes);
  brought.request.object = *ttlv::ParseItem(brought.bytes);
  return brought;
}

Brought BringKey(const WriteMembers& block, const std::vector<Attribute>& attributes = {}) {
  return Bring(
      ObjectType::kSymmetricKey, Tag::kSymmetricKey,
      [&](ttlv::Writer& out) { out.Structure(Tag::kKeyBlock, [&] { block(out); }); }, attributes);
}

void WriteRaw(ttlv::Writer& out, ByteView key, bool with_length = true,
              CryptographicAlgorithm algorithm = CryptographicAlgorithm::kAES) {
  out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
  out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, key); });
  if (!with_length) return;
  out.Enum(Tag::kCryptographicAlgorithm, algorithm);
  out.Integer(Tag::kCryptographicLength, static_cast<std::int32_t>(key.size() * 8));
}

Brought AesKey(const std::vector<Attribute>& attributes = {}) {
  return BringKey([](ttlv::Writer& out) { WriteRaw(out, kKey); }, attributes);
}

TEST(Register, GivesBackWhatWasBroughtByteForByte) {
  EngineForTest engine;
  for (const kmip::ProtocolVersion version : {kmip::kVersion1_0, kmip::kVersion2_1}) {
    const Brought brought = AesKey();
    const auto id = engine.Must<kmip::RegisterResponse>(brought.request, version).id;
    const auto got =
        engine.Must<kmip::GetResponse>(kmip::GetRequest{.id = kmip::Identifier(id)}, version);
    EXPECT_EQ(ToHex(got.object.whole), ToHex(brought.bytes));
  }
}

TEST(Register, TakesAlgorithmAndLengthFromTheKeyBlockOrTheAttributes) {
  EngineForTest engine;
  const auto id = engine.Must<kmip::RegisterResponse>(AesKey().request).id;
  EXPECT_EQ(ReadForTest(engine, id).Integer(Tag::kCryptographicLength), 128);
  const Brought told =
      BringKey([](ttlv::Writer& out) { WriteRaw(out, kKey, false); },
               {EnumForTest(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES),
                Attribute::OfInteger(Tag::kCryptographicLength, 128)});
  EXPECT_TRUE(engine.Do(told.request).success);
  const Brought untold = BringKey([](ttlv::Writer& out) { WriteRaw(out, kKey, false); });
  EXPECT_EQ(engine.Do(untold.request).reason, ResultReason::kInvalidField);
}

TEST(Register, RefusesAKeyBlockThatDisagrees) {
  EngineForTest engine;
  EXPECT_EQ(
      engine.Do(AesKey({Attribute::OfInteger(Tag::kCryptographicLength, 256)}).request).reason,
      ResultReason::kInvalidField);
  EXPECT_EQ(
      engine
          .Do(AesKey({EnumForTest(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kChaCha20)})
                  .request)
          .reason,
      ResultReason::kInvalidField);
  const Brought short_key = BringKey([](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
    out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, Bytes(8)); });
    out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES);
    out.Integer(Tag::kCryptographicLength, 128);
  });
  EXPECT_EQ(engine.Do(short_key.request).reason, ResultReason::kInvalidField);
}

TEST(Register, ATransparentKeyHasTwoDigests) {
  EngineForTest engine;
  const Brought brought = BringKey([](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kTransparentSymmetricKey);
    out.Structure(Tag::kKeyValue, [&] {
      out.Structure(Tag::kKeyMaterial, [&] { out.ByteString(Tag::kKey, kKey); });
    });
    out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES);
    out.Integer(Tag::kCryptographicLength, 128);
  });
  const auto id = engine.Must<kmip::RegisterResponse>(brought.request).id;
  const kmip::AttributeSet all = ReadForTest(engine, id);
  ASSERT_EQ(all.Count({Tag::kDigest, "", ""}), 2u);
  bool raw = false;
  for (const Attribute& attribute : all.all()) {
    if (attribute.tag != Tag::kDigest) continue;
    ttlv::Reader members = *attribute.View().Members();
    ASSERT_TRUE(members.Enumeration(Tag::kHashingAlgorithm));
    const Bytes digest = ToBytes(*members.ByteString(Tag::kDigestValue));
    const auto expected = crypto::Sha256(kKey);
    raw |= digest == Bytes(expected.begin(), expected.end());
  }
  EXPECT_TRUE(raw);
}

TEST(Register, KeepsSecretDataAndOpaqueObjects) {
  EngineForTest engine;
  const Brought secret = Bring(ObjectType::kSecretData, Tag::kSecretData, [](ttlv::Writer& out) {
    out.Enum(Tag::kSecretDataType, kmip::SecretDataType::kPassword);
    out.Structure(Tag::kKeyBlock, [&] { WriteRaw(out, Bytes(9, 1), false); });
  });
  const auto id = engine.Must<kmip::RegisterResponse>(secret.request).id;
  EXPECT_EQ(ReadForTest(engine, id).Integer(Tag::kCryptographicLength), 72);
  const Brought opaque =
      Bring(ObjectType::kOpaqueObject, Tag::kOpaqueObject, [](ttlv::Writer& out) {
        out.Enumeration(Tag::kOpaqueDataType, 0x80000001);
        out.ByteString(Tag::kOpaqueDataValue, Bytes(5, 2));
      });
  const auto other = engine.Must<kmip::RegisterResponse>(opaque.request).id;
  const kmip::AttributeSet all = ReadForTest(engine, other);
  EXPECT_EQ(all.Enumeration(Tag::kOpaqueDataType), 0x80000001);
  EXPECT_TRUE(all.Has(Tag::kDigest));
  EXPECT_FALSE(all.Has(Tag::kCryptographicUsageMask));
}

TEST(Register, KeepsAKeyWithoutValueSince12) {
  EngineForTest engine;
  const Brought elsewhere = BringKey([](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
    out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES);
    out.Integer(Tag::kCryptographicLength, 128);
  });
  EXPECT_EQ(engine.Do(elsewhere.request, kmip::kVersion1_1).reason, ResultReason::kInvalidField);
  const auto id = engine.Must<kmip::RegisterResponse>(elsewhere.request, kmip::kVersion1_2).id;
  EXPECT_EQ(ReadForTest(engine, id).Boolean(Tag::kKeyValuePresent), false);
}

TEST(Register, LinksAWrappedKeyToItsWrappingKey) {
  EngineForTest engine;
  const Brought wrapped = BringKey([](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
    out.ByteString(Tag::kKeyValue, Bytes(24, 9));
    out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES);
    out.Integer(Tag::kCryptographicLength, 128);
    kmip::KeyWrapping wrapping;
    wrapping.encryption = kmip::WrappingKeyInformation{.id = "kek", .parameters = {}};
    kmip::WriteKeyWrappingData(out, wrapping);
  });
  const auto id = engine.Must<kmip::RegisterResponse>(wrapped.request).id;
  const kmip::AttributeSet all = ReadForTest(engine, id);
  EXPECT_EQ(*all.Find(Tag::kLink),
            Attribute::OfLink(static_cast<std::uint32_t>(kmip::LinkType::kWrappingKeyLink), "kek"));
  EXPECT_FALSE(all.Has(Tag::kDigest)) << "what is inside is not known";
}

TEST(Register, RefusesOtherTypesAndStructuresOfAnother) {
  EngineForTest engine;
  Brought brought = AesKey();
  brought.request.object_type = ObjectType::kSecretData;
  EXPECT_EQ(engine.Do(brought.request, kmip::kVersion1_4).reason, ResultReason::kInvalidField);
  const Brought unknown =
      Bring(static_cast<ObjectType>(0x80000001), Tag::kSymmetricKey, [](auto&) {});
  EXPECT_EQ(engine.Do(unknown.request).reason, ResultReason::kInvalidObjectType);
  const Brought malformed = Bring(ObjectType::kSymmetricKey, Tag::kSymmetricKey,
                                  [](ttlv::Writer& out) { out.Integer(Tag::kBatchCount, 1); });
  EXPECT_EQ(engine.Do(malformed.request).reason, ResultReason::kInvalidMessage);
}

TEST(Register, RefusesFormatsThatAreNoneOfASymmetricKey) {
  EngineForTest engine;
  const Brought pkcs8 = BringKey([](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kPKCS_8);
    out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, kKey); });
    out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES);
    out.Integer(Tag::kCryptographicLength, 128);
  });
  EXPECT_EQ(engine.Do(pkcs8.request).reason, ResultReason::kKeyFormatTypeNotSupported);
}

TEST(Register, RefusesObjectsThatAreTooLarge) {
  EngineForTest engine;
  const Brought large = Bring(ObjectType::kOpaqueObject, Tag::kOpaqueObject, [](ttlv::Writer& out) {
    out.Enumeration(Tag::kOpaqueDataType, 1);
    out.ByteString(Tag::kOpaqueDataValue, Bytes(70'000));
  });
  EXPECT_EQ(engine.Do(large.request).reason, ResultReason::kServerLimitExceeded);
}

TEST(Register, KeepsTheCreationDateAndGeneratorOfTheClient) {
  EngineForTest engine;
  const auto id = engine
                      .Must<kmip::RegisterResponse>(
                          AesKey({Attribute::OfDate(Tag::kOriginalCreationDate, 38'520)}).request)
                      .id;
  EXPECT_EQ(ReadForTest(engine, id).Date(Tag::kOriginalCreationDate), 38'520);
  const auto plain = engine.Must<kmip::RegisterResponse>(AesKey().request).id;
  EXPECT_FALSE(ReadForTest(engine, plain).Has(Tag::kOriginalCreationDate));
  EXPECT_FALSE(ReadForTest(engine, plain).Has(Tag::kRandomNumberGenerator));
}

TEST(Register, TakesAttributesFromInsideTheKeyValue) {
  EngineForTest engine;
  const Brought brought = BringKey([](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
    out.Structure(Tag::kKeyValue, [&] {
      out.ByteString(Tag::kKeyMaterial, kKey);
      kmip::AttributeSet inside;
      inside.Add(Attribute::OfText(Tag::kContactInformation, "joe"));
      kmip::WriteAttributes(out, kmip::kVersion2_1, inside);
    });
    out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES);
    out.Integer(Tag::kCryptographicLength, 128);
  });
  const auto id = engine.Must<kmip::RegisterResponse>(brought.request).id;
  EXPECT_EQ(ReadForTest(engine, id).Text(Tag::kContactInformation), "joe");
}

}  // namespace
}  // namespace dare::engine
