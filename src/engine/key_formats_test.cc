#include "engine/key_formats.h"

#include <gtest/gtest.h>

#include "engine/operations/key_pairs_for_test.h"
#include "kmip/payloads/get.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::CryptographicAlgorithm;
using kmip::KeyCompressionType;
using kmip::KeyFormatType;
using kmip::ObjectType;
using kmip::RecommendedCurve;
using kmip::ResultReason;
using kmip::Tag;

ItemForTest AskFor(EngineForTest& engine, const std::string& id, KeyFormatType format,
                   kmip::ProtocolVersion version = kmip::kVersion2_1) {
  kmip::GetRequest request;
  request.id = kmip::Identifier(id);
  request.format = format;
  return engine.Do(request, version);
}

struct Family {
  CryptographicAlgorithm algorithm;
  std::int32_t bits;
  std::vector<Attribute> domain;
  std::vector<KeyFormatType> secret, open;
};

std::vector<Family> Families() {
  using Format = KeyFormatType;
  return {{CryptographicAlgorithm::kRSA,
           2048,
           {},
           {Format::kPKCS_1, Format::kPKCS_8, Format::kTransparentRSAPrivateKey},
           {Format::kPKCS_1, Format::kX_509, Format::kTransparentRSAPublicKey}},
          {CryptographicAlgorithm::kEC,
           521,
           {CurveForTest(RecommendedCurve::kP_521)},
           {Format::kECPrivateKey, Format::kPKCS_8, Format::kTransparentECPrivateKey, Format::kRaw},
           {Format::kX_509, Format::kTransparentECPublicKey, Format::kRaw}},
          {CryptographicAlgorithm::kEd25519,
           256,
           {},
           {Format::kPKCS_8, Format::kTransparentECPrivateKey, Format::kRaw},
           {Format::kX_509, Format::kTransparentECPublicKey, Format::kRaw}},
          {CryptographicAlgorithm::kECDH,
           448,
           {CurveForTest(RecommendedCurve::kCURVE448)},
           {Format::kPKCS_8, Format::kTransparentECPrivateKey, Format::kRaw},
           {Format::kX_509, Format::kTransparentECPublicKey, Format::kRaw}},
          {CryptographicAlgorithm::kDSA,
           1024,
           {},
           {Format::kPKCS_8, Format::kTransparentDSAPrivateKey},
           {Format::kX_509, Format::kTransparentDSAPublicKey}},
          {CryptographicAlgorithm::kDH,
           2048,
           {},
           {Format::kPKCS_8, Format::kTransparentDHPrivateKey},
           {Format::kX_509, Format::kTransparentDHPublicKey}}};
}

// Every format of a key is given, can be registered, and comes back to the same key.
TEST(KeyFormats, ConvertIntoEachOtherInEveryFamily) {
  EngineForTest engine(true);
  for (const Family& family : Families()) {
    SCOPED_TRACE(static_cast<int>(family.algorithm));
    const auto pair = engine.Must<kmip::CreateKeyPairResponse>(
        PairRequestForTest(family.algorithm, family.bits, family.domain));
    const auto check = [&](ObjectType type, const std::string& id,
                           const std::vector<KeyFormatType>& formats) {
      for (const KeyFormatType format : formats) {
        SCOPED_TRACE(static_cast<int>(format));
        const GivenKeyForTest given = GetForTest(engine, id, format);
        ASSERT_EQ(given.format, format);
        const ItemForTest item = RegisterForTest(engine, type, given.object, family.domain);
        ASSERT_TRUE(item.success) << item.message;
        const std::string again = RegisteredForTest(item);
        EXPECT_EQ(GetForTest(engine, again).material, given.material) << "kept as it came";
        EXPECT_EQ(ReadForTest(engine, again).Integer(Tag::kCryptographicLength), family.bits);
        for (const KeyFormatType other : formats) {
          EXPECT_EQ(GetForTest(engine, again, other).material,
                    GetForTest(engine, id, other).material)
              << static_cast<int>(other);
        }
      }
    };
    check(ObjectType::kPrivateKey, pair.private_id, family.secret);
    check(ObjectType::kPublicKey, pair.public_id, family.open);
  }
}

