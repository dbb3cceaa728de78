#include "kmip/draft3.h"

#include <gtest/gtest.h>

#include <functional>

#include "kmip/message.h"
#include "kmip/tags.h"
#include "ttlv/validate.h"
#include "ttlv/writer.h"

namespace dare::kmip {
namespace {

using ttlv::Writer;
using Members = std::function<void(Writer&)>;

// A request of 3.0 of these operations, without Batch Count and identifiers.
WipingBytes Request(const std::vector<std::pair<Operation, Members>>& items) {
  Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    out.Structure(Tag::kRequestHeader, [&] { WriteProtocolVersion(out, kVersion3_0); });
    for (const auto& [operation, members] : items) {
      out.Structure(Tag::kBatchItem, [&, &what = operation, &payload = members] {
        out.Enum(Tag::kOperation, what);
        out.Structure(Tag::kRequestPayload, [&] { payload(out); });
      });
    }
  });
  return out.Take();
}

// The answer of a server of 2.1 to one item.
WipingBytes Answer(Operation operation, const Members& members,
                   std::optional<std::string> batch_id = std::nullopt) {
  Writer out;
  out.Structure(Tag::kResponseMessage, [&] {
    WriteResponseHeader(out, {.version = kVersion2_1,
                              .time_stamp = 1,
                              .client_correlation = {},
                              .server_correlation = {},
                              .batch_count = 1});
    out.Structure(Tag::kBatchItem, [&] {
      ResponseItem head;
      head.operation = operation;
      if (batch_id) head.unique_batch_item_id = AsBytes(*batch_id);
      WriteResponseItemHead(out, head);
      out.Structure(Tag::kResponsePayload, [&] { members(out); });
    });
  });
  return out.Take();
}

// The payload of the only item of a rewritten request.
ttlv::Reader Payload(const WipingBytes& request) {
  auto message = RequestMessage::Open(request);
  return *message->Next()->payload.Members();
}

TEST(Draft3, CountsAndNamesTheItemsOfABatchAndGivesNoNamesBack) {
  Draft3Exchange exchange;
  const auto nothing = [](Writer&) {};
  const WipingBytes request = Request({{Operation::kPing, nothing}, {Operation::kPing, nothing}});
  ASSERT_TRUE(Draft3Exchange::Speaks(request));
  const auto rewritten = exchange.TakeRequest(request);
  ASSERT_TRUE(rewritten);
  ASSERT_TRUE(ttlv::Validate(*rewritten, ttlv::Limits()));
  auto message = RequestMessage::Open(*rewritten);
  EXPECT_EQ(message->header().version, kVersion2_1);
  EXPECT_EQ(message->header().batch_count, 2);
  EXPECT_TRUE(message->Next()->unique_batch_item_id);
  const WipingBytes answer = exchange.GiveAnswer(Answer(Operation::kPing, nothing, "#0"));
  EXPECT_EQ(AsText(answer).find("#0"), std::string::npos);
  const Bytes batch_count = {0x42, 0x00, 0x0D};
  EXPECT_EQ(AsText(answer).find(AsText(batch_count)), std::string::npos);
}

TEST(Draft3, KeepsTheNamesThatTheClientGave) {
  Draft3Exchange exchange;
  ASSERT_TRUE(exchange.TakeRequest(Request({{Operation::kPing, [](Writer&) {}}})));
  const WipingBytes answer = exchange.GiveAnswer(Answer(
      Operation::kPing, [](Writer&) {}, "#0"));
  EXPECT_NE(AsText(answer).find("#0"), std::string::npos);
}

TEST(Draft3, NameIsATextAndEachLinkAnAttribute) {
  Draft3Exchange exchange;
  const auto rewritten = exchange.TakeRequest(Request({{Operation::kCreate, [](Writer& out) {
                                                          out.Structure(Tag::kAttributes, [&] {
                                                            out.Text(Tag::kName, "joe");
                                                            out.Text(Tag::kNextLink, "id-2");
                                                          });
                                                        }}}));
  ttlv::Reader payload = Payload(*rewritten);
  ttlv::Reader attributes = *payload.Structure(Tag::kAttributes);
  ttlv::Reader name = *attributes.Structure(Tag::kName);
  EXPECT_EQ(*name.Text(Tag::kNameValue), "joe");
  ttlv::Reader link = *attributes.Structure(Tag::kLink);
  EXPECT_EQ(*link.Enumeration(Tag::kLinkType), 0x10Bu);
  EXPECT_EQ(*link.Text(Tag::kLinkedObjectIdentifier), "id-2");

  const WipingBytes answer =
      exchange.GiveAnswer(Answer(Operation::kGetAttributes, [&](Writer& out) {
        out.Raw(payload.rest());
        out.Structure(Tag::kAttributes, [&] {
          out.Structure(Tag::kName, [&] { out.Text(Tag::kNameValue, "joe"); });
          out.Structure(Tag::kLink, [&] {
            out.Enumeration(Tag::kLinkType, 0x10A);
            out.Text(Tag::kLinkedObjectIdentifier, "id-1");
          });
        });
      }));
  // Protocol Version Major, Name as a Text String, and Previous Link as a Reference.
  EXPECT_NE(ToHex(answer).find("42006a020000000400000003"), std::string::npos);
  EXPECT_NE(ToHex(answer).find("42005307000000036a6f65"), std::string::npos);
  EXPECT_NE(ToHex(answer).find("4201980d0000000469642d31"), std::string::npos);
}

