#include "engine/operations/create_key_pair.h"

#include <gtest/gtest.h>

#include "engine/operations/key_pairs_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/re_key_key_pair.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::CryptographicAlgorithm;
using kmip::KeyFormatType;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::RecommendedCurve;
using kmip::ResultReason;
using kmip::Tag;

Attribute LinkTo(LinkType type, const std::string& id) {
  return Attribute::OfLink(static_cast<std::uint32_t>(type), id);
}

TEST(CreateKeyPair, MakesTwoObjectsThatPointAtEachOther) {
  EngineForTest engine;
  const auto pair = EcPairForTest(engine);
  const kmip::AttributeSet secret = ReadForTest(engine, pair.private_id);
  const kmip::AttributeSet open = ReadForTest(engine, pair.public_id);
  EXPECT_EQ(secret.Enum<ObjectType>(Tag::kObjectType), ObjectType::kPrivateKey);
  EXPECT_EQ(open.Enum<ObjectType>(Tag::kObjectType), ObjectType::kPublicKey);
  EXPECT_EQ(*secret.Find(Tag::kLink), LinkTo(LinkType::kPublicKeyLink, pair.public_id));
  EXPECT_EQ(*open.Find(Tag::kLink), LinkTo(LinkType::kPrivateKeyLink, pair.private_id));
  for (const kmip::AttributeSet* half : {&secret, &open}) {
    EXPECT_EQ(half->Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm),
              CryptographicAlgorithm::kEC);
    EXPECT_EQ(half->Integer(Tag::kCryptographicLength), 256);
    EXPECT_EQ(half->Enum<kmip::State>(Tag::kState), kmip::State::kPreActive);
    EXPECT_TRUE(half->Has(Tag::kDigest));
    EXPECT_TRUE(half->Has(Tag::kOriginalCreationDate));
  }
}

TEST(CreateKeyPair, GivesEachHalfItsOwnAttributesBeforeTheCommonOnes) {
  EngineForTest engine;
  auto request = PairRequestForTest(CryptographicAlgorithm::kEC, 256,
                                    {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x01),
                                     Attribute::OfText(Tag::kObjectGroup, "both")});
  request.attributes.private_key =
      AttributesForTest({Attribute::OfName("p"), Attribute::OfText(Tag::kObjectGroup, "own")});
  request.attributes.public_key = AttributesForTest(
      {Attribute::OfName("q"), Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x02)});
  for (const auto version : {kmip::kVersion1_2, kmip::kVersion2_1}) {
    EngineForTest fresh;
    const auto pair = fresh.Must<kmip::CreateKeyPairResponse>(request, version);
    const kmip::AttributeSet secret = ReadForTest(fresh, pair.private_id);
    const kmip::AttributeSet open = ReadForTest(fresh, pair.public_id);
    EXPECT_EQ(secret.Names(), std::vector<std::string>{"p"});
    EXPECT_EQ(open.Names(), std::vector<std::string>{"q"});
    EXPECT_EQ(secret.Integer(Tag::kCryptographicUsageMask), 0x01);
    EXPECT_EQ(open.Integer(Tag::kCryptographicUsageMask), 0x02);
    EXPECT_EQ(secret.Count({Tag::kObjectGroup, "", ""}), 2u) << "the union of both";
    EXPECT_EQ(open.Count({Tag::kObjectGroup, "", ""}), 1u);
  }
}