TEST(KeyFormats, RefuseWhatAKeyDoesNotHave) {
  EngineForTest engine;
  const auto ec = EcPairForTest(engine);
  const auto rsa =
      engine.Must<kmip::CreateKeyPairResponse>(PairRequestForTest(CryptographicAlgorithm::kRSA));
  using Format = KeyFormatType;
  for (const auto& [id, format] :
       {std::pair{ec.private_id, Format::kPKCS_1}, std::pair{ec.private_id, Format::kX_509},
        std::pair{ec.public_id, Format::kECPrivateKey},
        std::pair{ec.private_id, Format::kTransparentRSAPrivateKey},
        std::pair{ec.public_id, Format::kTransparentECPrivateKey},
        std::pair{rsa.private_id, Format::kECPrivateKey}, std::pair{rsa.private_id, Format::kRaw},
        std::pair{rsa.public_id, Format::kPKCS_8},
        std::pair{rsa.public_id, Format::kTransparentECPublicKey},
        std::pair{rsa.private_id, Format::kOpaque},
        std::pair{rsa.private_id, Format::kTransparentSymmetricKey}}) {
    EXPECT_EQ(AskFor(engine, id, format).reason, ResultReason::kKeyFormatTypeNotSupported)
        << static_cast<int>(format);
  }
}

TEST(KeyFormats, TransparentRsaKeysHaveADigestOfTheirPkcs1FormToo) {
  EngineForTest engine;
  const auto rsa =
      engine.Must<kmip::CreateKeyPairResponse>(PairRequestForTest(CryptographicAlgorithm::kRSA));
  const auto given = GetForTest(engine, rsa.private_id, KeyFormatType::kTransparentRSAPrivateKey);
  const kmip::AttributeSet brought = ReadForTest(
      engine, RegisteredForTest(RegisterForTest(engine, ObjectType::kPrivateKey, given.object)));
  const kmip::AttributeSet made = ReadForTest(engine, rsa.private_id);
  EXPECT_EQ(brought.Count({Tag::kDigest, "", ""}), 2u);
  std::size_t same = 0;
  for (const Attribute& attribute : brought.all()) same += attribute == *made.Find(Tag::kDigest);
  EXPECT_EQ(same, 1u);
}

// SEC 1, 2.3.3: the first octet tells the form.
TEST(KeyFormats, CompressPointsAsAsked) {
  EngineForTest engine;
  const auto pair = EcPairForTest(engine);
  const auto first_octet = [&](KeyCompressionType form) {
    const auto given = GetForTest(engine, pair.public_id, KeyFormatType::kRaw, form);
    EXPECT_EQ(given.compression, static_cast<std::uint32_t>(form));
    return given.material.substr(16, 2);
  };
  EXPECT_EQ(first_octet(KeyCompressionType::kECPublicKeyTypeUncompressed), "04");
  const std::string compressed =
      first_octet(KeyCompressionType::kECPublicKeyTypeX9_62CompressedPrime);
  EXPECT_TRUE(compressed == "02" || compressed == "03");
  const std::string hybrid = first_octet(KeyCompressionType::kECPublicKeyTypeX9_62Hybrid);
  EXPECT_TRUE(hybrid == "06" || hybrid == "07");

  // Without a format, that of the object; and what came compressed can be registered.
  const auto compressed_key = GetForTest(engine, pair.public_id, std::nullopt,
                                         KeyCompressionType::kECPublicKeyTypeX9_62CompressedPrime);
  EXPECT_EQ(compressed_key.format, KeyFormatType::kTransparentECPublicKey);
  const ItemForTest item = RegisterForTest(engine, ObjectType::kPublicKey, compressed_key.object);
  ASSERT_TRUE(item.success) << item.message;
  EXPECT_EQ(GetForTest(engine, RegisteredForTest(item), KeyFormatType::kX_509).material,
            GetForTest(engine, pair.public_id, KeyFormatType::kX_509).material);

  const auto refused = [&](const std::string& id, KeyCompressionType form) {
    kmip::GetRequest request;
    request.id = kmip::Identifier(id);
    request.compression = form;
    return engine.Do(request).reason;
  };
  EXPECT_EQ(refused(pair.public_id, KeyCompressionType::kECPublicKeyTypeX9_62CompressedChar2),
            ResultReason::kKeyCompressionTypeNotSupported);
  EXPECT_EQ(refused(pair.private_id, KeyCompressionType::kECPublicKeyTypeUncompressed),
            ResultReason::kKeyCompressionTypeNotSupported);
}