TEST(Draft3, IdentifiersTravelUnderATypeOfTheirOwn) {
  WipingBytes request =
      Request({{Operation::kGet, [](Writer& out) { out.Text(Tag::kUniqueIdentifier, "id-1"); }}});
  // The type byte of Unique Identifier.
  const std::size_t at = AsText(request).find("id-1") - 5;
  ASSERT_EQ(request[at], 0x07);
  request[at] = 0x0C;
  EXPECT_FALSE(ttlv::Validate(request, ttlv::Limits()));
  Draft3Exchange exchange;
  const auto rewritten = exchange.TakeRequest(request);
  EXPECT_EQ(*Payload(*rewritten).Text(Tag::kUniqueIdentifier), "id-1");
  const WipingBytes answer = exchange.GiveAnswer(
      Answer(Operation::kGet, [](Writer& out) { out.Text(Tag::kUniqueIdentifier, "id-1"); }));
  EXPECT_NE(ToHex(answer).find("4200940c0000000469642d31"), std::string::npos);
}

TEST(Draft3, ObjectClassIsAnsweredWhenItWasAskedFor) {
  const auto answer_to = [](const Members& request) {
    Draft3Exchange exchange;
    EXPECT_TRUE(exchange.TakeRequest(Request({{Operation::kGetAttributes, request}})));
    return ToHex(exchange.GiveAnswer(Answer(Operation::kGetAttributes, [](Writer& out) {
      out.Structure(Tag::kAttributes, [&] { out.Enum(Tag::kState, State::kActive); });
    })));
  };
  const std::string user = "42019e050000000400000001";
  EXPECT_NE(answer_to([](Writer&) {}).find(user), std::string::npos);
  EXPECT_NE(answer_to([](Writer& out) {
              out.Enum(Tag::kAttributeReference, Tag::kObjectClass);
            }).find(user),
            std::string::npos);
  EXPECT_EQ(
      answer_to([](Writer& out) { out.Enum(Tag::kAttributeReference, Tag::kState); }).find(user),
      std::string::npos);
}

TEST(Draft3, AnswersToPkcs11RepeatTheCorrelationValue) {
  Draft3Exchange exchange;
  const Bytes correlation(16, 0xC0);
  ASSERT_TRUE(exchange.TakeRequest(Request({{Operation::kPKCS_11, [&](Writer& out) {
                                               out.Enumeration(Tag::kPKCS_11Function, 3);
                                               out.ByteString(Tag::kCorrelationValue, correlation);
                                             }}})));
  const auto answer = exchange.GiveAnswer(Answer(Operation::kPKCS_11, [](Writer& out) {
    out.Enumeration(Tag::kPKCS_11Function, 3);
    out.Enumeration(Tag::kPKCS_11ReturnCode, 0);
  }));
  EXPECT_NE(ToHex(answer).find(ToHex(correlation)), std::string::npos);
}

TEST(Draft3, RefusesWhatItCannotWalkThrough) {
  Draft3Exchange exchange;
  const WipingBytes request = Request({{Operation::kPing, [](Writer&) {}}});
  for (std::size_t length = 0; length < request.size(); ++length) {
    EXPECT_FALSE(exchange.TakeRequest(ByteView(request).first(length))) << length;
  }
  Members deep = [](Writer&) {};
  for (int i = 0; i < 40; ++i) {
    deep = [inner = deep](Writer& out) { out.Structure(Tag::kAttributes, [&] { inner(out); }); };
  }
  const auto refused = exchange.TakeRequest(Request({{Operation::kPing, deep}}));
  EXPECT_EQ(refused.error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace dare::kmip
