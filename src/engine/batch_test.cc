#include "engine/batch.h"

#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "hsm/memory_sealer_for_test.h"
#include "kmip/message.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/rng_retrieve.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::BatchErrorContinuationOption;
using kmip::Operation;
using kmip::ResultReason;
using kmip::ResultStatus;
using kmip::Tag;

const Bytes kKey(32, 7);

// Builds messages of several items.
class Message {
 public:
  explicit Message(kmip::RequestHeader header = {}) : header_(std::move(header)) {}

  template <typename Request>
  Message& Add(const Request& request) {
    ttlv::Writer payload;
    request.Encode(payload, header_.version);
    ++count_;
    const Bytes id = {static_cast<std::uint8_t>(count_ >> 8), static_cast<std::uint8_t>(count_)};
    items_.Structure(Tag::kBatchItem, [&] {
      items_.Enum(Tag::kOperation, Request::kOperation);
      if (with_ids_) items_.ByteString(Tag::kUniqueBatchItemID, id);
      items_.Structure(Tag::kRequestPayload, [&] { items_.Raw(payload.bytes()); });
    });
    return *this;
  }
  // Something that stands where a batch item should and is none.
  Message& AddStranger(kmip::Tag tag = Tag::kRequestPayload) {
    ++count_;
    items_.Structure(tag, [] {});
    return *this;
  }
  Message& WithoutIds() {
    with_ids_ = false;
    return *this;
  }
  Message& Counting(int count) {
    claimed_ = count;
    return *this;
  }
  WipingBytes Encode() {
    header_.batch_count = claimed_.value_or(count_);
    ttlv::Writer out;
    out.Structure(Tag::kRequestMessage, [&] {
      kmip::WriteRequestHeader(out, header_);
      out.Raw(items_.bytes());
    });
    return out.Take();
  }

 private:
  kmip::RequestHeader header_;
  ttlv::Writer items_;
  int count_ = 0;
  bool with_ids_ = true;
  std::optional<int> claimed_;
};

std::vector<ResultStatus> Statuses(ByteView answer) {
  std::vector<ResultStatus> statuses;
  auto message = kmip::ResponseMessage::Open(answer);
  EXPECT_TRUE(message);
  while (!message->AtEnd()) statuses.push_back(message->Next()->status);
  EXPECT_EQ(message->header().batch_count, static_cast<int>(statuses.size()));
  return statuses;
}

kmip::RequestHeader Header(kmip::ProtocolVersion version, BatchErrorContinuationOption option =
                                                              BatchErrorContinuationOption::kStop) {
  kmip::RequestHeader header;
  header.version = version;
  header.on_error = option;
  header.on_error_given = true;
  return header;
}

kmip::Attribute PreActive() {
  return kmip::Attribute::OfEnumeration(Tag::kState,
                                        static_cast<std::uint32_t>(kmip::State::kPreActive));
}
// A key that only Activate makes Active.
std::vector<kmip::Attribute> Dormant(const EngineForTest&) {
  return {PreActive(), kmip::Attribute::OfDate(Tag::kActivationDate, 9'000'000'000)};
}

constexpr auto kOk = ResultStatus::kSuccess;
constexpr auto kFailed = ResultStatus::kOperationFailed;
constexpr auto kUndone = ResultStatus::kOperationUndone;

TEST(Batch, StopsAtTheFirstFailureByDefault) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  Message message(Header(kmip::kVersion1_4));
  message.Add(kmip::GetRequest{.id = kmip::Identifier(id)})
      .Add(kmip::GetRequest{.id = kmip::Identifier("nothing")})
      .Add(kmip::GetRequest{.id = kmip::Identifier(id)});
  EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kOk, kFailed}));
}

TEST(Batch, GoesOnWhenToldTo) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  Message message(Header(kmip::kVersion2_1, BatchErrorContinuationOption::kContinue));
  message.Add(kmip::GetRequest{.id = kmip::Identifier("nothing")})
      .Add(kmip::GetRequest{.id = kmip::Identifier(id)});
  EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kFailed, kOk}));
}

