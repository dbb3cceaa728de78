#include "engine/client_abilities.h"

#include <gtest/gtest.h>

#include <functional>

#include "kmip/message.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/query.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Operation;
using kmip::ProtocolVersion;
using kmip::Tag;

WipingBytes Response(Operation operation, ProtocolVersion version,
                     const std::function<void(ttlv::Writer&)>& payload) {
  ttlv::Writer out;
  out.Structure(Tag::kResponseMessage, [&] {
    kmip::WriteResponseHeader(out, {.version = version, .batch_count = 1});
    out.Structure(Tag::kBatchItem, [&] {
      kmip::ResponseItem item;
      item.operation = operation;
      if (!payload) {
        item.status = kmip::ResultStatus::kOperationFailed;
        item.reason = kmip::ResultReason::kOperationNotSupported;
      }
      kmip::WriteResponseItemHead(out, item);
      if (payload) out.Structure(Tag::kResponsePayload, [&] { payload(out); });
    });
  });
  return out.Take();
}

WipingBytes Versions(std::vector<ProtocolVersion> versions) {
  return Response(Operation::kDiscoverVersions, kmip::kVersion2_0, [&](ttlv::Writer& out) {
    kmip::DiscoverVersionsResponse{std::move(versions)}.Encode(out, kmip::kVersion2_0);
  });
}

WipingBytes Operations(std::vector<Operation> operations) {
  return Response(Operation::kQuery, kmip::kVersion2_0, [&](ttlv::Writer& out) {
    kmip::QueryResponse response;
    response.operations = std::move(operations);
    response.Encode(out, kmip::kVersion2_0);
  });
}

WipingBytes Refusal(Operation operation) { return Response(operation, kmip::kVersion2_0, nullptr); }

// What is asked now: the operation, and in which version.
std::pair<Operation, ProtocolVersion> Asked(const ClientAbilities& abilities) {
  const WipingBytes question = abilities.Question().value();
  auto message = kmip::RequestMessage::Open(question);
  return {message->Next()->operation, message->header().version};
}

TEST(ClientAbilities, AreAskedForInTwoSteps) {
  ClientAbilities client(kmip::kVersion2_0);
  EXPECT_EQ(Asked(client), std::pair(Operation::kDiscoverVersions, kmip::kVersion2_0));
  EXPECT_TRUE(client.TakeAnswer(Versions({kmip::kVersion2_0, kmip::kVersion2_1})));
  EXPECT_EQ(Asked(client), std::pair(Operation::kQuery, kmip::kVersion2_1)) << "the highest";
  EXPECT_TRUE(client.Takes(Operation::kPut)) << "it did not say yet";
  EXPECT_TRUE(client.TakeAnswer(Operations({Operation::kNotify})));
  EXPECT_EQ(client.Question(), std::nullopt);
  EXPECT_TRUE(client.Takes(Operation::kNotify));
  EXPECT_FALSE(client.Takes(Operation::kPut));
  EXPECT_EQ(client.version(), kmip::kVersion2_1);
}

TEST(ClientAbilities, OfAVersionWeDoNotKnowAreOfNoUse) {
  ClientAbilities client(kmip::kVersion2_0);
  EXPECT_TRUE(client.TakeAnswer(Versions({{7, 1}, kmip::kVersion3_0})));
  EXPECT_EQ(client.version(), kmip::kVersion2_0);
}

TEST(ClientAbilities, OfAnOldVersionAreNotAskedFor) {
  ClientAbilities client(kmip::kVersion2_0);
  EXPECT_TRUE(client.TakeAnswer(Versions({kmip::kVersion1_2})));
  EXPECT_EQ(client.version(), kmip::kVersion1_2);
  EXPECT_EQ(client.Question(), std::nullopt);
}

TEST(ClientAbilities, OfWhoDoesNotSayAreAll) {
  ClientAbilities client(kmip::kVersion2_1);
  EXPECT_TRUE(client.TakeAnswer(Refusal(Operation::kDiscoverVersions)));
  EXPECT_EQ(Asked(client).first, Operation::kQuery);
  EXPECT_TRUE(client.TakeAnswer(Refusal(Operation::kQuery)));
  EXPECT_EQ(client.Question(), std::nullopt);
  EXPECT_TRUE(client.Takes(Operation::kNotify) && client.Takes(Operation::kPut));
  EXPECT_EQ(client.version(), kmip::kVersion2_1);
}

TEST(ClientAbilities, OfWhoAnswersSomethingElseAreAll) {
  ClientAbilities client(kmip::kVersion2_1);
  EXPECT_TRUE(client.TakeAnswer(Operations({})));
  EXPECT_TRUE(client.TakeAnswer(Versions({kmip::kVersion2_0})));
  EXPECT_EQ(client.Question(), std::nullopt);
  EXPECT_TRUE(client.Takes(Operation::kNotify));
  EXPECT_EQ(client.version(), kmip::kVersion2_1);
}

TEST(ClientAbilities, ByAgreementAreNotAskedFor) {
  EXPECT_EQ(ClientAbilities().Question(), std::nullopt);
  EXPECT_EQ(ClientAbilities().version(), std::nullopt);
  EXPECT_TRUE(ClientAbilities().Takes(Operation::kPut));
}

TEST(ClientAbilities, WhatIsNoAnswerIsAnError) {
  const WipingBytes good = Versions({kmip::kVersion2_1});
  for (std::size_t size = 0; size < good.size(); ++size) {
    ClientAbilities client(kmip::kVersion2_1);
    EXPECT_FALSE(client.TakeAnswer(ByteView(good).first(size)));
  }
  ClientAbilities client(kmip::kVersion2_1);
  EXPECT_FALSE(
      client.TakeAnswer(Response(Operation::kDiscoverVersions, kmip::kVersion2_1,
                                 [](ttlv::Writer& out) { out.Integer(Tag::kBatchCount, 1); })));
  EXPECT_FALSE(client.TakeAnswer(WipingBytes(100'000, 0)));
}

}  // namespace
}  // namespace dare::engine
