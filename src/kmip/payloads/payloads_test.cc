// What holds for the payloads of every operation alike; each operation's own fields have their own
// test file.
#include <gtest/gtest.h>

#include "kmip/payloads/add_attribute.h"
#include "kmip/payloads/adjust_attribute.h"
#include "kmip/payloads/check.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/create_key_pair.h"
#include "kmip/payloads/delete_attribute.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/get_attribute_list.h"
#include "kmip/payloads/get_attributes.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/modify_attribute.h"
#include "kmip/payloads/query.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/re_key_key_pair.h"
#include "kmip/payloads/register.h"
#include "kmip/payloads/revoke.h"
#include "kmip/payloads/set_attribute.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

const AttributeIn kContact{.attribute = Attribute::OfText(Tag::kContactInformation, "joe")};
const AttributeReference kName{.tag = Tag::kName, .vendor = "", .name = ""};
const Identifier kId("id-1");

AttributesIn SomeAttributes() {
  AttributesIn in;
  in.attributes.Add(kContact.attribute);
  return in;
}

template <typename Payload>
Payload Sample() {
  Payload payload;
  if constexpr (requires { payload.id = kId; }) payload.id = kId;
  if constexpr (requires { payload.id = std::string("id-1"); }) payload.id = "id-1";
  if constexpr (requires { payload.attribute = kContact; }) payload.attribute = kContact;
  if constexpr (requires { payload.attribute = kContact.attribute; }) {
    payload.attribute = kContact.attribute;
  }
  if constexpr (requires { payload.attributes = SomeAttributes(); }) {
    payload.attributes = SomeAttributes();
  }
  if constexpr (requires { payload.attributes.private_key; }) {
    payload.attributes.common = SomeAttributes();
    payload.attributes.private_key = SomeAttributes();
    payload.attributes.public_key = SomeAttributes();
  }
  if constexpr (requires { payload.private_id; }) {
    payload.private_id = "private-1";
    payload.public_id = "public-1";
  }
  if constexpr (requires { payload.reference = kName; }) payload.reference = kName;
  if constexpr (requires { payload.references; }) payload.references = {kName};
  if constexpr (requires { payload.functions; }) {
    payload.functions = {QueryFunction::kQueryOperations};
  }
  return payload;
}

// The sample of a payload survives writing and reading, and nothing may follow it.
template <typename Payload>
void CheckReadsBackAndRefusesLeftovers(ProtocolVersion version) {
  ttlv::Writer out;
  Sample<Payload>().Encode(out, version);
  const std::string written = ToHex(out.bytes());
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = Payload::Decode(in, version);
  ASSERT_TRUE(read) << read.error().message;
  ttlv::Writer again;
  read->Encode(again, version);
  EXPECT_EQ(ToHex(again.bytes()), written);

  out.Integer(Tag::kBatchCount, 1);
  ttlv::Reader more = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(Payload::Decode(more, version).error().code, Code::kMalformed);
}

template <typename Request, typename Response>
void CheckOperation(ProtocolVersion since) {
  for (const ProtocolVersion version : {kVersion1_0, kVersion1_1, kVersion1_2, kVersion1_3,
                                        kVersion1_4, kVersion2_0, kVersion2_1}) {
    if (version < since) continue;
    SCOPED_TRACE(testing::Message() << version.major << "." << version.minor);
    CheckReadsBackAndRefusesLeftovers<Request>(version);
    CheckReadsBackAndRefusesLeftovers<Response>(version);
  }
}

TEST(Payloads, ReadBackInEveryVersionAndRefuseLeftovers) {
  CheckOperation<AddAttributeRequest, AddAttributeResponse>(kVersion1_0);
  CheckOperation<AdjustAttributeRequest, AdjustAttributeResponse>(kVersion2_0);
  CheckOperation<CheckRequest, CheckResponse>(kVersion1_0);
  CheckOperation<CreateRequest, CreateResponse>(kVersion1_0);
  CheckOperation<CreateKeyPairRequest, CreateKeyPairResponse>(kVersion1_0);
  CheckOperation<DeleteAttributeRequest, DeleteAttributeResponse>(kVersion1_0);
  CheckOperation<DestroyRequest, DestroyResponse>(kVersion1_0);
  CheckOperation<DiscoverVersionsRequest, DiscoverVersionsResponse>(kVersion1_1);
  CheckOperation<GetAttributeListRequest, GetAttributeListResponse>(kVersion1_0);
  CheckOperation<GetAttributesRequest, GetAttributesResponse>(kVersion1_0);
  CheckOperation<LocateRequest, LocateResponse>(kVersion1_0);
  CheckOperation<ModifyAttributeRequest, ModifyAttributeResponse>(kVersion1_0);
  CheckOperation<QueryRequest, QueryResponse>(kVersion1_0);
  CheckOperation<ReKeyRequest, ReKeyResponse>(kVersion1_0);
  CheckOperation<ReKeyKeyPairRequest, ReKeyKeyPairResponse>(kVersion1_1);
  CheckOperation<RevokeRequest, RevokeResponse>(kVersion1_0);
  CheckOperation<SetAttributeRequest, SetAttributeResponse>(kVersion2_0);
}

// Writes a payload as `written`, reads it as `read`: a field that came later must not pass.
template <typename Payload>
Code ReadAs(const Payload& payload, ProtocolVersion written, ProtocolVersion read) {
  ttlv::Writer out;
  payload.Encode(out, written);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto decoded = Payload::Decode(in, read);
  return decoded ? Code::kInternal : decoded.error().code;
}

