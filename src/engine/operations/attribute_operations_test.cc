// Get Attributes, Get Attribute List, Add, Modify, Set, Adjust and Delete Attribute share their
// rules (engine/attribute_rules.h, attribute_change.h), so they are tested side by side.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/attribute_values.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/add_attribute.h"
#include "kmip/payloads/adjust_attribute.h"
#include "kmip/payloads/delete_attribute.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get_attribute_list.h"
#include "kmip/payloads/modify_attribute.h"
#include "kmip/payloads/set_attribute.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeReference;
using kmip::Identifier;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::Tag;

kmip::AttributeIn In(Attribute attribute) { return {.attribute = std::move(attribute)}; }
AttributeReference Named(Tag tag) { return {tag, "", ""}; }

class AttributeOperations : public testing::Test {
 protected:
  ResultReason Add(const Attribute& attribute, ProtocolVersion version = kmip::kVersion2_1) {
    return engine_
        .Do(kmip::AddAttributeRequest{.id = Identifier(id_), .attribute = In(attribute)}, version)
        .reason;
  }
  ResultReason Modify(const Attribute& attribute, ProtocolVersion version = kmip::kVersion2_1) {
    kmip::ModifyAttributeRequest request;
    request.id = Identifier(id_);
    request.attribute = In(attribute);
    return engine_.Do(request, version).reason;
  }
  ResultReason Set(const Attribute& attribute) {
    return engine_.Do(kmip::SetAttributeRequest{.id = Identifier(id_), .attribute = In(attribute)})
        .reason;
  }
  ResultReason Delete(const AttributeReference& reference,
                      ProtocolVersion version = kmip::kVersion2_1,
                      std::optional<std::int32_t> index = {}) {
    kmip::DeleteAttributeRequest request;
    request.id = Identifier(id_);
    request.reference = reference;
    request.index = index;
    return engine_.Do(request, version).reason;
  }
  ResultReason Adjust(const AttributeReference& reference, kmip::AdjustmentType type,
                      const std::function<void(ttlv::Writer&)>& value = {}) {
    ttlv::Writer out;
    kmip::AdjustAttributeRequest request;
    request.id = Identifier(id_);
    request.reference = reference;
    request.type = type;
    if (value) {
      value(out);
      request.value = *ttlv::ParseItem(out.bytes());
    }
    return engine_.Do(request).reason;
  }
  void Activate() {
    engine_.Must<kmip::ActivateResponse>(kmip::ActivateRequest{.id = Identifier(id_)});
  }
  kmip::AttributeSet All() { return ReadForTest(engine_, id_); }

  static constexpr ResultReason kDone{};
  EngineForTest engine_;
  std::string id_ = NewKeyForTest(engine_);
};

TEST_F(AttributeOperations, GetGivesWhatWasAskedForAndSkipsWhatIsNotThere) {
  const auto got = engine_.Must<kmip::GetAttributesResponse>(
      kmip::GetAttributesRequest{
          .id = Identifier(id_),
          .references = {Named(Tag::kState), Named(Tag::kName), {Tag::kAttribute, "x", "none"}}},
      kmip::kVersion2_1);
  ASSERT_EQ(got.attributes.size(), 1u);
  EXPECT_EQ(got.attributes[0].tag, Tag::kState);
}

TEST_F(AttributeOperations, GetRefusesANameTwiceIn1x) {
  const kmip::GetAttributesRequest twice{
      .id = Identifier(id_), .references = {Named(Tag::kObjectType), Named(Tag::kObjectType)}};
  EXPECT_EQ(engine_.Do(twice, kmip::kVersion1_1).reason, ResultReason::kInvalidMessage);
  EXPECT_EQ(engine_.Must<kmip::GetAttributesResponse>(twice, kmip::kVersion2_1).attributes.size(),
            1u);
}

TEST_F(AttributeOperations, TheListNamesEachKindOnce) {
  EXPECT_EQ(Add(Attribute::OfName("a")), kDone);
  EXPECT_EQ(Add(Attribute::OfName("b")), kDone);
  const auto list = engine_.Must<kmip::GetAttributeListResponse>(
      kmip::GetAttributeListRequest{.id = Identifier(id_)});
  EXPECT_EQ(std::ranges::count(list.references, Named(Tag::kName)), 1);
  EXPECT_EQ(std::ranges::count(list.references, Named(Tag::kState)), 1);
}

