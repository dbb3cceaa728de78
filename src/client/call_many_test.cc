#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "client/key_server_for_test.h"
#include "client/kms_client.h"
#include "kmip/payloads/rng_retrieve.h"
#include "kmip/tags.h"

namespace dare::client {
namespace {

using kmip::ResultReason;
using kmip::Tag;
using Answer = KeyServerForTest::Answer;

// A key server that answers RNG Retrieve of N bytes with N bytes, and notes how many items each
// message had.
class BatchServer {
 public:
  BatchServer() : server_([this](kmip::RequestMessage& message) { return Serve(message); }) {}

  Endpoint endpoint() const { return server_.endpoint(); }
  const std::vector<std::size_t>& sizes() const { return sizes_; }

  std::size_t most_items = 1000;  // more are refused as a whole, with this reason:
  ResultReason too_many = ResultReason::kInvalidMessage;
  std::size_t most_answered = 1000;  // for further items there is no room
  bool backwards = false;            // answers the last one first
  std::int32_t refused = -1;         // a request for so many bytes is denied
  std::size_t left_out = 1000;       // this item gets no answer
  bool twice = false;                // each item gets two
  bool without_ids = false;

 private:
  struct Item {
    Bytes id;
    std::int32_t length = 0;
  };

  Answer Serve(kmip::RequestMessage& message) {
    std::vector<Item> items;
    std::set<Bytes> ids;
    while (!message.AtEnd()) {
      const kmip::RequestItem item = message.Next().value();
      ttlv::Reader payload = item.payload.Members().value();
      const auto request = kmip::RngRetrieveRequest::Decode(payload, message.header().version);
      items.push_back({ToBytes(item.unique_batch_item_id.value_or(ByteView())), request->length});
      ids.insert(items.back().id);
    }
    sizes_.push_back(items.size());
    EXPECT_EQ(ids.size(), items.size()) << "each item of a batch has an id of its own";
    EXPECT_EQ(message.header().on_error_given, items.size() > 1);
    EXPECT_EQ(static_cast<std::size_t>(message.header().batch_count), items.size());
    const kmip::ProtocolVersion version = message.header().version;
    if (items.size() > most_items) {
      return KeyServerForTest::Failure(kmip::Operation::kRNGRetrieve, version, too_many, "so many");
    }
    EXPECT_TRUE(items.size() == 1 ||
                message.header().on_error == kmip::BatchErrorContinuationOption::kContinue);
    if (backwards) std::reverse(items.begin(), items.end());
    ttlv::Writer out;
    out.Structure(Tag::kResponseMessage, [&] {
      kmip::WriteResponseHeader(
          out, {.version = version, .batch_count = static_cast<std::int32_t>(items.size())});
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (i == left_out) continue;
        Write(out, items[i], i);
        if (twice) Write(out, items[i], i);
      }
    });
    return out.Take();
  }

  void Write(ttlv::Writer& out, const Item& asked, std::size_t at) const {
    kmip::ResponseItem item;
    item.operation = kmip::Operation::kRNGRetrieve;
    if (!asked.id.empty() && !without_ids) item.unique_batch_item_id = ByteView(asked.id);
    if (asked.length == refused) item.reason = ResultReason::kPermissionDenied;
    if (at >= most_answered) item.reason = ResultReason::kResponseTooLarge;
    if (item.reason) item.status = kmip::ResultStatus::kOperationFailed;
    out.Structure(Tag::kBatchItem, [&] {
      kmip::WriteResponseItemHead(out, item);
      if (item.reason) return;
      const Bytes data(static_cast<std::size_t>(asked.length), 7);
      out.Structure(Tag::kResponsePayload, [&] { out.ByteString(Tag::kData, data); });
    });
  }

