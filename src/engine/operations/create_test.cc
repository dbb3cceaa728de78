#include "engine/operations/create.h"

#include <gtest/gtest.h>

#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/get.h"
#include "store/object_store.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::ResultReason;
using kmip::State;
using kmip::Tag;

TEST(Create, SetsWhatTheServerSets) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine, {Attribute::OfName("k")});
  const kmip::AttributeSet all = ReadForTest(engine, id);
  const std::int64_t now = engine.clock().Now();
  EXPECT_EQ(all.Text(Tag::kUniqueIdentifier), id);
  EXPECT_EQ(all.Enum<kmip::ObjectType>(Tag::kObjectType), kmip::ObjectType::kSymmetricKey);
  EXPECT_EQ(all.Enum<State>(Tag::kState), State::kPreActive);
  for (const Tag tag : {Tag::kInitialDate, Tag::kLastChangeDate, Tag::kOriginalCreationDate}) {
    EXPECT_EQ(all.Date(tag), now);
  }
  EXPECT_TRUE(all.Has(Tag::kDigest));
  EXPECT_TRUE(all.Has(Tag::kLeaseTime));
  EXPECT_TRUE(all.Has(Tag::kRandomNumberGenerator));
  EXPECT_EQ(all.Boolean(Tag::kFresh), true);
  EXPECT_EQ(all.Boolean(Tag::kSensitive), false);
  EXPECT_EQ(all.Boolean(Tag::kAlwaysSensitive), false);
  EXPECT_EQ(all.Boolean(Tag::kExtractable), true);
  EXPECT_EQ(all.Boolean(Tag::kNeverExtractable), false);
  EXPECT_EQ(all.Find(Tag::kShortUniqueIdentifier)->View().AsByteString()->size(), 32u);
  EXPECT_EQ(all.Enum<kmip::KeyFormatType>(Tag::kKeyFormatType), kmip::KeyFormatType::kRaw);
  EXPECT_EQ(all.Integer(Tag::kProtectionStorageMask), 1);
  EXPECT_EQ(all.Names(), std::vector<std::string>{"k"});
}

TEST(Create, ShowsEachVersionOnlyItsOwnAttributes) {
  EngineForTest engine;
  const std::string id = NewKeyForTest(engine);
  EXPECT_FALSE(ReadForTest(engine, id, kmip::kVersion1_0).Has(Tag::kFresh));
  EXPECT_TRUE(ReadForTest(engine, id, kmip::kVersion1_1).Has(Tag::kFresh));
  EXPECT_FALSE(ReadForTest(engine, id, kmip::kVersion1_3).Has(Tag::kSensitive));
  EXPECT_FALSE(ReadForTest(engine, id, kmip::kVersion1_4).Has(Tag::kShortUniqueIdentifier));
}

TEST(Create, MakesDifferentKeysOfTheLengthAskedFor) {
  EngineForTest engine;
  const auto bytes = [&](const std::string& id) {
    const auto got = engine.Must<kmip::GetResponse>(kmip::GetRequest{.id = kmip::Identifier(id)});
    ttlv::Reader members = *got.object.Members();
    return ToBytes(*kmip::ReadKeyBlock(members)->KeyBytes());
  };
  const Bytes one = bytes(NewKeyForTest(engine));
  EXPECT_EQ(one.size(), 32u);
  EXPECT_NE(one, bytes(NewKeyForTest(engine)));
}

TEST(Create, SuppliesDefaultsIn20AndDemandsTheAlgorithmIn1x) {
  EngineForTest engine;
  const kmip::CreateRequest bare;
  const std::string id = engine.Must<kmip::CreateResponse>(bare, kmip::kVersion2_0).id;
  const kmip::AttributeSet all = ReadForTest(engine, id);
  EXPECT_EQ(all.Integer(Tag::kCryptographicLength), 256);
  EXPECT_EQ(all.Integer(Tag::kCryptographicUsageMask), 0x0C);
  EXPECT_EQ(engine.Do(bare, kmip::kVersion1_4).reason, ResultReason::kInvalidField);
}

TEST(Create, AnActivationDateMakesTheKeyActiveInTime) {
  EngineForTest engine;
  const std::int64_t now = engine.clock().Now();
  const std::string past =
      NewKeyForTest(engine, {Attribute::OfDate(Tag::kActivationDate, now - 3600)});
  EXPECT_EQ(StateForTest(engine, past), State::kActive);
  const std::string future =
      NewKeyForTest(engine, {Attribute::OfDate(Tag::kActivationDate, now + 10),
                             Attribute::OfDate(Tag::kDeactivationDate, now + 20)});
  EXPECT_EQ(StateForTest(engine, future), State::kPreActive);
  engine.clock().Advance(10);
  EXPECT_EQ(StateForTest(engine, future), State::kActive);
  engine.clock().Advance(10);
  EXPECT_EQ(StateForTest(engine, future), State::kDeactivated);
}