TEST(Payloads, RefuseFieldsOfLaterVersions) {
  LocateRequest member;
  member.object_group_member = ObjectGroupMember::kGroupMemberFresh;
  EXPECT_EQ(ReadAs(member, kVersion1_1, kVersion1_0), Code::kMalformed);
  QueryRequest groups = Sample<QueryRequest>();
  groups.object_groups = {"g"};
  EXPECT_EQ(ReadAs(groups, kVersion2_1, kVersion2_0), Code::kMalformed);
  CreateRequest create = Sample<CreateRequest>();
  EXPECT_EQ(ReadAs(create, kVersion2_1, kVersion1_4), Code::kMalformed) << "Attributes in 1.x";
  EXPECT_EQ(ReadAs(create, kVersion1_4, kVersion2_0), Code::kMalformed) << "Template-Attribute";
}

// 1.3 brought both fields; clients use them in every version.
TEST(Payloads, LocatePagesInEveryVersion) {
  LocateRequest request;
  request.offset_items = 1;
  EXPECT_EQ(ReadAs(request, kVersion1_0, kVersion1_0), Code::kInternal) << "it was refused";
  LocateResponse response;
  response.located_items = 3;
  EXPECT_EQ(ReadAs(response, kVersion1_0, kVersion1_0), Code::kInternal) << "it was refused";
}

TEST(Payloads, ProtectionStorageMasksTravelSince20) {
  CreateRequest create = Sample<CreateRequest>();
  create.protection_storage_masks = ProtectionStorageMasks{1, 2};
  ttlv::Writer out;
  create.Encode(out, kVersion2_0);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = CreateRequest::Decode(in, kVersion2_0);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->protection_storage_masks, (ProtectionStorageMasks{1, 2}));
  ttlv::Writer old;
  create.Encode(old, kVersion1_4);
  ttlv::Reader in_1x = ttlv::Reader::Members(old.bytes());
  EXPECT_FALSE(CreateRequest::Decode(in_1x, kVersion1_4)->protection_storage_masks);
}

TEST(Payloads, RevokeCarriesReasonMessageAndDate) {
  const RevokeRequest request{.id = kId,
                              .reason = RevocationReasonCode::kKeyCompromise,
                              .message = "lost",
                              .compromise_occurrence_date = 6};
  ttlv::Writer out;
  request.Encode(out, kVersion1_2);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = RevokeRequest::Decode(in, kVersion1_2);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->reason, RevocationReasonCode::kKeyCompromise);
  EXPECT_EQ(read->message, "lost");
  EXPECT_EQ(read->compromise_occurrence_date, 6);
}

TEST(Payloads, RevokeNeedsAReason) {
  ttlv::Writer out;
  out.Text(Tag::kUniqueIdentifier, "a");
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(RevokeRequest::Decode(in, kVersion2_1).error().code, Code::kMalformed);
}

TEST(Payloads, RegisterTakesAnyObjectStructureAndNothingElse) {
  for (const Tag tag : {Tag::kSymmetricKey, Tag::kSecretData, Tag::kOpaqueObject}) {
    ttlv::Writer out;
    out.Enum(Tag::kObjectType, ObjectType::kSymmetricKey);
    WriteAttributes(out, kVersion2_1, SomeAttributes());
    out.Structure(tag, [] {});
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    const auto read = RegisterRequest::Decode(in, kVersion2_1);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->object->tag, tag);
  }
  ttlv::Writer out;
  out.Enum(Tag::kObjectType, ObjectType::kSymmetricKey);
  WriteAttributes(out, kVersion2_1, SomeAttributes());
  const std::size_t without = out.size();
  out.Structure(Tag::kKeyBlock, [] {});
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(RegisterRequest::Decode(in, kVersion2_1).error().code, Code::kMalformed);
  out.Truncate(without);
  ttlv::Reader none = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(RegisterRequest::Decode(none, kVersion2_1).error().code, Code::kMalformed);
}

TEST(Payloads, TheObjectMayBeLeftOutOfRegisterIn10) {
  ttlv::Writer out;
  out.Enum(Tag::kObjectType, ObjectType::kSymmetricKey);
  WriteAttributes(out, kVersion1_0, SomeAttributes());
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = RegisterRequest::Decode(in, kVersion1_0);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(read->object);
}

TEST(Payloads, DeleteAttributeNamesAnInstanceAsTheVersionDoes) {
  DeleteAttributeRequest old;
  old.id = kId;
  old.reference = kName;
  old.index = 2;
  ttlv::Writer out;
  old.Encode(out, kVersion1_4);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(DeleteAttributeRequest::Decode(in, kVersion1_4)->index, 2);
  DeleteAttributeRequest current;
  current.current = kContact;
  ttlv::Writer out2;
  current.Encode(out2, kVersion2_0);
  ttlv::Reader in2 = ttlv::Reader::Members(out2.bytes());
  const auto read = DeleteAttributeRequest::Decode(in2, kVersion2_0);
  ASSERT_TRUE(read && read->current);
  EXPECT_EQ(read->current->attribute, kContact.attribute);
  EXPECT_FALSE(read->reference);
}

TEST(Payloads, AdjustmentValueKeepsItsType) {
  ttlv::Writer value;
  value.Interval(Tag::kAdjustmentValue, 5);
  AdjustAttributeRequest request;
  request.id = kId;
  request.reference = kName;
  request.type = AdjustmentType::kIncrement;
  request.value = *ttlv::ParseItem(value.bytes());
  ttlv::Writer out;
  request.Encode(out, kVersion2_0);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = AdjustAttributeRequest::Decode(in, kVersion2_0);
  ASSERT_TRUE(read && read->value);
  EXPECT_EQ(*read->value->AsInterval(), 5u);
}

}  // namespace
}  // namespace dare::kmip
