#include "kmip/payloads/query.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

QueryResponse Everything() {
  QueryResponse response;
  response.operations = {Operation::kCreate, Operation::kGet};
  response.object_types = {ObjectType::kSymmetricKey};
  response.vendor_identification = "vendor";
  response.server_information = ServerInformation{
      .server_name = "kms-1", .product_name = "p", .alternate_failover_endpoints = {"a", "b"}};
  response.application_namespaces = {"ssl"};
  response.extensions = {{.name = "e", .tag = 0x540001, .type = 7}};
  response.attestation_types = {AttestationType::kTPMQuote};
  response.rngs = {{.algorithm = RNGAlgorithm::kDRBG,
                    .cryptographic_algorithm = CryptographicAlgorithm::kAES,
                    .cryptographic_length = 256,
                    .drbg_algorithm = DRBGAlgorithm::kCTR,
                    .prediction_resistance = true}};
  response.profiles = {{.name = ProfileName::kBaselineServerBasicKMIPV1_2,
                        .version = kVersion2_1,
                        .server_uri = "https://kms",
                        .server_port = 5696}};
  response.validations = {{.authority = ValidationAuthorityType::kNISTCMVP,
                           .version_major = 140,
                           .version_minor = 2,
                           .type = ValidationType::kSoftware,
                           .level = 1,
                           .profiles = {"p"}}};
  response.capabilities = {{.streaming = true, .batch_undo = true, .quantum_safe = false}};
  response.client_registration_methods = {ClientRegistrationMethod::kClientGenerated};
  ObjectDefaults defaults;
  defaults.object_types = {ObjectType::kSymmetricKey, ObjectType::kSecretData};
  defaults.attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 256));
  defaults.object_groups = {"g"};
  response.defaults.emplace();
  response.defaults->push_back(std::move(defaults));
  response.protection_storage_masks = ProtectionStorageMasks{1};
  return response;
}

Result<QueryResponse> Through(const QueryResponse& response, ProtocolVersion version) {
  ttlv::Writer out;
  response.Encode(out, version);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  return QueryResponse::Decode(in, version);
}

TEST(QueryPayload, CarriesEverythingIn21) {
  const auto read = Through(Everything(), kVersion2_1);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->server_information->alternate_failover_endpoints.size(), 2u);
  EXPECT_EQ(read->extensions[0].type, 7u);
  EXPECT_EQ(read->rngs[0].drbg_algorithm, DRBGAlgorithm::kCTR);
  EXPECT_EQ(read->profiles[0].version, kVersion2_1);
  EXPECT_EQ(read->validations[0].profiles.size(), 1u);
  EXPECT_EQ(read->capabilities[0].quantum_safe, false);
  ASSERT_EQ(read->defaults->size(), 1u);
  EXPECT_EQ(read->defaults->at(0).object_types.size(), 2u);
  EXPECT_EQ(read->defaults->at(0).attributes.Integer(Tag::kCryptographicLength), 256);
  EXPECT_EQ(read->protection_storage_masks, ProtectionStorageMasks{1});
}

TEST(QueryPayload, LeavesOutWhatAVersionDoesNotKnow) {
  const auto in_1_0 = Through(Everything(), kVersion1_0);
  ASSERT_TRUE(in_1_0) << in_1_0.error().message;
  EXPECT_EQ(in_1_0->operations.size(), 2u);
  EXPECT_TRUE(in_1_0->server_information->product_name.empty());
  EXPECT_TRUE(in_1_0->extensions.empty());
  EXPECT_TRUE(Through(Everything(), kVersion1_1)->attestation_types.empty());
  EXPECT_TRUE(Through(Everything(), kVersion1_2)->rngs.empty());
  const auto in_1_3 = Through(Everything(), kVersion1_3);
  EXPECT_EQ(in_1_3->rngs.size(), 1u);
  EXPECT_FALSE(in_1_3->capabilities[0].batch_undo);
  EXPECT_FALSE(in_1_3->profiles[0].version);
  const auto in_1_4 = Through(Everything(), kVersion1_4);
  EXPECT_TRUE(in_1_4->capabilities[0].batch_undo);
  EXPECT_FALSE(in_1_4->defaults);
}

TEST(QueryPayload, AnEmptyAnswerIsAnAnswer) {
  const auto read = Through(QueryResponse(), kVersion2_1);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->server_information);
  EXPECT_TRUE(read->operations.empty());
}

TEST(QueryPayload, ARequestNeedsAFunction) {
  ttlv::Reader in = ttlv::Reader::Members({});
  EXPECT_EQ(QueryRequest::Decode(in, kVersion1_4).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