TEST(Create, RefusesASecondObjectOfTheSameName) {
  EngineForTest engine;
  NewKeyForTest(engine, {Attribute::OfName("k")});
  const kmip::CreateRequest again = CreateAesForTest({Attribute::OfName("k")});
  EXPECT_EQ(engine.Do(again, kmip::kVersion2_1).reason, ResultReason::kNonUniqueNameAttribute);
  EXPECT_EQ(engine.Do(again, kmip::kVersion1_4).reason, ResultReason::kInvalidField);
  EXPECT_TRUE(engine.Do(again, kmip::kVersion2_1, "bob").success) << "names are each owner's own";
  const kmip::CreateRequest twice =
      CreateAesForTest({Attribute::OfName("n"), Attribute::OfName("n")});
  EXPECT_EQ(engine.Do(twice).reason, ResultReason::kNonUniqueNameAttribute);
}

TEST(Create, RefusesWhatOnlyTheServerSets) {
  EngineForTest engine;
  for (const Attribute& attribute :
       {EnumForTest(Tag::kState, State::kActive), Attribute::OfDate(Tag::kInitialDate, 0),
        Attribute::OfText(Tag::kUniqueIdentifier, "mine"),
        Attribute::OfInterval(Tag::kLeaseTime, 1), CustomForTest("ID", "v", "y")}) {
    const kmip::CreateRequest request = CreateAesForTest({attribute});
    EXPECT_EQ(engine.Do(request, kmip::kVersion2_1).reason, ResultReason::kAttributeReadOnly);
    EXPECT_EQ(engine.Do(request, kmip::kVersion1_2).reason, ResultReason::kInvalidField);
  }
}

TEST(Create, RefusesTwoValuesOfOneAndValuesThatMakeNoSense) {
  EngineForTest engine;
  const auto refuses = [&](const std::vector<Attribute>& attributes, ResultReason reason) {
    EXPECT_EQ(engine.Do(CreateAesForTest(attributes), kmip::kVersion2_1).reason, reason);
    EXPECT_EQ(engine.Do(CreateAesForTest(attributes), kmip::kVersion1_4).reason,
              ResultReason::kInvalidField);
  };
  refuses({Attribute::OfText(Tag::kContactInformation, "a"),
           Attribute::OfText(Tag::kContactInformation, "b")},
          ResultReason::kAttributeSingleValued);
  refuses({Attribute::OfText(Tag::kContactInformation, "")}, ResultReason::kInvalidAttributeValue);
  refuses({Attribute::OfName("n", 99)}, ResultReason::kInvalidAttributeValue);
  refuses({Attribute::OfName(std::string(4000, 'n'))}, ResultReason::kInvalidAttributeValue);
  refuses(
      {Attribute::OfDate(Tag::kActivationDate, 100), Attribute::OfDate(Tag::kDeactivationDate, 50)},
      ResultReason::kInvalidAttributeValue);
}

TEST(Create, RefusesTooManyAttributes) {
  EngineForTest engine;
  std::vector<Attribute> names;
  for (int n = 0; n < 200; ++n) names.push_back(Attribute::OfName("n" + std::to_string(n)));
  EXPECT_EQ(engine.Do(CreateAesForTest(names), kmip::kVersion2_1).reason,
            ResultReason::kServerLimitExceeded);
  EXPECT_EQ(engine.Do(CreateAesForTest(names), kmip::kVersion1_4).reason,
            ResultReason::kIndexOutOfBounds);
}

TEST(Create, RefusesLengthsAndAlgorithmsThatDoNotExist) {
  EngineForTest engine;
  const auto reason = [&](kmip::CryptographicAlgorithm algorithm, std::int32_t bits) {
    kmip::CreateRequest request;
    request.attributes = AttributesForTest({EnumForTest(Tag::kCryptographicAlgorithm, algorithm),
                                            Attribute::OfInteger(Tag::kCryptographicLength, bits)});
    return engine.Do(request).reason;
  };
  EXPECT_EQ(reason(kmip::CryptographicAlgorithm::kAES, 100), ResultReason::kInvalidField);
  EXPECT_EQ(reason(kmip::CryptographicAlgorithm::kRSA, 2048), ResultReason::kInvalidField);
  EXPECT_EQ(reason(kmip::CryptographicAlgorithm::kDES3, 168), ResultReason::kPermissionDenied)
      << "legacy, by policy";
  EngineForTest legacy(true);
  kmip::CreateRequest des;
  des.attributes = AttributesForTest(
      {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kDES3),
       Attribute::OfInteger(Tag::kCryptographicLength, 168)});
  const std::string id = legacy.Must<kmip::CreateResponse>(des).id;
  EXPECT_EQ(ReadForTest(legacy, id).Integer(Tag::kCryptographicLength), 168);
}

