// Query and Discover Versions: what the server says of itself.
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/random_source.h"
#include "engine/engine_for_test.h"
#include "engine/operation_table.h"
#include "engine/versions.h"
#include "kmip/message.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/query.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::QueryFunction;

kmip::QueryResponse Ask(EngineForTest& engine, std::vector<QueryFunction> functions,
                        kmip::ProtocolVersion version = kmip::kVersion2_1) {
  return engine.Must<kmip::QueryResponse>(kmip::QueryRequest{.functions = std::move(functions)},
                                          version);
}

TEST(Query, NamesTheOperationsOfTheVersion) {
  EngineForTest engine;
  const auto offers = [&](kmip::Operation operation, kmip::ProtocolVersion version) {
    const auto list = Ask(engine, {QueryFunction::kQueryOperations}, version).operations;
    return std::ranges::find(list, operation) != list.end();
  };
  EXPECT_TRUE(offers(kmip::Operation::kCreate, kmip::kVersion1_0));
  EXPECT_FALSE(offers(kmip::Operation::kDiscoverVersions, kmip::kVersion1_0));
  EXPECT_FALSE(offers(kmip::Operation::kSetAttribute, kmip::kVersion1_4));
  EXPECT_TRUE(offers(kmip::Operation::kSetAttribute, kmip::kVersion2_0));
  // All but Certify and Re-certify, for which this server has no authority.
  EXPECT_EQ(Ask(engine, {QueryFunction::kQueryOperations}).operations.size(),
            OperationHandlers().size() - 3 + 2);  // nor Interop, but what the server sends
  EXPECT_TRUE(offers(kmip::Operation::kNotify, kmip::kVersion1_0));
  EXPECT_FALSE(offers(kmip::Operation::kInterop, kmip::kVersion2_1));
}

TEST(Query, AnswersOnlyWhatWasAsked) {
  EngineForTest engine;
  const auto answer = Ask(engine, {QueryFunction::kQueryObjects});
  EXPECT_TRUE(answer.operations.empty());
  EXPECT_FALSE(answer.server_information);
  const auto has = [](const kmip::QueryResponse& told, kmip::ObjectType type) {
    return std::ranges::find(told.object_types, type) != told.object_types.end();
  };
  EXPECT_TRUE(has(answer, kmip::ObjectType::kCertificateRequest));
  const auto old = Ask(engine, {QueryFunction::kQueryObjects}, kmip::kVersion1_1);
  EXPECT_TRUE(has(old, kmip::ObjectType::kCertificate));
  EXPECT_FALSE(has(old, kmip::ObjectType::kPGPKey));
  EXPECT_FALSE(has(old, kmip::ObjectType::kCertificateRequest));
}

TEST(Query, TellsTheRestInTheFormOfTheVersion) {
  EngineForTest engine;
  const std::vector<QueryFunction> all = {QueryFunction::kQueryServerInformation,
                                          QueryFunction::kQueryRNGs,
                                          QueryFunction::kQueryCapabilities,
                                          QueryFunction::kQueryDefaultsInformation,
                                          QueryFunction::kQueryStorageProtectionMasks,
                                          QueryFunction::kQueryClientRegistrationMethods,
                                          QueryFunction::kQueryProfiles};
  const auto new_answer = Ask(engine, all);
  EXPECT_EQ(new_answer.vendor_identification, "OpenDaRE");
  EXPECT_FALSE(new_answer.server_information->product_name.empty());
  EXPECT_EQ(new_answer.rngs.at(0).algorithm, kmip::RNGAlgorithm::kDRBG);
  EXPECT_EQ(new_answer.capabilities.at(0).batch_undo, true);
  EXPECT_TRUE(new_answer.defaults->empty());
  EXPECT_EQ(new_answer.protection_storage_masks, kmip::ProtectionStorageMasks{1});
  const auto old_answer = Ask(engine, all, kmip::kVersion1_0);
  EXPECT_TRUE(old_answer.server_information);
  EXPECT_TRUE(old_answer.rngs.empty());
}

TEST(DiscoverVersions, ListsAllOrWhatBothSpeakBestFirst) {
  EngineForTest engine;
  const auto ask = [&](std::vector<kmip::ProtocolVersion> versions) {
    return engine
        .Must<kmip::DiscoverVersionsResponse>(
            kmip::DiscoverVersionsRequest{.versions = std::move(versions)}, kmip::kVersion1_1)
        .versions;
  };
  EXPECT_TRUE(std::ranges::equal(ask({}), SupportedVersions()));
  EXPECT_EQ(ask({kmip::kVersion1_0, {9, 9}, kmip::kVersion2_0}),
            (std::vector<kmip::ProtocolVersion>{kmip::kVersion2_0, kmip::kVersion1_0}));
  EXPECT_TRUE(ask({{9, 9}}).empty());
}

