#include "engine/operations/locate.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/attribute_values.h"
#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/add_attribute.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::Tag;
using Ids = std::vector<std::string>;

kmip::LocateRequest For(const std::vector<Attribute>& attributes) {
  kmip::LocateRequest request;
  for (const Attribute& attribute : attributes) request.attributes.Add(attribute);
  return request;
}

class LocateTest : public testing::Test {
 protected:
  Ids Find(const kmip::LocateRequest& request, ProtocolVersion version = kmip::kVersion2_1) {
    return engine_.Must<kmip::LocateResponse>(request, version).ids;
  }
  Ids Find(const std::vector<Attribute>& attributes) { return Find(For(attributes)); }
  std::string New(const std::vector<Attribute>& attributes = {}) {
    return NewKeyForTest(engine_, attributes);
  }

  EngineForTest engine_;
};

TEST_F(LocateTest, FindsByNameGroupLinkAndCustomAttribute) {
  const std::string a = New({Attribute::OfName("a"), Attribute::OfText(Tag::kObjectGroup, "g"),
                             Attribute::OfLink(0x108, "p"), CustomForTest("ID", "1")});
  const std::string b = New({Attribute::OfName("b"), Attribute::OfText(Tag::kObjectGroup, "g"),
                             CustomForTest("ID", "2")});
  EXPECT_EQ(Find({Attribute::OfName("a")}), Ids{a});
  EXPECT_EQ(Find({Attribute::OfText(Tag::kObjectGroup, "g")}), (Ids{b, a}));
  EXPECT_EQ(Find({Attribute::OfLink(0x108, "p")}), Ids{a});
  EXPECT_EQ(Find({CustomForTest("ID", "2")}), Ids{b});
  EXPECT_EQ(Find({Attribute::OfText(Tag::kObjectGroup, "g"), CustomForTest("ID", "1")}), Ids{a})
      << "all must match";
  EXPECT_EQ(Find({Attribute::OfName("c")}), Ids{});
  EXPECT_EQ(Find({Attribute::OfName("a", 2)}), Ids{}) << "the type of the name counts too";
  EXPECT_EQ(Find(std::vector<Attribute>{}), (Ids{b, a})) << "nothing asked: everything";
}

TEST_F(LocateTest, StructuresMatchByTheFieldsGiven) {
  const std::string id = New({Attribute::OfName("a"), Attribute::OfLink(0x108, "p")});
  ttlv::Writer link;
  link.Structure(Tag::kLink, [&] { link.Text(Tag::kLinkedObjectIdentifier, "p"); });
  EXPECT_EQ(Find({Attribute::OfItem(*ttlv::ParseItem(link.bytes()))}), Ids{id});
  ttlv::Writer name;
  name.Structure(Tag::kName, [&] { name.Text(Tag::kNameValue, "a"); });
  EXPECT_EQ(Find({Attribute::OfItem(*ttlv::ParseItem(name.bytes()))}), Ids{id});
}

TEST_F(LocateTest, DatesMatchAsAValueOrARange) {
  const std::int64_t now = engine_.clock().Now();
  const std::string id = New({Attribute::OfDate(Tag::kActivationDate, now + 50)});
  const std::string dateless = New();
  const auto date = [&](std::int64_t offset) {
    return Attribute::OfDate(Tag::kActivationDate, now + offset);
  };
  EXPECT_EQ(Find({date(50)}), Ids{id});
  EXPECT_EQ(Find({date(51)}), Ids{});
  EXPECT_EQ(Find({date(50), date(99)}), Ids{id}) << "at the limit";
  EXPECT_EQ(Find({date(99), date(0)}), Ids{id}) << "whatever the order";
  EXPECT_EQ(Find({date(51), date(99)}), Ids{});
  EXPECT_EQ(
      Find({Attribute::OfDate(Tag::kActivationDate, std::numeric_limits<std::int64_t>::max())}),
      Ids{dateless})
      << "the largest date: undefined";
  EXPECT_EQ(engine_.Do(For({date(1), date(2), date(3)}), kmip::kVersion1_4).reason,
            ResultReason::kInvalidField);
}

