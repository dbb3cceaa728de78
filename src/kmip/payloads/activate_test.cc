#include "kmip/payloads/activate.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(ActivatePayload, GoesThereAndBackInEveryVersion) {
  for (const ProtocolVersion version : {ProtocolVersion{1, 0}, ProtocolVersion{2, 1}}) {
    ttlv::Writer out;
    ActivateRequest{.id = Identifier("a-b")}.Encode(out, version);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    const auto request = ActivateRequest::Decode(in, version);
    ASSERT_TRUE(request);
    EXPECT_EQ(std::get<std::string>(request->id.value), "a-b");
  }
}

TEST(ActivatePayload, AnOmittedIdentifierIsThePlaceholder) {
  ttlv::Reader in = ttlv::Reader::Members({});
  EXPECT_TRUE(ActivateRequest::Decode(in, {1, 4})->id.omitted());
}

TEST(ActivatePayload, RefusesLeftoversAndIntegersBefore20) {
  ttlv::Writer out;
  out.Integer(Tag::kUniqueIdentifier, 0);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(ActivateRequest::Decode(in, {1, 4}).error().code, Code::kMalformed);
  ttlv::Reader again = ttlv::Reader::Members(out.bytes());
  EXPECT_TRUE(ActivateRequest::Decode(again, {2, 0}));
  out.Integer(Tag::kBatchCount, 1);
  ttlv::Reader more = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(ActivateRequest::Decode(more, {2, 0}).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
