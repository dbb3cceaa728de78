#include "client/server_request.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "client/key_server_for_test.h"
#include "kmip/managed_object.h"
#include "kmip/payloads/discover_versions.h"
#include "kmip/payloads/notify.h"
#include "kmip/payloads/put.h"
#include "kmip/payloads/query.h"
#include "kmip/reject.h"
#include "kmip/single_request.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::client {
namespace {

using kmip::Operation;
using kmip::ProtocolVersion;
using kmip::ResultReason;
using kmip::ResultStatus;
using kmip::Tag;

class EarForTest : public Ear {
 public:
  void OnHearing() override {}
  void OnDeaf(bool /*refused*/) override {}
  void OnNotify(const kmip::NotifyRequest& told) override { notified.push_back(told.id); }
  void OnUnclear() override { ++unclear; }
  bool takes_objects() const override { return takes; }
  Result<void> OnPut(const kmip::PutRequest& put_now) override {
    if (full) return kmip::Reject(ResultReason::kPermissionDenied, "full");
    put.push_back(put_now.id + "<" + put_now.replaced);
    return {};
  }

  std::vector<std::string> notified, put;
  int unclear = 0;
  bool takes = false, full = false;
};

constexpr std::int64_t kNow = 1'700'000'000;

struct Said {
  kmip::ResponseHeader header;
  std::vector<kmip::ResponseItem> items;
};

class ServerRequestTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 18)); }

  Said Tell(const WipingBytes& message) {
    auto answer = AnswerServer(message, ear_, kNow);
    EXPECT_TRUE(answer) << answer.error().message;
    bytes_ = *std::move(answer);
    EXPECT_TRUE(ttlv::Validate(bytes_));
    auto response = kmip::ResponseMessage::Open(bytes_);
    Said said{response->header(), {}};
    while (!response->AtEnd()) said.items.push_back(*response->Next());
    EXPECT_EQ(said.header.batch_count, static_cast<std::int32_t>(said.items.size()));
    return said;
  }
  template <typename Request>
  Said Tell(const Request& request, ProtocolVersion version = kmip::kVersion2_1) {
    return Tell(kmip::SingleRequest(Request::kOperation, version,
                                    [&](ttlv::Writer& out) { request.Encode(out, version); }));
  }
  template <typename Response>
  static Response Payload(const Said& said) {
    ttlv::Reader members = *said.items.at(0).payload->Members();
    return *Response::Decode(members, said.header.version);
  }

  EarForTest ear_;
  WipingBytes bytes_;  // the last answer
};

const kmip::NotifyRequest kNotify{
    .id = "k", .changed = {kmip::Attribute::OfEnumeration(Tag::kState, 3)}, .removed = {}};

TEST_F(ServerRequestTest, NotifyIsHeardAndAnsweredWithoutPayload) {
  for (const ProtocolVersion version : {kmip::kVersion2_0, kmip::kVersion2_1}) {
    const Said said = Tell(kNotify, version);
    EXPECT_EQ(said.header.version, version);
    EXPECT_EQ(said.header.time_stamp, kNow);
    ASSERT_EQ(said.items.size(), 1u);
    EXPECT_EQ(said.items[0].operation, Operation::kNotify);
    EXPECT_EQ(said.items[0].status, ResultStatus::kSuccess);
    EXPECT_FALSE(said.items[0].payload);
  }
  EXPECT_EQ(ear_.notified, (std::vector<std::string>{"k", "k"}));
  EXPECT_EQ(ear_.unclear, 0);
}

TEST_F(ServerRequestTest, ANotifyThatCannotBeReadIsRefusedAndUnclear) {
  const Said said =
      Tell(kmip::SingleRequest(Operation::kNotify, kmip::kVersion2_1, [](ttlv::Writer& out) {
        out.Text(Tag::kUniqueIdentifier, "k");
        out.Integer(Tag::kBatchCount, 1);
      }));
  EXPECT_EQ(said.items.at(0).status, ResultStatus::kOperationFailed);
  EXPECT_EQ(said.items.at(0).reason, ResultReason::kInvalidMessage);
  EXPECT_TRUE(ear_.notified.empty());
  EXPECT_EQ(ear_.unclear, 1);
}

TEST_F(ServerRequestTest, PutIsForWhoTakesObjects) {
  const SecretBytes key =
      kmip::MakeSymmetricKey(Bytes(32, 7), kmip::CryptographicAlgorithm::kAES).value();
  const kmip::PutRequest put{.id = "new",
                             .function = kmip::PutFunction::kReplace,
                             .replaced = "old",
                             .object = key.Reveal(),
                             .attributes = {}};
  EXPECT_EQ(Tell(put).items.at(0).reason, ResultReason::kOperationNotSupported);
  ear_.takes = true;
  const Said taken = Tell(put);
  EXPECT_EQ(taken.items.at(0).status, ResultStatus::kSuccess);
  EXPECT_FALSE(taken.items.at(0).payload);
  EXPECT_EQ(ear_.put, std::vector<std::string>{"new<old"});
  ear_.full = true;
  EXPECT_EQ(Tell(put).items.at(0).reason, ResultReason::kPermissionDenied);
}

TEST_F(ServerRequestTest, VersionsAreThoseOfBothSides) {
  using Versions = std::vector<ProtocolVersion>;
  const auto told = [&](Versions asked) {
    return Payload<kmip::DiscoverVersionsResponse>(
               Tell(kmip::DiscoverVersionsRequest{.versions = std::move(asked)}))
        .versions;
  };
  EXPECT_EQ(told({}), (Versions{kmip::kVersion2_1, kmip::kVersion2_0}));
  EXPECT_EQ(told({kmip::kVersion1_4, kmip::kVersion2_0}), Versions{kmip::kVersion2_0});
  EXPECT_EQ(told({kmip::kVersion1_4}), Versions());
}