TEST_F(LocateTest, MasksAndLimitsMatchFromBelow) {
  const std::string id =
      New({MakeUsageLimits({.total = 10, .count = 10, .unit = kmip::UsageLimitsUnit::kByte})});
  EXPECT_EQ(Find({Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x04)}), Ids{id});
  EXPECT_EQ(Find({Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x05)}), Ids{});
  ttlv::Writer limits;
  limits.Structure(Tag::kUsageLimits, [&] { limits.LongInteger(Tag::kUsageLimitsTotal, 9); });
  EXPECT_EQ(Find({Attribute::OfItem(*ttlv::ParseItem(limits.bytes()))}), Ids{id});
  ttlv::Writer more;
  more.Structure(Tag::kUsageLimits, [&] { more.LongInteger(Tag::kUsageLimitsTotal, 11); });
  EXPECT_EQ(Find({Attribute::OfItem(*ttlv::ParseItem(more.bytes()))}), Ids{});
}

TEST_F(LocateTest, FindsWhatWasChangedSince) {
  const std::string id = New({Attribute::OfName("n")});
  kmip::AddAttributeRequest add;
  add.id = Identifier(id);
  add.attribute.attribute =
      MakeUsageLimits({.total = 10, .count = 10, .unit = kmip::UsageLimitsUnit::kByte});
  engine_.Must<kmip::AddAttributeResponse>(add, kmip::kVersion1_2);
  const kmip::LocateRequest request =
      For({EnumForTest(Tag::kObjectType, kmip::ObjectType::kSymmetricKey), Attribute::OfName("n")});
  EXPECT_EQ(Find(request, kmip::kVersion1_2), Ids{id});
  EXPECT_EQ(Find(request, kmip::kVersion2_1), Ids{id});
}

TEST_F(LocateTest, TheStateIsTheOneOfNow) {
  const std::string id = New({Attribute::OfDate(Tag::kActivationDate, engine_.clock().Now() + 10)});
  const auto active = EnumForTest(Tag::kState, kmip::State::kActive);
  EXPECT_EQ(Find({active}), Ids{});
  engine_.clock().Advance(10);
  EXPECT_EQ(Find({active}), Ids{id});
}

TEST_F(LocateTest, DestroyedObjectsAreFoundOnlyWhenAskedFor) {
  const std::string id = New({Attribute::OfName("n")});
  engine_.Must<kmip::DestroyResponse>(kmip::DestroyRequest{.id = Identifier(id)});
  EXPECT_EQ(Find({Attribute::OfName("n")}), Ids{});
  EXPECT_EQ(Find({Attribute::OfText(Tag::kUniqueIdentifier, id)}), Ids{});
  const std::string successor = New({Attribute::OfName("n")});
  EXPECT_EQ(Find({Attribute::OfName("n")}), Ids{successor}) << "the name is free again";
  kmip::LocateRequest destroyed = For({Attribute::OfName("n")});
  destroyed.storage_status_mask = 4;
  EXPECT_EQ(Find(destroyed), Ids{id});
  destroyed.storage_status_mask = 5;
  EXPECT_EQ(Find(destroyed), (Ids{successor, id}));
  kmip::LocateRequest archived = For({});
  archived.storage_status_mask = 2;
  EXPECT_EQ(Find(archived), Ids{});
}

TEST_F(LocateTest, PagesNewestFirstAndCountsWhereAnOffsetIsGiven) {
  Ids made;
  for (int n = 0; n < 5; ++n) made.push_back(New());
  kmip::LocateRequest request =
      For({EnumForTest(Tag::kObjectType, kmip::ObjectType::kSymmetricKey)});
  request.maximum_items = 2;
  auto page = engine_.Must<kmip::LocateResponse>(request);
  EXPECT_EQ(page.ids, (Ids{made[4], made[3]}));
  EXPECT_FALSE(page.located_items);
  request.offset_items = 3;
  page = engine_.Must<kmip::LocateResponse>(request);
  EXPECT_EQ(page.ids, (Ids{made[1], made[0]}));
  EXPECT_EQ(page.located_items, 5);
  request.offset_items.reset();
  EXPECT_EQ(Find(request, kmip::kVersion1_2), (Ids{made[0], made[1]})) << "as its cases have it";
  request.maximum_items = -1;
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kInvalidField);
}