TEST_F(AttributeOperations, OthersMayNotEvenLook) {
  EXPECT_EQ(
      engine_.Do(kmip::GetAttributesRequest{.id = Identifier(id_)}, kmip::kVersion1_4, "mallory")
          .reason,
      ResultReason::kPermissionDenied);
  EXPECT_EQ(engine_
                .Do(kmip::AddAttributeRequest{.id = Identifier(id_),
                                              .attribute = In(Attribute::OfName("m"))},
                    kmip::kVersion2_1, "mallory")
                .reason,
            ResultReason::kPermissionDenied);
  EXPECT_TRUE(All().Names().empty());
}

TEST_F(AttributeOperations, UnknownObjectsAreNotFoundInTheWordsOfTheVersion) {
  const kmip::GetAttributesRequest request{.id = Identifier("nobody")};
  EXPECT_EQ(engine_.Do(request, kmip::kVersion1_2).reason, ResultReason::kItemNotFound);
  EXPECT_EQ(engine_.Do(request, kmip::kVersion2_0).reason, ResultReason::kObjectNotFound);
}

TEST_F(AttributeOperations, AddAnswersTheIndexIn1x) {
  EXPECT_EQ(Add(Attribute::OfName("a"), kmip::kVersion1_4), kDone);
  const auto second = engine_.Must<kmip::AddAttributeResponse>(
      kmip::AddAttributeRequest{.id = Identifier(id_), .attribute = In(Attribute::OfName("b"))},
      kmip::kVersion1_4);
  ASSERT_TRUE(second.attribute);
  EXPECT_EQ(second.attribute->index, 1);
}

TEST_F(AttributeOperations, AddRefusesAnIndex) {
  Attribute indexed = Attribute::OfName("a");
  indexed.index = 1;
  EXPECT_EQ(Add(indexed, kmip::kVersion1_4), ResultReason::kInvalidField);
}

TEST_F(AttributeOperations, AddRefusesASecondValueOfASingleOne) {
  EXPECT_EQ(Add(Attribute::OfText(Tag::kContactInformation, "a")), kDone);
  EXPECT_EQ(Add(Attribute::OfText(Tag::kContactInformation, "b"), kmip::kVersion2_1),
            ResultReason::kAttributeSingleValued);
  EXPECT_EQ(Add(Attribute::OfText(Tag::kContactInformation, "b"), kmip::kVersion1_4),
            ResultReason::kIllegalOperation);
}

TEST_F(AttributeOperations, AddRefusesWhatOnlyTheServerSets) {
  const Attribute date = Attribute::OfDate(Tag::kCompromiseDate, 1);
  EXPECT_EQ(Add(date, kmip::kVersion2_1), ResultReason::kReadOnlyAttribute);
  EXPECT_EQ(Add(date, kmip::kVersion1_4), ResultReason::kPermissionDenied);
  EXPECT_EQ(Add(CustomForTest("a", "b", "y")), ResultReason::kReadOnlyAttribute);
  EXPECT_EQ(Add(CustomForTest("a", "b", "acme")), kDone);
}

TEST_F(AttributeOperations, ANameBelongsToOneObjectOfAnOwner) {
  EXPECT_EQ(Add(Attribute::OfName("n")), kDone);
  EXPECT_EQ(Add(Attribute::OfName("n")), ResultReason::kNonUniqueNameAttribute) << "its own too";
  id_ = NewKeyForTest(engine_, {Attribute::OfName("m")});
  EXPECT_EQ(Add(Attribute::OfName("n"), kmip::kVersion2_1), ResultReason::kNonUniqueNameAttribute);
  EXPECT_EQ(Add(Attribute::OfName("n"), kmip::kVersion1_4), ResultReason::kIllegalOperation);
  EXPECT_EQ(Modify(Attribute::OfName("n"), kmip::kVersion1_4), ResultReason::kIllegalOperation);
  EXPECT_EQ(Modify(Attribute::OfName("m2")), kDone);
  EXPECT_EQ(All().Names(), std::vector<std::string>{"m2"});
}