TEST(CreateKeyPair, MakesEveryAlgorithmInTheDefaultFormatOfTheVersion) {
  EngineForTest engine;
  struct Case {
    CryptographicAlgorithm algorithm;
    std::vector<Attribute> more;
    KeyFormatType secret, open, secret_1x, open_1x;
    std::int32_t bits;
  };
  const std::vector<Case> cases = {{CryptographicAlgorithm::kRSA,
                                    {},
                                    KeyFormatType::kPKCS_1,
                                    KeyFormatType::kPKCS_1,
                                    KeyFormatType::kPKCS_1,
                                    KeyFormatType::kPKCS_1,
                                    2048},
                                   {CryptographicAlgorithm::kECDSA,
                                    {CurveForTest(RecommendedCurve::kP_384)},
                                    KeyFormatType::kTransparentECPrivateKey,
                                    KeyFormatType::kTransparentECPublicKey,
                                    KeyFormatType::kECPrivateKey,
                                    KeyFormatType::kX_509,
                                    384},
                                   {CryptographicAlgorithm::kECDH,
                                    {CurveForTest(RecommendedCurve::kBRAINPOOLP256R1)},
                                    KeyFormatType::kTransparentECPrivateKey,
                                    KeyFormatType::kTransparentECPublicKey,
                                    KeyFormatType::kECPrivateKey,
                                    KeyFormatType::kX_509,
                                    256}};
  for (const Case& one : cases) {
    for (const auto version : {kmip::kVersion1_2, kmip::kVersion2_1}) {
      const auto pair = engine.Must<kmip::CreateKeyPairResponse>(
          PairRequestForTest(one.algorithm, std::nullopt, one.more), version);
      const bool old = version == kmip::kVersion1_2;
      EXPECT_EQ(GetForTest(engine, pair.private_id, {}, {}, version).format,
                old ? one.secret_1x : one.secret);
      EXPECT_EQ(GetForTest(engine, pair.public_id, {}, {}, version).format,
                old ? one.open_1x : one.open);
      EXPECT_EQ(ReadForTest(engine, pair.private_id).Integer(Tag::kCryptographicLength), one.bits);
    }
  }
  for (const auto algorithm : {CryptographicAlgorithm::kEd25519, CryptographicAlgorithm::kEd448}) {
    EXPECT_TRUE(engine.Do(PairRequestForTest(algorithm)).success);
  }
  const auto x25519 = engine.Must<kmip::CreateKeyPairResponse>(PairRequestForTest(
      CryptographicAlgorithm::kECDH, std::nullopt, {CurveForTest(RecommendedCurve::kCURVE25519)}));
  EXPECT_EQ(GetForTest(engine, x25519.private_id).format, KeyFormatType::kPKCS_8);
}

// A format that an older peer cannot know is not given to it.
TEST(CreateKeyPair, OlderVersionsReadKeysOfNewerOnesInTheirOwnFormat) {
  EngineForTest engine;
  const auto pair = EcPairForTest(engine);
  EXPECT_EQ(GetForTest(engine, pair.private_id).format, KeyFormatType::kTransparentECPrivateKey);
  EXPECT_EQ(GetForTest(engine, pair.private_id, {}, {}, kmip::kVersion1_2).format,
            KeyFormatType::kECPrivateKey);
  EXPECT_EQ(GetForTest(engine, pair.public_id, {}, {}, kmip::kVersion1_2).format,
            KeyFormatType::kX_509);
}

TEST(CreateKeyPair, RefusesWhatThePolicyForbidsAndWhatMakesNoKey) {
  EngineForTest engine;
  EngineForTest legacy(true);
  const auto refused = [&](const kmip::CreateKeyPairRequest& request) {
    return engine.Do(request).reason;
  };
  const auto small = PairRequestForTest(CryptographicAlgorithm::kRSA, 1024);
  EXPECT_EQ(refused(small), ResultReason::kPermissionDenied);
  EXPECT_TRUE(legacy.Do(small).success);
  const auto p192 = PairRequestForTest(CryptographicAlgorithm::kECDSA, 192);
  EXPECT_EQ(refused(p192), ResultReason::kPermissionDenied);
  EXPECT_TRUE(legacy.Do(p192).success);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kDSA, 2048)),
            ResultReason::kPermissionDenied);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kAES, 256)),
            ResultReason::kInvalidField);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kRSA, 1 << 20)),
            ResultReason::kServerLimitExceeded);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kRSA, 8192)),
            ResultReason::kServerLimitExceeded);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kRSA, 2049)),
            ResultReason::kInvalidField);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kRSA, -1)),
            ResultReason::kInvalidAttributeValue);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kEC, 333)),
            ResultReason::kInvalidField);
  EXPECT_EQ(refused(PairRequestForTest(CryptographicAlgorithm::kEC, 256,
                                       {CurveForTest(RecommendedCurve::kP_384)})),
            ResultReason::kInvalidField)
      << "length and curve disagree";
}