TEST(Query, ClaimsTheProfilesThatTheConfigurationAllows) {
  const auto claims = [](EngineForTest& engine, kmip::ProfileName name,
                         kmip::ProtocolVersion version = kmip::kVersion2_1) {
    for (const auto& profile : Ask(engine, {QueryFunction::kQueryProfiles}, version).profiles) {
      if (profile.name == name) return true;
    }
    return false;
  };
  using kmip::ProfileName;
  EngineForTest usual;
  EXPECT_TRUE(claims(usual, ProfileName::kOpaqueManagedObjectStoreServer));
  EXPECT_FALSE(claims(usual, ProfileName::kBasicCryptographicServer)) << "its cases use ECB";
  EXPECT_FALSE(claims(usual, ProfileName::kTapeLibraryServer)) << "its cases name ANSI X9.31";
  EXPECT_FALSE(claims(usual, ProfileName::kXMLServer)) << "no HTTPS";
  EngineForTest generous(true, {.https = true}, crypto::RandomGenerator::kAnsiX931);
  EXPECT_TRUE(claims(generous, ProfileName::kBasicCryptographicServer));
  EXPECT_TRUE(claims(generous, ProfileName::kTapeLibraryServer));
  EXPECT_TRUE(claims(generous, ProfileName::kXMLServer));
  EXPECT_FALSE(claims(generous, ProfileName::kCompleteServer));
  // Each version has names of its own.
  EXPECT_TRUE(
      claims(usual, ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_0, kmip::kVersion1_3));
  EXPECT_FALSE(
      claims(usual, ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_4, kmip::kVersion1_3));
  EXPECT_FALSE(claims(usual, ProfileName::kOpaqueManagedObjectStoreServerKMIPV1_0));
  EXPECT_TRUE(Ask(usual, {QueryFunction::kQueryProfiles}, kmip::kVersion1_2).profiles.empty());
}

TEST(Query, TellsWhatTheServerCanAndDoes) {
  EngineForTest engine;
  const auto capabilities = Ask(engine, {QueryFunction::kQueryCapabilities}).capabilities.at(0);
  EXPECT_EQ(capabilities.streaming, true);
  EXPECT_EQ(capabilities.attestation, false);
  EXPECT_EQ(capabilities.unwrap_mode, kmip::UnwrapMode::kNotProcessed);
  EXPECT_EQ(capabilities.quantum_safe, false);
  EXPECT_FALSE(Ask(engine, {QueryFunction::kQueryCapabilities}, kmip::kVersion2_0)
                   .capabilities.at(0)
                   .quantum_safe);
  EXPECT_FALSE(Ask(engine, {QueryFunction::kQueryCapabilities}, kmip::kVersion1_3)
                   .capabilities.at(0)
                   .batch_undo);
}

// A Query as a client of `version` sends it, and the answer in hex.
std::string QueryIn(EngineForTest& engine, kmip::ProtocolVersion version) {
  ttlv::Writer out;
  out.Structure(kmip::Tag::kRequestMessage, [&] {
    out.Structure(kmip::Tag::kRequestHeader, [&] {
      kmip::WriteProtocolVersion(out, version);
      out.Integer(kmip::Tag::kBatchCount, 1);
    });
    out.Structure(kmip::Tag::kBatchItem, [&] {
      out.Enum(kmip::Tag::kOperation, kmip::Operation::kQuery);
      out.Structure(kmip::Tag::kRequestPayload,
                    [&] { out.Enum(kmip::Tag::kQueryFunction, QueryFunction::kQueryObjects); });
    });
  });
  return ToHex(engine.Exchange(out.bytes()));
}

TEST(DiscoverVersions, TheDraftIsSpokenOnlyWhereItIsAllowed) {
  constexpr char kIn21[] = "42006a02000000040000000200000000";
  constexpr char kIn30[] = "42006a02000000040000000300000000";
  constexpr char kSuccess[] = "42007f05000000040000000000000000";
  EngineForTest usual;
  EXPECT_NE(QueryIn(usual, kmip::kVersion3_0).find(kIn21), std::string::npos);
  EXPECT_EQ(QueryIn(usual, kmip::kVersion3_0).find(kSuccess), std::string::npos);
  EngineForTest daring(false, {.newest_version = kmip::kVersion3_0});
  EXPECT_NE(QueryIn(daring, kmip::kVersion3_0).find(kIn30), std::string::npos);
  EXPECT_NE(QueryIn(daring, kmip::kVersion3_0).find(kSuccess), std::string::npos);
  EXPECT_EQ(
      daring.Must<kmip::DiscoverVersionsResponse>(kmip::DiscoverVersionsRequest{}).versions.front(),
      kmip::kVersion3_0);
}

TEST(DiscoverVersions, CameWith11) {
  EngineForTest engine;
  EXPECT_EQ(engine.Do(kmip::DiscoverVersionsRequest{}, kmip::kVersion1_0).reason,
            kmip::ResultReason::kOperationNotSupported);
}

}  // namespace
}  // namespace dare::engine