TEST_F(LocateTest, FreshObjectsAreHandedOutOnce) {
  const Attribute group = Attribute::OfText(Tag::kObjectGroup, "g");
  const std::string id = New({group});
  kmip::LocateRequest request = For({group});
  request.object_group_member = kmip::ObjectGroupMember::kGroupMemberFresh;
  EXPECT_EQ(Find(request), Ids{id});
  engine_.Must<kmip::GetResponse>(kmip::GetRequest{.id = Identifier(id)});
  EXPECT_EQ(Find(request), Ids{});
}

TEST_F(LocateTest, OthersSeeNothingAndAdministratorsSeeAll) {
  const std::string id = New({Attribute::OfName("n")});
  const auto ids = [&](const std::string& who, bool administrator) {
    const ItemForTest item =
        engine_.Do(For({Attribute::OfName("n")}), kmip::kVersion2_1, who, administrator);
    EXPECT_TRUE(item.success) << item.message;
    ttlv::Reader in = item.in();
    return kmip::LocateResponse::Decode(in, kmip::kVersion2_1)->ids;
  };
  EXPECT_EQ(ids("mallory", false), Ids{});
  EXPECT_EQ(ids("root", true), Ids{id});
}

TEST_F(LocateTest, KeyValuePresentIsTrueUnlessToldOtherwise) {
  const std::string id = New();
  EXPECT_EQ(Find({Attribute::OfBoolean(Tag::kKeyValuePresent, true)}), Ids{id});
  EXPECT_EQ(Find({Attribute::OfBoolean(Tag::kKeyValuePresent, false)}), Ids{});
}

TEST_F(LocateTest, FindsByWhatElseIsIndexed) {
  const auto structure = [](Tag tag, auto write) {
    ttlv::Writer out;
    out.Structure(tag, [&] { write(out); });
    return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
  };
  const auto alias = [&](const char* text, std::uint32_t type) {
    return structure(Tag::kAlternativeName, [&](ttlv::Writer& out) {
      out.Text(Tag::kAlternativeNameValue, text);
      out.Enumeration(Tag::kAlternativeNameType, type);
    });
  };
  const auto application = [&](const char* space, const char* data) {
    return structure(Tag::kApplicationSpecificInformation, [&](ttlv::Writer& out) {
      if (space != nullptr) out.Text(Tag::kApplicationNamespace, space);
      if (data != nullptr) out.Text(Tag::kApplicationData, data);
    });
  };
  const std::string a = New({alias("serial 7", 2), application("tape", "A1"),
                             Attribute::OfText(Tag::kPKCS_12FriendlyName, "friend")});
  const std::string b = New({alias("serial 8", 2), application("tape", "B2")});
  EXPECT_EQ(Find({alias("serial 7", 2)}), Ids{a});
  EXPECT_EQ(Find({alias("serial 7", 1)}), Ids{}) << "the type counts";
  EXPECT_EQ(Find({application("tape", "B2")}), Ids{b});
  EXPECT_EQ(Find({application("tape", nullptr)}), (Ids{b, a})) << "by the fields given";
  EXPECT_EQ(Find({application(nullptr, "A1")}), Ids{a});
  EXPECT_EQ(Find({Attribute::OfText(Tag::kPKCS_12FriendlyName, "friend")}), Ids{a});
}

TEST_F(LocateTest, FindsByTheStateThatHoldsNowAndByInitialDate) {
  const std::int64_t begin = engine_.clock().Now();
  const std::string sleeper = New({Attribute::OfDate(Tag::kActivationDate, begin + 100)});
  engine_.clock().Advance(50);
  const std::string later = New();
  const Attribute active = EnumForTest(Tag::kState, kmip::State::kActive);
  EXPECT_EQ(Find({active}), Ids{});
  engine_.clock().Advance(100);
  EXPECT_EQ(Find({active}), Ids{sleeper}) << "its date passed, nobody wrote it down";
  EXPECT_EQ(Find({EnumForTest(Tag::kState, kmip::State::kPreActive)}), Ids{later});
  EXPECT_EQ(Find({Attribute::OfDate(Tag::kInitialDate, begin)}), Ids{sleeper});
  EXPECT_EQ(Find({Attribute::OfDate(Tag::kInitialDate, begin + 1),
                  Attribute::OfDate(Tag::kInitialDate, begin + 60)}),
            Ids{later});
  EXPECT_EQ(Find({Attribute::OfDate(Tag::kInitialDate, begin + 60),
                  Attribute::OfDate(Tag::kInitialDate, begin)}),
            (Ids{later, sleeper}));
}