TEST(CreateKeyPair, RefusesHalvesThatDisagree) {
  EngineForTest engine;
  kmip::CreateKeyPairRequest request;
  request.attributes.private_key =
      AttributesForTest({EnumForTest(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kEC)});
  EXPECT_TRUE(engine.Do(request).success) << "what one half names holds for both";
  request.attributes.public_key =
      AttributesForTest({EnumForTest(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kRSA)});
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kInvalidField);
}

TEST(CreateKeyPair, NeedsAnAlgorithmIn1xAndChoosesOneIn2x) {
  EngineForTest engine;
  EXPECT_EQ(engine.Do(kmip::CreateKeyPairRequest{}, kmip::kVersion1_4).reason,
            ResultReason::kInvalidField);
  const auto pair = engine.Must<kmip::CreateKeyPairResponse>(kmip::CreateKeyPairRequest{});
  const kmip::AttributeSet secret = ReadForTest(engine, pair.private_id);
  EXPECT_EQ(secret.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm),
            CryptographicAlgorithm::kRSA);
  EXPECT_TRUE(secret.Has(Tag::kCryptographicUsageMask));
}

TEST(CreateKeyPair, LeavesNothingBehindWhenANameIsTaken) {
  EngineForTest engine;
  auto request = PairRequestForTest(CryptographicAlgorithm::kEC, 256);
  request.attributes.public_key = AttributesForTest({Attribute::OfName("taken")});
  const auto first = engine.Must<kmip::CreateKeyPairResponse>(request);
  request.attributes.private_key = AttributesForTest({Attribute::OfName("free")});
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kNonUniqueNameAttribute);
  request.attributes.public_key = {};
  EXPECT_TRUE(engine.Do(request).success) << "the name of the private key is still free";
}

TEST(CreateKeyPair, RefusesStorageItDoesNotHave) {
  EngineForTest engine;
  auto request = PairRequestForTest(CryptographicAlgorithm::kEC, 256);
  const kmip::ProtectionStorageMasks hardware = {
      static_cast<std::int32_t>(kmip::ProtectionStorageMask::kHardware)};
  request.attributes.private_masks = hardware;
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kPrivateProtectionStorageUnavailable);
  request.attributes.private_masks.reset();
  request.attributes.public_masks = hardware;
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kPublicProtectionStorageUnavailable);
}

// Re-key Key Pair.

kmip::ReKeyKeyPairResponse Replace(EngineForTest& engine, const std::string& id,
                                   std::optional<std::uint32_t> offset = std::nullopt) {
  kmip::ReKeyKeyPairRequest request;
  request.id = kmip::Identifier(id);
  request.offset = offset;
  return engine.Must<kmip::ReKeyKeyPairResponse>(request);
}

TEST(ReKeyKeyPair, MovesNamesAndLinksAllFour) {
  EngineForTest engine;
  auto request = PairRequestForTest(CryptographicAlgorithm::kEC, std::nullopt,
                                    {CurveForTest(RecommendedCurve::kSECP256K1)});
  request.attributes.private_key = AttributesForTest({Attribute::OfName("p")});
  request.attributes.public_key = AttributesForTest({Attribute::OfName("q")});
  const auto old = engine.Must<kmip::CreateKeyPairResponse>(request);
  const auto next = Replace(engine, old.private_id);
  const kmip::AttributeSet secret = ReadForTest(engine, next.private_id);
  const kmip::AttributeSet open = ReadForTest(engine, next.public_id);
  EXPECT_EQ(secret.Names(), std::vector<std::string>{"p"});
  EXPECT_EQ(open.Names(), std::vector<std::string>{"q"});
  EXPECT_TRUE(ReadForTest(engine, old.private_id).Names().empty());
  EXPECT_TRUE(ReadForTest(engine, old.public_id).Names().empty());
  const auto has = [&](const std::string& id, LinkType type, const std::string& other) {
    const kmip::AttributeSet attributes = ReadForTest(engine, id);
    std::size_t found = 0;
    for (const Attribute& attribute : attributes.all()) found += attribute == LinkTo(type, other);
    return found == 1 && attributes.Count({Tag::kLink, "", ""}) == 2;
  };
  EXPECT_TRUE(has(next.private_id, LinkType::kReplacedObjectLink, old.private_id));
  EXPECT_TRUE(has(next.private_id, LinkType::kPublicKeyLink, next.public_id));
  EXPECT_TRUE(has(next.public_id, LinkType::kReplacedObjectLink, old.public_id));
  EXPECT_TRUE(has(next.public_id, LinkType::kPrivateKeyLink, next.private_id));
  EXPECT_TRUE(has(old.private_id, LinkType::kReplacementObjectLink, next.private_id));
  EXPECT_TRUE(has(old.public_id, LinkType::kReplacementObjectLink, next.public_id));
  EXPECT_NE(GetForTest(engine, old.public_id).material,
            GetForTest(engine, next.public_id).material);
}

