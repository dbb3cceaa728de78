#include "engine/templates.h"

#include <gtest/gtest.h>

#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/archive.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/register.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::Identifier;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::Tag;

class Templates : public testing::Test {
 protected:
  // Register of Template { inside } under `name`.
  ItemForTest Register(const std::string& name, const std::vector<Attribute>& inside,
                       ProtocolVersion version = kmip::kVersion1_2) {
    ttlv::Writer out;
    kmip::AttributeSet set;
    for (const Attribute& attribute : inside) set.Add(attribute);
    out.Structure(Tag::kTemplate, [&] { kmip::WriteAttributeList(out, version, set.all()); });
    kmip::RegisterRequest request;
    request.object_type = kmip::ObjectType::kTemplate;
    if (!name.empty()) request.attributes = AttributesForTest({Attribute::OfName(name)});
    request.object = *ttlv::ParseItem(out.bytes());
    return engine_.Do(request, version);
  }
  std::string IdOf(const ItemForTest& item) {
    ttlv::Reader in = item.in();
    const auto response = kmip::RegisterResponse::Decode(in, kmip::kVersion1_2);
    return response ? response->id : "";
  }
  ItemForTest Create(const std::vector<std::string>& templates,
                     const std::vector<Attribute>& attributes = {},
                     const std::string& principal = "alice") {
    kmip::CreateRequest request;
    request.object_type = kmip::ObjectType::kSymmetricKey;
    request.attributes = AttributesForTest(attributes);
    request.attributes.template_names = templates;
    return engine_.Do(request, kmip::kVersion1_2, principal);
  }
  kmip::AttributeSet Created(const ItemForTest& item) {
    ttlv::Reader in = item.in();
    const auto response = kmip::CreateResponse::Decode(in, kmip::kVersion1_2);
    return response ? ReadForTest(engine_, response->id, kmip::kVersion1_2) : kmip::AttributeSet();
  }
  static std::vector<Attribute> Aes(std::int32_t bits) {
    return {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kAES),
            Attribute::OfInteger(Tag::kCryptographicLength, bits),
            Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C)};
  }

  EngineForTest engine_;
};

TEST_F(Templates, LendTheirAttributesByName) {
  std::vector<Attribute> inside = Aes(128);
  inside.push_back(Attribute::OfText(Tag::kObjectGroup, "from template"));
  inside.push_back(CustomForTest("ID", "1"));
  ASSERT_TRUE(Register("t", inside).success);
  const kmip::AttributeSet key = Created(
      Create({"t"}, {Attribute::OfText(Tag::kObjectGroup, "explicit"), Attribute::OfName("key")}));
  EXPECT_EQ(key.Integer(Tag::kCryptographicLength), 128);
  EXPECT_EQ(key.Count({Tag::kObjectGroup, "", ""}), 2u) << "both instances";
  EXPECT_EQ(key.Text(Tag::kObjectGroup), "from template") << "those of the template first";
  EXPECT_EQ(key.Names(), std::vector<std::string>{"key"}) << "not the template's name";
}

TEST_F(Templates, TheRequestWinsThenTheLastTemplate) {
  ASSERT_TRUE(Register("small", Aes(128)).success);
  ASSERT_TRUE(Register("large", Aes(256)).success);
  EXPECT_EQ(Created(Create({"large", "small"})).Integer(Tag::kCryptographicLength), 128);
  EXPECT_EQ(Created(Create({"small", "large"})).Integer(Tag::kCryptographicLength), 256);
  EXPECT_EQ(
      Created(Create({"small", "large"}, {Attribute::OfInteger(Tag::kCryptographicLength, 192)}))
          .Integer(Tag::kCryptographicLength),
      192);
}

TEST_F(Templates, AreTheirOwners) {
  ASSERT_TRUE(Register("t", Aes(128)).success);
  EXPECT_EQ(Create({"t"}, {}, "mallory").reason, ResultReason::kItemNotFound);
  EXPECT_EQ(Create({"none"}).reason, ResultReason::kItemNotFound);
}

TEST_F(Templates, MayBeNamedInside) {
  std::vector<Attribute> inside = Aes(128);
  inside.push_back(Attribute::OfName("inner"));
  ASSERT_TRUE(Register("", inside).success);
  EXPECT_TRUE(Create({"inner"}).success);
  EXPECT_TRUE(Create({"inner"}).success) << "the name stays with the template";
}

TEST_F(Templates, AreKeptShownAndForgottenAltogether) {
  const std::string id = IdOf(Register("t", Aes(128)));
  kmip::GetRequest get;
  get.id = Identifier(id);
  const auto got = engine_.Must<kmip::GetResponse>(get, kmip::kVersion1_0);
  EXPECT_EQ(got.type, kmip::ObjectType::kTemplate);
  EXPECT_EQ(got.object.tag, Tag::kTemplate);
  const kmip::AttributeSet shown = ReadForTest(engine_, id, kmip::kVersion1_2);
  EXPECT_FALSE(shown.Has(Tag::kState)) << "a Template has no state";
  ASSERT_TRUE(engine_.Do(kmip::DestroyRequest{.id = Identifier(id)}, kmip::kVersion1_2).success);
  EXPECT_EQ(engine_.Do(kmip::GetAttributesRequest{.id = Identifier(id)}, kmip::kVersion1_2).reason,
            ResultReason::kItemNotFound);
  EXPECT_TRUE(Register("t", Aes(256)).success) << "the name is free again";
}

TEST_F(Templates, AreNoKeysAndNothingOf2x) {
  const std::string id = IdOf(Register("t", Aes(128)));
  EXPECT_EQ(engine_.Do(kmip::ActivateRequest{.id = Identifier(id)}, kmip::kVersion1_2).reason,
            ResultReason::kIllegalOperation);
  EXPECT_EQ(engine_.Do(kmip::GetAttributesRequest{.id = Identifier(id)}).reason,
            ResultReason::kObjectNotFound);
  EXPECT_TRUE(engine_.Must<kmip::LocateResponse>(kmip::LocateRequest{}).ids.empty());
  EXPECT_EQ(engine_.Must<kmip::LocateResponse>(kmip::LocateRequest{}, kmip::kVersion1_2).ids,
            std::vector<std::string>{id});
}

TEST_F(Templates, MaySayOnlyWhatAClientMayGive) {
  EXPECT_EQ(Register("t", {EnumForTest(Tag::kState, kmip::State::kActive)}).reason,
            ResultReason::kInvalidField);
  EXPECT_EQ(Register("t", {Attribute::OfInteger(Tag::kCryptographicUsageMask, -1)}).reason,
            ResultReason::kInvalidField);
}

TEST_F(Templates, TooManyOfThemAreRefused) {
  ASSERT_TRUE(Register("t", Aes(128)).success);
  EXPECT_FALSE(Create(std::vector<std::string>(17, "t")).success);
}

TEST_F(Templates, AnArchivedOneLendsNothing) {
  const std::string id = IdOf(Register("t", Aes(128)));
  ASSERT_TRUE(engine_.Do(kmip::ArchiveRequest{.id = Identifier(id)}, kmip::kVersion1_2).success);
  EXPECT_EQ(Create({"t"}).reason, ResultReason::kItemNotFound);
}

}  // namespace
}  // namespace dare::engine