TEST(Batch, UndoesWhatCameBefore) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey, Dormant(engine));
  Message message(Header(kmip::kVersion2_1, BatchErrorContinuationOption::kUndo));
  message.Add(kmip::ActivateRequest{.id = kmip::Identifier(id)})
      .Add(kmip::GetRequest{.id = kmip::Identifier("nothing")});
  EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kUndone, kFailed}));
  // Still Pre-Active: it can be activated now.
  EXPECT_TRUE(engine.Do(kmip::ActivateRequest{.id = kmip::Identifier(id)}).success);
}

TEST(Batch, GoesPastWhatIsNoBatchItem) {
  for (const Tag tag : {Tag::kRequestPayload, Tag::kBatchItem}) {
    EngineForTest engine;
    Message message(Header(kmip::kVersion2_1, BatchErrorContinuationOption::kContinue));
    message.AddStranger(tag).Add(kmip::RngRetrieveRequest{.length = 8});
    EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kFailed, kOk}));
  }
}

TEST(Batch, UndoesWhatCameBeforeAnUnreadableItem) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey, Dormant(engine));
  Message message(Header(kmip::kVersion2_1, BatchErrorContinuationOption::kUndo));
  message.Add(kmip::RngRetrieveRequest{.length = 8})
      .Add(kmip::ActivateRequest{.id = kmip::Identifier(id)})
      .AddStranger(Tag::kBatchItem);
  EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kUndone, kUndone, kFailed}));
  EXPECT_TRUE(engine.Do(kmip::ActivateRequest{.id = kmip::Identifier(id)}).success);
}

TEST(Batch, BoundsItsAnswerWithoutBeingAskedTo) {
  EngineForTest engine;
  Message message(Header(kmip::kVersion2_1, BatchErrorContinuationOption::kContinue));
  for (int i = 0; i < 300; ++i) message.Add(kmip::RngRetrieveRequest{.length = 65536});
  const WipingBytes answer = engine.Exchange(message.Encode());
  EXPECT_LT(answer.size(), 12u << 20);
  const std::vector<ResultStatus> statuses = Statuses(answer);
  EXPECT_EQ(statuses.size(), 300u);
  EXPECT_EQ(statuses.front(), kOk);
  EXPECT_EQ(statuses.back(), kFailed);
}

TEST(Batch, AFailedItemLeavesNothingButEarlierItemsStay) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey, Dormant(engine));
  Message message(Header(kmip::kVersion2_1));
  message.Add(kmip::ActivateRequest{.id = kmip::Identifier(id)})
      .Add(kmip::ActivateRequest{.id = kmip::Identifier(id)});
  EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kOk, kFailed}));
  EXPECT_EQ(engine.Do(kmip::ActivateRequest{.id = kmip::Identifier(id)}).reason,
            ResultReason::kWrongKeyLifecycleState);
}

TEST(Batch, RefusesAWrongBatchCount) {
  EngineForTest engine;
  Message message(Header(kmip::kVersion1_4));
  message.Add(kmip::RngRetrieveRequest{.length = 8}).Counting(2);
  EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kFailed}));
}

TEST(Batch, RefusesSeveralItemsWithoutIds) {
  EngineForTest engine;
  Message message(Header(kmip::kVersion1_4));
  message.WithoutIds()
      .Add(kmip::RngRetrieveRequest{.length = 8})
      .Add(kmip::RngRetrieveRequest{.length = 8});
  EXPECT_EQ(Statuses(engine.Exchange(message.Encode())), (std::vector{kFailed}));
}

TEST(Batch, AnswersInTheVersionOfTheRequest) {
  EngineForTest engine;
  for (const auto version : {kmip::kVersion1_2, kmip::kVersion1_4, kmip::kVersion2_1}) {
    Message message(Header(version));
    message.Add(kmip::RngRetrieveRequest{.length = 8});
    const WipingBytes answer = engine.Exchange(message.Encode());
    EXPECT_EQ(kmip::ResponseMessage::Open(answer)->header().version, version);
    EXPECT_EQ(Statuses(answer), (std::vector{kOk}));
  }
}