TEST(Create, MakesSecretDataSince14) {
  EngineForTest engine;
  kmip::CreateRequest request;
  request.object_type = kmip::ObjectType::kSecretData;
  request.attributes = AttributesForTest({Attribute::OfInteger(Tag::kCryptographicLength, 80)});
  EXPECT_EQ(engine.Do(request, kmip::kVersion1_3).reason, ResultReason::kInvalidField);
  const std::string id = engine.Must<kmip::CreateResponse>(request, kmip::kVersion1_4).id;
  const auto got = engine.Must<kmip::GetResponse>(kmip::GetRequest{.id = kmip::Identifier(id)});
  ttlv::Reader members = *got.object.Members();
  ASSERT_TRUE(members.Enumeration(Tag::kSecretDataType));
  EXPECT_EQ(kmip::ReadKeyBlock(members)->KeyBytes()->size(), 10u);
}

TEST(Create, RefusesOtherTypesTemplatesAndStorageItDoesNotHave) {
  EngineForTest engine;
  kmip::CreateRequest request = CreateAesForTest();
  request.object_type = kmip::ObjectType::kOpaqueObject;
  EXPECT_EQ(engine.Do(request, kmip::kVersion2_1).reason, ResultReason::kInvalidObjectType);
  EXPECT_EQ(engine.Do(request, kmip::kVersion1_0).reason, ResultReason::kInvalidField);
  kmip::CreateRequest templated = CreateAesForTest();
  templated.attributes.template_names = {"T"};
  EXPECT_EQ(engine.Do(templated, kmip::kVersion1_2).reason, ResultReason::kItemNotFound);
  kmip::CreateRequest hardware = CreateAesForTest();
  hardware.protection_storage_masks = kmip::ProtectionStorageMasks{2};
  EXPECT_EQ(engine.Do(hardware).reason, ResultReason::kProtectionStorageUnavailable);
  hardware.protection_storage_masks->push_back(1);
  EXPECT_TRUE(engine.Do(hardware).success);
}

TEST(Create, KeepsQuantumSafePromises) {
  EngineForTest engine;
  kmip::CreateRequest request;
  request.attributes = AttributesForTest({Attribute::OfInteger(Tag::kCryptographicLength, 128),
                                          Attribute::OfBoolean(Tag::kQuantumSafe, true)});
  EXPECT_EQ(engine.Do(request).reason, ResultReason::kGeneralFailure);
  EXPECT_TRUE(engine.Do(CreateAesForTest({Attribute::OfBoolean(Tag::kQuantumSafe, true)})).success);
}

TEST(Create, UsageLimitsStartFull) {
  EngineForTest engine;
  ttlv::Writer limits;
  limits.Structure(Tag::kUsageLimits, [&] {
    limits.LongInteger(Tag::kUsageLimitsTotal, 100);
    limits.LongInteger(Tag::kUsageLimitsCount, 7);  // ignored: the client may not set it
    limits.Enum(Tag::kUsageLimitsUnit, kmip::UsageLimitsUnit::kByte);
  });
  const std::string id =
      NewKeyForTest(engine, {Attribute::OfItem(*ttlv::ParseItem(limits.bytes()))});
  const kmip::AttributeSet all = ReadForTest(engine, id);
  ttlv::Reader members = *all.Find(Tag::kUsageLimits)->View().Members();
  EXPECT_EQ(*members.LongInteger(Tag::kUsageLimitsTotal), 100);
  EXPECT_EQ(*members.LongInteger(Tag::kUsageLimitsCount), 100);
}

TEST(Create, AFailedCreateLeavesNothing) {
  EngineForTest engine;
  engine.Do(CreateAesForTest({Attribute::OfName("k"), EnumForTest(Tag::kState, State::kActive)}));
  EXPECT_EQ(*engine.store().Count({}), 0u);
}

}  // namespace
}  // namespace dare::engine