TEST_F(ServerRequestTest, QueryTellsWhatAClientDoes) {
  const kmip::QueryRequest query{
      .functions = {kmip::QueryFunction::kQueryOperations, kmip::QueryFunction::kQueryOperations,
                    kmip::QueryFunction::kQueryObjects,
                    kmip::QueryFunction::kQueryServerInformation, kmip::QueryFunction::kQueryRNGs},
      .object_groups = {}};
  const auto operations = [&] { return Payload<kmip::QueryResponse>(Tell(query)).operations; };
  EXPECT_EQ(operations(), (std::vector<Operation>{Operation::kQuery, Operation::kNotify,
                                                  Operation::kDiscoverVersions}));
  ear_.takes = true;
  EXPECT_NE(std::ranges::count(operations(), Operation::kPut), 0);
  const auto told = Payload<kmip::QueryResponse>(Tell(query));
  EXPECT_EQ(told.vendor_identification, "OpenDaRE");
  EXPECT_EQ(told.rngs.at(0).algorithm, kmip::RNGAlgorithm::kUnspecified);
  EXPECT_TRUE(told.object_types.empty());
}

TEST_F(ServerRequestTest, WhatClientsDoNotDoIsNotSupported) {
  for (const Operation operation :
       {Operation::kGet, Operation::kSetEndpointRole, static_cast<Operation>(0x7fffffff)}) {
    const Said said = Tell(kmip::SingleRequest(operation, kmip::kVersion2_1, [](ttlv::Writer&) {}));
    EXPECT_EQ(said.items.at(0).reason, ResultReason::kOperationNotSupported);
  }
  EXPECT_EQ(ear_.unclear, 0) << "none of them was a Notify";
}

TEST_F(ServerRequestTest, AnotherVersionIsRefusedAndUnclear) {
  const Said older = Tell(kNotify, kmip::kVersion1_4);
  EXPECT_EQ(older.items.at(0).status, ResultStatus::kOperationFailed);
  EXPECT_EQ(older.header.version, kmip::kVersion2_0);
  const Said newer = Tell(kNotify, ProtocolVersion{9, 0});
  EXPECT_EQ(newer.header.version, kmip::kVersion2_1);
  EXPECT_TRUE(ear_.notified.empty());
  EXPECT_EQ(ear_.unclear, 2);
}

// A message of several Notifies, the second one without a payload that can be read.
WipingBytes Batch(kmip::BatchErrorContinuationOption on_error, std::int32_t count = 3) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = kmip::kVersion2_1;
    header.on_error = on_error;
    header.on_error_given = true;
    header.batch_count = count;
    kmip::WriteRequestHeader(out, header);
    for (std::uint8_t i = 0; i < 3; ++i) {
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, Operation::kNotify);
        out.ByteString(Tag::kUniqueBatchItemID, Bytes{i});
        out.Structure(Tag::kRequestPayload, [&] {
          if (i != 1) kNotify.Encode(out, kmip::kVersion2_1);
        });
      });
    }
  });
  return out.Take();
}

TEST_F(ServerRequestTest, ABatchStopsAtAFailureOrGoesOnAsItSays) {
  const Said on = Tell(Batch(kmip::BatchErrorContinuationOption::kContinue));
  ASSERT_EQ(on.items.size(), 3u);
  EXPECT_EQ(on.items[1].status, ResultStatus::kOperationFailed);
  EXPECT_EQ(on.items[2].status, ResultStatus::kSuccess);
  EXPECT_EQ(ToBytes(*on.items[2].unique_batch_item_id), Bytes{2});
  EXPECT_EQ(ear_.unclear, 1);
  const Said stopped = Tell(Batch(kmip::BatchErrorContinuationOption::kStop));
  EXPECT_EQ(stopped.items.size(), 2u);
  EXPECT_EQ(ear_.notified.size(), 3u);
  EXPECT_EQ(ear_.unclear, 3) << "the failed one, and the one that nobody looked at";
}

TEST_F(ServerRequestTest, ACountThatIsWrongIsRefused) {
  const Said said = Tell(Batch(kmip::BatchErrorContinuationOption::kContinue, 2));
  EXPECT_EQ(said.items.at(0).reason, ResultReason::kInvalidMessage);
  EXPECT_TRUE(ear_.notified.empty());
  EXPECT_EQ(ear_.unclear, 1);
}

TEST_F(ServerRequestTest, WhatIsNoRequestHasNoAnswer) {
  EXPECT_FALSE(AnswerServer({}, ear_, kNow));
  EXPECT_FALSE(AnswerServer(Bytes(64, 0x42), ear_, kNow));
  const WipingBytes good =
      kmip::SingleRequest(Operation::kNotify, kmip::kVersion2_1,
                          [](ttlv::Writer& out) { kNotify.Encode(out, kmip::kVersion2_1); });
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(AnswerServer(ByteView(good).first(size), ear_, kNow)) << size;
  }
  EXPECT_FALSE(AnswerServer(KeyServerForTest::Success(Operation::kNotify, kmip::kVersion2_1, {}),
                            ear_, kNow));
  EXPECT_TRUE(ear_.notified.empty());
}

TEST_F(ServerRequestTest, FlippedBytesAreAnsweredOrRefused) {
  const WipingBytes good = Batch(kmip::BatchErrorContinuationOption::kContinue);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const std::uint8_t mask : {0x01, 0x80, 0xff}) {
      WipingBytes bad = good;
      bad[at] ^= mask;
      const auto answer = AnswerServer(bad, ear_, kNow);
      if (answer) {
        EXPECT_TRUE(ttlv::Validate(*answer));
      }
    }
  }
}

}  // namespace
}  // namespace dare::client