// The attributes of a registered key need not tell its curve; the length alone would make it P-256.
TEST(ReKeyKeyPair, KeepsACurveThatOnlyTheKeyTells) {
  EngineForTest engine;
  const auto made = engine.Must<kmip::CreateKeyPairResponse>(PairRequestForTest(
      CryptographicAlgorithm::kEC, std::nullopt, {CurveForTest(RecommendedCurve::kSECP256K1)}));
  const GivenKeyForTest open = GetForTest(engine, made.public_id);
  const GivenKeyForTest secret = GetForTest(engine, made.private_id);
  const std::string public_id =
      RegisteredForTest(RegisterForTest(engine, ObjectType::kPublicKey, open.object));
  const std::string private_id =
      RegisteredForTest(RegisterForTest(engine, ObjectType::kPrivateKey, secret.object,
                                        {LinkTo(LinkType::kPublicKeyLink, public_id)}));
  const auto next = Replace(engine, private_id);
  // Recommended Curve stands first in the Key Material.
  EXPECT_EQ(GetForTest(engine, next.public_id).material.substr(0, 48), open.material.substr(0, 48));
}

TEST(ReKeyKeyPair, AnOffsetMovesTheDatesOfBothHalves) {
  EngineForTest engine;
  const std::int64_t now = engine.clock().Now();
  const auto old = engine.Must<kmip::CreateKeyPairResponse>(
      PairRequestForTest(CryptographicAlgorithm::kEC, 256,
                         {Attribute::OfDate(Tag::kActivationDate, now - 1000),
                          Attribute::OfDate(Tag::kDeactivationDate, now + 1000)}));
  const auto next = Replace(engine, old.private_id, 60);
  for (const std::string& id : {next.private_id, next.public_id}) {
    const kmip::AttributeSet attributes = ReadForTest(engine, id);
    EXPECT_EQ(attributes.Date(Tag::kActivationDate), now + 60);
    EXPECT_EQ(attributes.Date(Tag::kDeactivationDate), now + 2060);
  }
}

TEST(ReKeyKeyPair, RefusesWhatIsNoPrivateKeyOfAPair) {
  EngineForTest engine;
  const auto refused = [&](const std::string& id, kmip::ProtocolVersion version) {
    kmip::ReKeyKeyPairRequest request;
    request.id = kmip::Identifier(id);
    return engine.Do(request, version).reason;
  };
  const auto pair = EcPairForTest(engine);
  EXPECT_EQ(refused(pair.public_id, kmip::kVersion2_1), ResultReason::kInvalidObjectType);
  EXPECT_EQ(refused(pair.public_id, kmip::kVersion1_4), ResultReason::kPermissionDenied);
  const std::string alone = RegisteredForTest(
      RegisterForTest(engine, ObjectType::kPrivateKey, GetForTest(engine, pair.private_id).object));
  EXPECT_EQ(refused(alone, kmip::kVersion1_4), ResultReason::kPermissionDenied);
  EXPECT_EQ(refused("none", kmip::kVersion2_1), ResultReason::kObjectNotFound);
  kmip::ReKeyKeyPairRequest other;
  other.id = kmip::Identifier(pair.private_id);
  other.attributes.common =
      AttributesForTest({EnumForTest(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kRSA)});
  EXPECT_EQ(engine.Do(other).reason, ResultReason::kInvalidField) << "another algorithm";
  other.attributes = {};
  EXPECT_EQ(engine.Do(other, kmip::kVersion2_1, "bob").reason, ResultReason::kPermissionDenied);
}

}  // namespace
}  // namespace dare::engine