TEST_F(AttributeOperations, LastChangeDateFollows) {
  engine_.clock().Advance(7);
  EXPECT_EQ(Add(CustomForTest("a", "b")), kDone);
  EXPECT_EQ(All().Date(Tag::kLastChangeDate), engine_.clock().Now());
  EXPECT_EQ(All().Date(Tag::kInitialDate), engine_.clock().Now() - 7);
}

TEST_F(AttributeOperations, ModifyChangesTheInstanceOfTheIndexIn1x) {
  Add(Attribute::OfName("a"));
  Add(Attribute::OfName("b"));
  Attribute second = Attribute::OfName("c");
  second.index = 1;
  EXPECT_EQ(Modify(second, kmip::kVersion1_4), kDone);
  EXPECT_EQ(All().Names(), (std::vector<std::string>{"a", "c"}));
  second.index = 5;
  EXPECT_EQ(Modify(second, kmip::kVersion1_4), ResultReason::kItemNotFound);
}

TEST_F(AttributeOperations, ModifyNeedsTheCurrentValueAmongSeveralIn2x) {
  Add(Attribute::OfName("a"));
  Add(Attribute::OfName("b"));
  EXPECT_EQ(Modify(Attribute::OfName("c")), ResultReason::kAttributeInstanceNotFound);
  kmip::ModifyAttributeRequest request;
  request.id = Identifier(id_);
  request.current = In(Attribute::OfName("b"));
  request.attribute = In(Attribute::OfName("c"));
  EXPECT_TRUE(engine_.Do(request).success);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kAttributeInstanceNotFound);
  EXPECT_EQ(All().Names(), (std::vector<std::string>{"a", "c"}));
}

TEST_F(AttributeOperations, ModifyRefusesWhatIsNotThereOrReadOnly) {
  const Attribute contact = Attribute::OfText(Tag::kContactInformation, "a");
  EXPECT_EQ(Modify(contact, kmip::kVersion2_1), ResultReason::kAttributeNotFound);
  EXPECT_EQ(Modify(contact, kmip::kVersion1_4), ResultReason::kInvalidField);
  const Attribute state = EnumForTest(Tag::kState, kmip::State::kCompromised);
  EXPECT_EQ(Modify(state, kmip::kVersion2_1), ResultReason::kAttributeReadOnly);
  EXPECT_EQ(Modify(state, kmip::kVersion1_4), ResultReason::kPermissionDenied);
  EXPECT_EQ(Modify(Attribute::OfInteger(Tag::kCryptographicUsageMask, 1)),
            ResultReason::kAttributeReadOnly);
}