  std::vector<std::size_t> sizes_;  // written by the one connection's thread, between two calls
  KeyServerForTest server_;
};

class CallManyTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 18)); }

  // Asks for 1, 2, … `count` bytes.
  std::vector<Result<kmip::RngRetrieveResponse>> Ask(std::size_t count) {
    if (!client_) client_ = KmsClient::Create(ConfigForTest({server_.endpoint()})).value();
    std::vector<kmip::RngRetrieveRequest> requests;
    for (std::size_t i = 1; i <= count; ++i) {
      requests.push_back({.length = static_cast<std::int32_t>(i)});
    }
    return client_->CallMany<kmip::RngRetrieveResponse>(
        std::span<const kmip::RngRetrieveRequest>(requests));
  }
  static void ExpectAll(const std::vector<Result<kmip::RngRetrieveResponse>>& answers) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ASSERT_TRUE(answers[i]) << answers[i].error().message;
      EXPECT_EQ(answers[i]->data.size(), i + 1);
    }
  }
  // How many of them have an error, with the last one's code.
  static std::pair<std::size_t, Code> Errors(
      const std::vector<Result<kmip::RngRetrieveResponse>>& answers) {
    std::pair<std::size_t, Code> errors{0, Code::kInternal};
    for (const auto& answer : answers) {
      if (!answer) errors = {errors.first + 1, answer.error().code};
    }
    return errors;
  }

  BatchServer server_;
  std::unique_ptr<KmsClient> client_;
};

TEST_F(CallManyTest, AsksForAtMostSoManyInAMessage) {
  ExpectAll(Ask(300));
  EXPECT_EQ(server_.sizes(), (std::vector<std::size_t>{128, 128, 44}));
  EXPECT_EQ(client_->messages(), 3u);
}

TEST_F(CallManyTest, AsksForNoneWithoutAMessageAndForOneWithoutABatch) {
  EXPECT_TRUE(Ask(0).empty());
  EXPECT_TRUE(server_.sizes().empty());
  server_.without_ids = true;
  ExpectAll(Ask(1));
}

TEST_F(CallManyTest, AnswersKeepTheOrderOfTheRequestsWhateverTheServers) {
  server_.backwards = true;
  ExpectAll(Ask(100));
}

TEST_F(CallManyTest, ARefusalIsThatOfItsRequestAlone) {
  server_.refused = 17;
  const auto answers = Ask(40);
  EXPECT_EQ(Errors(answers), std::pair(std::size_t{1}, Code::kDenied));
  EXPECT_FALSE(answers[16]);
  EXPECT_EQ(server_.sizes().size(), 1u);
}

TEST_F(CallManyTest, AServerThatTakesFewerIsAskedForFewer) {
  for (const ResultReason reason : {ResultReason::kInvalidMessage, ResultReason::kResponseTooLarge,
                                    ResultReason::kFeatureNotSupported}) {
    server_.too_many = reason;
    server_.most_items = 20;
    ExpectAll(Ask(100));
    server_.most_items = 1;
    ExpectAll(Ask(10));
  }
}

TEST_F(CallManyTest, WhatFindsNoRoomInTheAnswerIsAskedForAgain) {
  server_.most_answered = 30;
  ExpectAll(Ask(128));
  server_.most_answered = 0;  // not even for one alone: that is the answer
  EXPECT_EQ(Errors(Ask(5)), std::pair(std::size_t{5}, Code::kTooLarge));
}

TEST_F(CallManyTest, ADeniedMessageIsNotAskedForAgain) {
  server_.most_items = 1;
  server_.too_many = ResultReason::kAuthenticationNotSuccessful;
  EXPECT_EQ(Errors(Ask(50)), std::pair(std::size_t{50}, Code::kUnauthenticated));
  EXPECT_EQ(server_.sizes().size(), 1u);
}

TEST_F(CallManyTest, AnswersThatDoNotFitTheRequestsAreRefused) {
  server_.left_out = 3;
  const auto answers = Ask(8);
  EXPECT_EQ(Errors(answers), std::pair(std::size_t{1}, Code::kMalformed));
  EXPECT_FALSE(answers[3]);
  server_.left_out = 1000;
  server_.twice = true;
  EXPECT_EQ(Errors(Ask(8)), std::pair(std::size_t{8}, Code::kMalformed));
  server_.twice = false;
  server_.without_ids = true;
  EXPECT_EQ(Errors(Ask(8)), std::pair(std::size_t{8}, Code::kMalformed));
}

}  // namespace
}  // namespace dare::client