TEST(RegisterKeyPair, CompletesAlgorithmAndLengthFromTheKey) {
  EngineForTest engine;
  const auto pair = EcPairForTest(engine);
  const auto pkcs8 = GetForTest(engine, pair.private_id, KeyFormatType::kPKCS_8);
  const ttlv::Item object = *ttlv::ParseItem(pkcs8.object);
  // The same without algorithm and length in the Key Block.
  ttlv::Reader members = *object.Members();
  const kmip::KeyBlock block = *kmip::ReadKeyBlock(members);
  ttlv::Writer out;
  out.Structure(Tag::kPrivateKey, [&] {
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, KeyFormatType::kPKCS_8);
      out.Structure(Tag::kKeyValue, [&] { out.Copy(*block.key_material); });
    });
  });
  const ItemForTest item = RegisterForTest(engine, ObjectType::kPrivateKey, out.bytes());
  ASSERT_TRUE(item.success) << item.message;
  const kmip::AttributeSet attributes = ReadForTest(engine, RegisteredForTest(item));
  EXPECT_EQ(attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm),
            CryptographicAlgorithm::kEC);
  EXPECT_EQ(attributes.Integer(Tag::kCryptographicLength), 256);
  EXPECT_EQ(attributes.Enum<KeyFormatType>(Tag::kKeyFormatType), KeyFormatType::kPKCS_8);
}

TEST(RegisterKeyPair, RefusesKeysThatAreNotWhatIsSaidOfThem) {
  EngineForTest engine;
  const auto pair = EcPairForTest(engine);
  const auto secret = GetForTest(engine, pair.private_id);
  const auto refused = [&](ObjectType type, ByteView object,
                           const std::vector<Attribute>& attributes) {
    return RegisterForTest(engine, type, object, attributes).reason;
  };
  EXPECT_EQ(refused(ObjectType::kPrivateKey, secret.object,
                    {EnumForTest(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kRSA)}),
            ResultReason::kInvalidField);
  EXPECT_EQ(refused(ObjectType::kPrivateKey, secret.object,
                    {Attribute::OfInteger(Tag::kCryptographicLength, 384)}),
            ResultReason::kInvalidField);
  EXPECT_EQ(
      refused(ObjectType::kPrivateKey, secret.object, {CurveForTest(RecommendedCurve::kSECP256K1)}),
      ResultReason::kInvalidField);
  EXPECT_EQ(refused(ObjectType::kPublicKey, secret.object, {}), ResultReason::kInvalidObjectType);
  // A key whose numbers are no key.
  const auto open = GetForTest(engine, pair.public_id, KeyFormatType::kRaw);
  WipingBytes bent = open.object;
  const std::string point = open.material.substr(16, 20);
  const std::string whole = ToHex(bent);
  bent[whole.find(point) / 2 + 5] ^= 1;
  EXPECT_EQ(refused(ObjectType::kPublicKey, bent, {CurveForTest(RecommendedCurve::kP_256)}),
            ResultReason::kInvalidField);
}

TEST(RegisterKeyPair, RefusesWeakKeysUnlessLegacyIsAllowed) {
  EngineForTest legacy(true);
  const auto weak = legacy.Must<kmip::CreateKeyPairResponse>(
      PairRequestForTest(CryptographicAlgorithm::kRSA, 1024));
  const auto key = GetForTest(legacy, weak.private_id);
  EngineForTest engine;
  EXPECT_EQ(RegisterForTest(engine, ObjectType::kPrivateKey, key.object).reason,
            ResultReason::kPermissionDenied);
  EXPECT_TRUE(RegisterForTest(legacy, ObjectType::kPrivateKey, key.object).success);
}

// RFC 5208, 6: what a password hides is kept as it came, if the client says what it is.
TEST(RegisterKeyPair, KeepsEncryptedPkcs8AsItCame) {
  EngineForTest engine;
  // SEQUENCE { SEQUENCE { pbeWithSHAAnd3-KeyTripleDES-CBC, NULL }, OCTET STRING }
  const Bytes sealed = *FromHex(
      "301a300e060a2a864886f70d010c010305000408"
      "0102030405060708");
  const auto object = [&](bool with_facts) {
    ttlv::Writer out;
    out.Structure(Tag::kPrivateKey, [&] {
      out.Structure(Tag::kKeyBlock, [&] {
        out.Enum(Tag::kKeyFormatType, KeyFormatType::kPKCS_8);
        out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, sealed); });
        if (!with_facts) return;
        out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kECDSA);
        out.Integer(Tag::kCryptographicLength, 256);
      });
    });
    return ToBytes(out.bytes());
  };
  EXPECT_EQ(RegisterForTest(engine, ObjectType::kPrivateKey, object(false)).reason,
            ResultReason::kInvalidField);
  const ItemForTest item = RegisterForTest(engine, ObjectType::kPrivateKey, object(true));
  ASSERT_TRUE(item.success) << item.message;
  const std::string id = RegisteredForTest(item);
  EXPECT_NE(GetForTest(engine, id).material.find(ToHex(sealed)), std::string::npos);
  EXPECT_EQ(AskFor(engine, id, KeyFormatType::kECPrivateKey).reason,
            ResultReason::kKeyFormatTypeNotSupported);
}

}  // namespace
}  // namespace dare::engine