TEST_F(AttributeOperations, TheActivationDateIsFixedOnceActive) {
  const std::int64_t now = engine_.clock().Now();
  EXPECT_EQ(Add(Attribute::OfDate(Tag::kActivationDate, now + 100)), kDone);
  EXPECT_EQ(Modify(Attribute::OfDate(Tag::kActivationDate, now - 1)), kDone);
  EXPECT_EQ(StateForTest(engine_, id_), kmip::State::kActive) << "a date in the past, at once";
  const Attribute later = Attribute::OfDate(Tag::kActivationDate, now + 5);
  EXPECT_EQ(Modify(later, kmip::kVersion2_1), ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(Modify(later, kmip::kVersion1_4), ResultReason::kPermissionDenied);
}

TEST_F(AttributeOperations, AReachedProtectStopDateStays) {
  const std::int64_t now = engine_.clock().Now();
  EXPECT_EQ(Add(Attribute::OfDate(Tag::kProtectStopDate, now + 10)), kDone);
  EXPECT_EQ(Modify(Attribute::OfDate(Tag::kProtectStopDate, now + 20)), kDone);
  engine_.clock().Advance(20);
  EXPECT_EQ(Modify(Attribute::OfDate(Tag::kProtectStopDate, now + 90)),
            ResultReason::kWrongKeyLifecycleState);
}

TEST_F(AttributeOperations, DatesStayInTheirOrder) {
  const std::int64_t now = engine_.clock().Now();
  EXPECT_EQ(Add(Attribute::OfDate(Tag::kDeactivationDate, now + 10)), kDone);
  EXPECT_EQ(Add(Attribute::OfDate(Tag::kProtectStopDate, now + 20)),
            ResultReason::kInvalidAttributeValue);
  EXPECT_EQ(Add(Attribute::OfDate(Tag::kActivationDate, now + 20), kmip::kVersion1_4),
            ResultReason::kInvalidField);
}

TEST_F(AttributeOperations, AnAdministratorSeesNoDigestOfOthers) {
  id_ = NewKeyForTest(engine_);
  EXPECT_TRUE(All().Has(Tag::kDigest));
  const ItemForTest seen = engine_.Do(kmip::GetAttributesRequest{.id = Identifier(id_)},
                                      kmip::kVersion2_1, "root", true);
  ASSERT_TRUE(seen.success);
  ttlv::Reader in = seen.in();
  const auto response = kmip::GetAttributesResponse::Decode(in, kmip::kVersion2_1);
  ASSERT_TRUE(response);
  EXPECT_FALSE(response->attributes.empty());
  for (const Attribute& attribute : response->attributes) EXPECT_NE(attribute.tag, Tag::kDigest);
}

TEST_F(AttributeOperations, AlwaysSensitiveRemembers) {
  id_ = NewKeyForTest(engine_, {Attribute::OfBoolean(Tag::kSensitive, true),
                                Attribute::OfBoolean(Tag::kExtractable, false)});
  EXPECT_EQ(All().Boolean(Tag::kAlwaysSensitive), true);
  EXPECT_EQ(All().Boolean(Tag::kNeverExtractable), true);
  id_ = NewKeyForTest(engine_);
  EXPECT_EQ(Modify(Attribute::OfBoolean(Tag::kSensitive, true)), kDone);
  EXPECT_EQ(Set(Attribute::OfBoolean(Tag::kExtractable, false)), kDone);
  EXPECT_EQ(All().Boolean(Tag::kAlwaysSensitive), false);
  EXPECT_EQ(All().Boolean(Tag::kNeverExtractable), false);
}

TEST_F(AttributeOperations, WhatMayNotLeaveCannotBeAllowedToLeave) {
  id_ = NewKeyForTest(engine_, {Attribute::OfBoolean(Tag::kSensitive, true),
                                Attribute::OfBoolean(Tag::kExtractable, false)});
  EXPECT_EQ(Modify(Attribute::OfBoolean(Tag::kSensitive, false)), ResultReason::kAttributeReadOnly);
  EXPECT_EQ(Set(Attribute::OfBoolean(Tag::kExtractable, true)), ResultReason::kAttributeReadOnly);
  EXPECT_EQ(All().Boolean(Tag::kSensitive), true);
  EXPECT_EQ(All().Boolean(Tag::kExtractable), false);
}

TEST_F(AttributeOperations, UsageLimitsChangeUntilSomethingWasTaken) {
  ASSERT_EQ(
      Add(MakeUsageLimits({.total = 100, .count = 100, .unit = kmip::UsageLimitsUnit::kByte})),
      kDone);
  EXPECT_EQ(
      Modify(MakeUsageLimits({.total = 50, .count = 50, .unit = kmip::UsageLimitsUnit::kByte})),
      kDone);
  EXPECT_EQ(
      Modify(MakeUsageLimits({.total = 50, .count = 7, .unit = kmip::UsageLimitsUnit::kByte})),
      ResultReason::kInvalidAttributeValue)
      << "the Count is the server's";
  id_ = engine_.AddAesKey(
      Bytes(32, 1),
      {MakeUsageLimits({.total = 50, .count = 7, .unit = kmip::UsageLimitsUnit::kByte})});
  EXPECT_EQ(
      Modify(MakeUsageLimits({.total = 99, .count = 99, .unit = kmip::UsageLimitsUnit::kByte})),
      ResultReason::kAttributeReadOnly);
  EXPECT_EQ(Delete(Named(Tag::kUsageLimits), kmip::kVersion1_4), ResultReason::kPermissionDenied);
}

TEST_F(AttributeOperations, SetPutsASingleValue) {
  EXPECT_EQ(Set(Attribute::OfText(Tag::kContactInformation, "a")), kDone);
  EXPECT_EQ(Set(Attribute::OfText(Tag::kContactInformation, "b")), kDone);
  EXPECT_EQ(All().Text(Tag::kContactInformation), "b");
  EXPECT_EQ(Set(Attribute::OfName("n")), kDone);
  EXPECT_EQ(Set(Attribute::OfName("m")), kDone);
  EXPECT_EQ(All().Names(), std::vector<std::string>{"m"});
  EXPECT_EQ(Add(Attribute::OfName("second")), kDone);
  EXPECT_EQ(Set(Attribute::OfName("n")), ResultReason::kMultiValuedAttribute);
  EXPECT_EQ(Set(EnumForTest(Tag::kState, kmip::State::kActive)), ResultReason::kReadOnlyAttribute);
  EXPECT_EQ(Set(CustomForTest("a", "1")), kDone);
  EXPECT_EQ(Set(CustomForTest("a", "2")), kDone);
  EXPECT_EQ(All().Count({Tag::kAttribute, "x", "a"}), 1u);
}

TEST_F(AttributeOperations, SetAndAdjustCameWith20) {
  EXPECT_EQ(engine_
                .Do(kmip::SetAttributeRequest{.id = Identifier(id_),
                                              .attribute = In(Attribute::OfName("n"))},
                    kmip::kVersion1_4)
                .reason,
            ResultReason::kOperationNotSupported);
}

TEST_F(AttributeOperations, DeleteTakesTheInstanceOfTheIndexIn1x) {
  Add(Attribute::OfName("a"));
  Add(Attribute::OfName("b"));
  kmip::DeleteAttributeRequest request;
  request.id = Identifier(id_);
  request.reference = Named(Tag::kName);
  const auto deleted = engine_.Must<kmip::DeleteAttributeResponse>(request, kmip::kVersion1_2);
  EXPECT_EQ(*deleted.attribute, Attribute::OfName("a")) << "0 where no index is given";
  EXPECT_EQ(Delete(Named(Tag::kName), kmip::kVersion1_2, 0), ResultReason::kItemNotFound);
  EXPECT_EQ(Delete(Named(Tag::kName), kmip::kVersion1_2, 1), kDone);
  EXPECT_EQ(Delete(Named(Tag::kName), kmip::kVersion1_2), ResultReason::kItemNotFound);
}

TEST_F(AttributeOperations, DeleteTakesAllOrTheValueGivenIn2x) {
  for (const char* name : {"a", "b", "c"}) Add(Attribute::OfName(name));
  kmip::DeleteAttributeRequest request;
  request.id = Identifier(id_);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidMessage);
  request.current = In(Attribute::OfName("b"));
  EXPECT_TRUE(engine_.Do(request).success);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kAttributeInstanceNotFound);
  EXPECT_EQ(All().Names(), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(Delete(Named(Tag::kName)), kDone);
  EXPECT_TRUE(All().Names().empty());
  EXPECT_EQ(Delete(Named(Tag::kName)), ResultReason::kAttributeNotFound);
}