TEST(Batch, RefusesVersionsItDoesNotSpeakInTheClosestOne) {
  EngineForTest engine;
  Message message(Header({1, 9}));
  message.Add(kmip::RngRetrieveRequest{.length = 8});
  const WipingBytes answer = engine.Exchange(message.Encode());
  auto response = kmip::ResponseMessage::Open(answer);
  EXPECT_EQ(response->header().version, kmip::kVersion1_4);
  const auto item = response->Next();
  EXPECT_FALSE(item->operation);
  EXPECT_EQ(item->reason, ResultReason::kInvalidMessage);
}

TEST(Batch, RefusesAnOperationThatTheVersionDoesNotHave) {
  EngineForTest engine;
  EXPECT_EQ(engine.Do(kmip::RngRetrieveRequest{.length = 8}, kmip::kVersion1_1).reason,
            ResultReason::kOperationNotSupported);
}

TEST(Batch, KeepsToMaximumResponseSize) {
  EngineForTest engine;
  kmip::RequestHeader header = Header(kmip::kVersion2_1);
  header.maximum_response_size = 256;
  Message message(header);
  message.Add(kmip::RngRetrieveRequest{.length = 1024});
  const WipingBytes answer = engine.Exchange(message.Encode());
  auto response = kmip::ResponseMessage::Open(answer);
  EXPECT_EQ(response->Next()->reason, ResultReason::kResponseTooLarge);
}

TEST(Batch, AnswersGarbageWithAWholeMessage) {
  EngineForTest engine;
  const Bytes garbage = {0x42, 0x00, 0x78, 0x01, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(Statuses(engine.Exchange(garbage)), (std::vector{kFailed}));
}

TEST(Batch, AuditsEveryItem) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  const std::size_t before = engine.AuditLines().size();
  engine.Do(kmip::GetRequest{.id = kmip::Identifier(id)});
  engine.Do(kmip::GetRequest{.id = kmip::Identifier(id)}, kmip::kVersion2_1, "mallory");
  const std::vector<std::string> lines = engine.AuditLines();
  ASSERT_EQ(lines.size(), before + 2);
  EXPECT_NE(lines[before].find("allowed"), std::string::npos);
  EXPECT_NE(lines[before].find(id), std::string::npos);
  EXPECT_NE(lines[before + 1].find("denied"), std::string::npos);
  EXPECT_NE(lines[before + 1].find("mallory"), std::string::npos);
}

TEST(Batch, OthersAreDeniedAndAnAdministratorMayNotUseKeys) {
  EngineForTest engine;
  const std::string id = engine.AddAesKey(kKey);
  for (const bool administrator : {false, true}) {
    const ItemForTest item = engine.Do(kmip::GetRequest{.id = kmip::Identifier(id)},
                                       kmip::kVersion2_1, "mallory", administrator);
    EXPECT_EQ(item.reason, ResultReason::kPermissionDenied);
  }
}

TEST(Batch, CachedKeysKeepServingWhileTheHsmIsGone) {
  EngineForTest engine;
  const std::string cached = engine.AddAesKey(kKey);
  const std::string cold = engine.AddAesKey(kKey);
  ASSERT_TRUE(engine.Do(kmip::GetRequest{.id = kmip::Identifier(cached)}).success);
  engine.sealer().SetUnavailable(true);
  EXPECT_TRUE(engine.Do(kmip::GetRequest{.id = kmip::Identifier(cached)}).success);
  EXPECT_EQ(engine.Do(kmip::GetRequest{.id = kmip::Identifier(cold)}).reason,
            ResultReason::kGeneralFailure);
  engine.clock().Advance(3600);  // past the cache's time to live
  EXPECT_FALSE(engine.Do(kmip::GetRequest{.id = kmip::Identifier(cached)}).success);
  engine.sealer().SetUnavailable(false);
  EXPECT_TRUE(engine.Do(kmip::GetRequest{.id = kmip::Identifier(cold)}).success);
}

}  // namespace
}  // namespace dare::engine
