#include "kmip/message.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

struct Item {
  Operation operation = Operation::kQuery;
  std::string id;
};

WipingBytes Request(const RequestHeader& header, const std::vector<Item>& items) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    WriteRequestHeader(out, header);
    for (const Item& item : items) {
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, item.operation);
        if (!item.id.empty()) out.ByteString(Tag::kUniqueBatchItemID, AsBytes(item.id));
        out.Structure(Tag::kRequestPayload, [] {});
      });
    }
  });
  return out.Take();
}

TEST(Message, ARequestReadsBack) {
  RequestHeader header;
  header.version = kVersion1_4;
  header.maximum_response_size = 256;
  header.client_correlation = "c-1";
  header.on_error = BatchErrorContinuationOption::kUndo;
  header.on_error_given = true;
  header.batch_order = true;
  header.batch_count = 2;
  const WipingBytes bytes = Request(header, {{Operation::kCreate, "1"}, {Operation::kGet, "2"}});
  auto message = RequestMessage::Open(bytes);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->header().version, kVersion1_4);
  EXPECT_EQ(message->header().maximum_response_size, 256);
  EXPECT_EQ(message->header().client_correlation, "c-1");
  EXPECT_EQ(message->header().on_error, BatchErrorContinuationOption::kUndo);
  EXPECT_EQ(message->header().batch_order, true);
  EXPECT_EQ(message->LookAtItems().items, 2);
  EXPECT_EQ(message->Next()->operation, Operation::kCreate);
  const auto second = message->Next();
  EXPECT_EQ(AsText(*second->unique_batch_item_id), "2");
  EXPECT_TRUE(message->AtEnd());
  EXPECT_EQ(PeekVersion(bytes), kVersion1_4);
}

TEST(Message, StopIsTheDefault) {
  RequestHeader header;
  header.batch_count = 1;
  const WipingBytes bytes = Request(header, {{}});
  const auto message = RequestMessage::Open(bytes);
  EXPECT_EQ(message->header().on_error, BatchErrorContinuationOption::kStop);
  EXPECT_FALSE(message->header().on_error_given);
}

TEST(Message, RefusesAResponseWhereARequestIsExpected) {
  ttlv::Writer out;
  out.Structure(Tag::kResponseMessage, [] {});
  EXPECT_EQ(RequestMessage::Open(out.bytes()).error().code, Code::kMalformed);
}

TEST(Message, RefusesFieldsOutOfOrderAndUnknownOnesInTheHeader) {
  const auto open = [](auto write) {
    ttlv::Writer out;
    out.Structure(Tag::kRequestMessage,
                  [&] { out.Structure(Tag::kRequestHeader, [&] { write(out); }); });
    return RequestMessage::Open(out.bytes()).has_value();
  };
  const auto version = [](ttlv::Writer& out) { WriteProtocolVersion(out, kVersion2_1); };
  EXPECT_TRUE(open([&](ttlv::Writer& out) {
    version(out);
    out.Integer(Tag::kBatchCount, 1);
  }));
  EXPECT_FALSE(open([&](ttlv::Writer& out) {
    out.Integer(Tag::kBatchCount, 1);
    version(out);
  }));
  EXPECT_FALSE(open([&](ttlv::Writer& out) {
    version(out);
    out.Integer(Tag::kOffsetItems, 1);
    out.Integer(Tag::kBatchCount, 1);
  }));
  EXPECT_FALSE(open([&](ttlv::Writer& out) { out.Integer(Tag::kBatchCount, 1); }));
}

TEST(Message, AsynchronousIndicatorIsABooleanThenAnEnumeration) {
  const auto mandatory = [](ProtocolVersion version, auto write) {
    ttlv::Writer out;
    out.Structure(Tag::kRequestMessage, [&] {
      out.Structure(Tag::kRequestHeader, [&] {
        WriteProtocolVersion(out, version);
        write(out);
        out.Integer(Tag::kBatchCount, 1);
      });
    });
    const auto message = RequestMessage::Open(out.bytes());
    EXPECT_TRUE(message) << message.error().message;
    return message->header().asynchrony;
  };
  EXPECT_EQ(mandatory(kVersion1_4,
                      [](ttlv::Writer& out) { out.Boolean(Tag::kAsynchronousIndicator, true); }),
            Asynchrony::kOptional);
  const auto indicator = [&](AsynchronousIndicator value) {
    return mandatory(kVersion2_1,
                     [=](ttlv::Writer& out) { out.Enum(Tag::kAsynchronousIndicator, value); });
  };
  EXPECT_EQ(indicator(AsynchronousIndicator::kMandatory), Asynchrony::kMandatory);
  EXPECT_EQ(indicator(AsynchronousIndicator::kOptional), Asynchrony::kOptional);
  EXPECT_EQ(indicator(AsynchronousIndicator::kProhibited), Asynchrony::kProhibited);
  EXPECT_EQ(mandatory(kVersion2_1, [](ttlv::Writer&) {}), Asynchrony::kProhibited);
}

TEST(Message, CriticalExtensionsAreReported) {
  for (const bool critical : {false, true}) {
    ttlv::Writer out;
    out.Structure(Tag::kRequestMessage, [&] {
      RequestHeader header;
      header.batch_count = 1;
      WriteRequestHeader(out, header);
      out.Structure(Tag::kBatchItem, [&] {
        out.Enum(Tag::kOperation, Operation::kQuery);
        out.Structure(Tag::kRequestPayload, [] {});
        out.Structure(Tag::kMessageExtension, [&] {
          out.Text(Tag::kVendorIdentification, "acme");
          out.Boolean(Tag::kCriticalityIndicator, critical);
          out.Structure(Tag::kVendorExtension, [] {});
        });
      });
    });
    auto message = RequestMessage::Open(out.bytes());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->Next()->critical_extension, critical);
  }
}

TEST(Message, AnItemNeedsAPayload) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    RequestHeader header;
    header.batch_count = 1;
    WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] { out.Enum(Tag::kOperation, Operation::kQuery); });
  });
  auto message = RequestMessage::Open(out.bytes());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->Next().error().code, Code::kMalformed);
}

TEST(Message, TheVersionIsSeenInAnOtherwiseUnreadableHeader) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    out.Structure(Tag::kRequestHeader, [&] {
      WriteProtocolVersion(out, {7, 3});
      out.Text(Tag::kBatchCount, "one");
    });
  });
  EXPECT_FALSE(RequestMessage::Open(out.bytes()));
  EXPECT_EQ(PeekVersion(out.bytes()), (ProtocolVersion{7, 3}));
  EXPECT_FALSE(PeekVersion(Bytes(16)));
}

TEST(Message, AResponseReadsBack) {
  ttlv::Writer out;
  out.Structure(Tag::kResponseMessage, [&] {
    WriteResponseHeader(out, {.version = kVersion1_2, .time_stamp = 9, .batch_count = 1});
    out.Structure(Tag::kBatchItem, [&] {
      WriteResponseItemHead(out, {.operation = Operation::kGet,
                                  .status = ResultStatus::kOperationFailed,
                                  .reason = ResultReason::kItemNotFound,
                                  .message = "no"});
    });
  });
  auto message = ResponseMessage::Open(out.bytes());
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->header().batch_count, 1);
  const auto item = message->Next();
  ASSERT_TRUE(item);
  EXPECT_EQ(item->operation, Operation::kGet);
  EXPECT_EQ(item->reason, ResultReason::kItemNotFound);
  EXPECT_EQ(item->message, "no");
  EXPECT_FALSE(item->payload);
}

}  // namespace
}  // namespace dare::kmip