TEST_F(AttributeOperations, DeleteRefusesWhatMustStay) {
  for (const Tag tag : {Tag::kState, Tag::kCryptographicUsageMask, Tag::kDigest}) {
    EXPECT_EQ(Delete(Named(tag), kmip::kVersion2_1), ResultReason::kAttributeReadOnly);
    EXPECT_EQ(Delete(Named(tag), kmip::kVersion1_4), ResultReason::kPermissionDenied);
  }
}

TEST_F(AttributeOperations, AdjustCountsAndNegates) {
  using Type = kmip::AdjustmentType;
  const std::int64_t now = engine_.clock().Now();
  Add(Attribute::OfDate(Tag::kDeactivationDate, now + 100));
  EXPECT_EQ(Adjust(Named(Tag::kDeactivationDate), Type::kIncrement), kDone);
  EXPECT_EQ(All().Date(Tag::kDeactivationDate), now + 101);
  EXPECT_EQ(Adjust(Named(Tag::kDeactivationDate), Type::kDecrement,
                   [](ttlv::Writer& out) { out.Interval(Tag::kAdjustmentValue, 51); }),
            kDone);
  EXPECT_EQ(All().Date(Tag::kDeactivationDate), now + 50);
  EXPECT_EQ(Adjust(Named(Tag::kSensitive), Type::kNegate), kDone);
  EXPECT_EQ(All().Boolean(Tag::kSensitive), true);
  EXPECT_EQ(Adjust(Named(Tag::kProtectionPeriod), Type::kIncrement,
                   [](ttlv::Writer& out) { out.Interval(Tag::kAdjustmentValue, 9); }),
            kDone)
      << "counts from 0";
  EXPECT_EQ(*All().Find(Tag::kProtectionPeriod)->View().AsInterval(), 9u);
}