class GroupMembers : public LocateTest {
 protected:
  Ids FindMember(kmip::ObjectGroupMember member, const std::string& group) {
    kmip::LocateRequest request = For({Attribute::OfText(Tag::kObjectGroup, group)});
    request.object_group_member = member;
    request.maximum_items = 1;
    return Find(request, kmip::kVersion1_2);
  }
  void Get(const std::string& id) {
    kmip::GetRequest request;
    request.id = Identifier(id);
    engine_.Must<kmip::GetResponse>(request);
  }
  static constexpr auto kDefault = kmip::ObjectGroupMember::kGroupMemberDefault;
  static constexpr auto kFresh = kmip::ObjectGroupMember::kGroupMemberFresh;
};

TEST_F(GroupMembers, TakeTurnsAndAGetPassesTheTurnOn) {
  const Attribute group = Attribute::OfText(Tag::kObjectGroup, "g");
  const std::string a = New({group}), b = New({group}), c = New({group});
  for (const std::string& expected : {a, b, c, a, b}) {
    EXPECT_EQ(FindMember(kDefault, "g"), Ids{expected});
    EXPECT_EQ(FindMember(kDefault, "g"), Ids{expected}) << "looking is not taking";
    Get(expected);
  }
  Get(a);
  EXPECT_EQ(FindMember(kDefault, "g"), Ids{c}) << "not its turn: the order stays";
  EXPECT_EQ(FindMember(kDefault, "none"), Ids{});
}

TEST_F(GroupMembers, AreMadeWhereTheConfigurationSaysSo) {
  EXPECT_EQ(FindMember(kFresh, "default"), Ids{}) << "not by default";
  ObjectPolicy policy;
  policy.groups["default"] = {.length = 128};
  engine_.UseObjectPolicy(policy);
  const Ids made = FindMember(kFresh, "default");
  ASSERT_EQ(made.size(), 1u);
  const kmip::AttributeSet attributes = ReadForTest(engine_, made[0]);
  EXPECT_EQ(attributes.Integer(Tag::kCryptographicLength), 128);
  EXPECT_EQ(attributes.Boolean(Tag::kFresh), true);
  EXPECT_EQ(FindMember(kFresh, "default"), made) << "while it is fresh";
  Get(made[0]);
  EXPECT_NE(FindMember(kFresh, "default"), made);
  EXPECT_EQ(FindMember(kFresh, "other"), Ids{});
  kmip::LocateRequest impossible =
      For({Attribute::OfText(Tag::kObjectGroup, "default"), Attribute::OfName("n")});
  impossible.object_group_member = kFresh;
  EXPECT_EQ(Find(impossible), Ids{}) << "none that would not match is made";
}

TEST_F(LocateTest, ApplicationDataIsMadeUpForTheNameSpacesOfTheConfiguration) {
  ttlv::Writer out;
  out.Structure(Tag::kApplicationSpecificInformation,
                [&] { out.Text(Tag::kApplicationNamespace, "ours"); });
  const Attribute open = Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
  EXPECT_EQ(engine_.Do(CreateAesForTest({open})).reason,
            ResultReason::kApplicationNamespaceNotSupported);
  ObjectPolicy policy;
  policy.application_namespaces = {"ours"};
  engine_.UseObjectPolicy(policy);
  const kmip::AttributeSet made = ReadForTest(engine_, New({open}));
  auto members = made.Find(Tag::kApplicationSpecificInformation)->View().Members();
  ASSERT_TRUE(members->Text(Tag::kApplicationNamespace));
  EXPECT_FALSE(members->Text(Tag::kApplicationData)->empty());
}

}  // namespace
}  // namespace dare::engine