TEST_F(AttributeOperations, AdjustRefusesOverflowsTypesAndReadOnlyOnes) {
  using Type = kmip::AdjustmentType;
  EXPECT_EQ(Adjust(Named(Tag::kProtectionPeriod), Type::kDecrement), ResultReason::kNumericRange);
  EXPECT_EQ(Adjust(Named(Tag::kSensitive), Type::kIncrement), ResultReason::kInvalidDataType);
  Add(Attribute::OfText(Tag::kContactInformation, "a"));
  EXPECT_EQ(Adjust(Named(Tag::kContactInformation), Type::kIncrement),
            ResultReason::kInvalidDataType);
  EXPECT_EQ(Adjust(Named(Tag::kCryptographicLength), Type::kIncrement),
            ResultReason::kReadOnlyAttribute);
  EXPECT_EQ(Adjust(Named(Tag::kDeactivationDate), Type::kIncrement), ResultReason::kItemNotFound);
  ttlv::Writer unknown;
  unknown.Text(Tag::kUniqueIdentifier, id_);
  unknown.Enumeration(Tag::kAttributeReference, static_cast<std::uint32_t>(Tag::kBatchCount));
  unknown.Enum(Tag::kAdjustmentType, Type::kIncrement);
  EXPECT_EQ(engine_.DoEncoded(kmip::Operation::kAdjustAttribute, unknown.bytes(), kmip::kVersion2_1)
                .reason,
            ResultReason::kUnsupportedAttribute);
  Add(CustomForTest("a", "1"));
  Add(CustomForTest("a", "2"));
  EXPECT_EQ(Adjust({Tag::kAttribute, "x", "a"}, Type::kIncrement),
            ResultReason::kMultiValuedAttribute);
}

TEST_F(AttributeOperations, ADestroyedObjectKeepsItsAttributesAsTheyWere) {
  engine_.Must<kmip::DestroyResponse>(kmip::DestroyRequest{.id = Identifier(id_)});
  EXPECT_EQ(Add(CustomForTest("a", "b"), kmip::kVersion2_1), ResultReason::kWrongKeyLifecycleState);
  EXPECT_EQ(Add(CustomForTest("a", "b"), kmip::kVersion1_4), ResultReason::kPermissionDenied);
  EXPECT_EQ(All().Enum<kmip::State>(Tag::kState), kmip::State::kDestroyed);
}

TEST_F(AttributeOperations, ALinkMayNameAnObjectByPlaceholderOnlyWhereThereIsOne) {
  ttlv::Writer link;
  link.Structure(Tag::kLink, [&] {
    link.Enum(Tag::kLinkType, kmip::LinkType::kParentLink);
    link.Enum(Tag::kLinkedObjectIdentifier, kmip::UniqueIdentifier::kIDPlaceholder);
  });
  EXPECT_EQ(Add(Attribute::OfItem(*ttlv::ParseItem(link.bytes()))), ResultReason::kObjectNotFound);
  EXPECT_EQ(Add(Attribute::OfLink(0x108, "parent")), kDone);
  EXPECT_EQ(Add(Attribute::OfLink(0x77, "parent")), ResultReason::kInvalidAttributeValue);
}

TEST_F(AttributeOperations, ApplicationDataIsNotMadeUp) {
  ttlv::Writer out;
  out.Structure(Tag::kApplicationSpecificInformation,
                [&] { out.Text(Tag::kApplicationNamespace, "ssl"); });
  EXPECT_EQ(Add(Attribute::OfItem(*ttlv::ParseItem(out.bytes())), kmip::kVersion1_4),
            ResultReason::kApplicationNamespaceNotSupported);
}

}  // namespace
}  // namespace dare::engine
