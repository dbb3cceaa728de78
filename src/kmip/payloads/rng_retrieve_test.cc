#include "kmip/payloads/rng_retrieve.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(RngRetrievePayload, GoesThereAndBack) {
  ttlv::Writer out;
  RngRetrieveRequest{.length = 32}.Encode(out, kVersion1_2);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(RngRetrieveRequest::Decode(in, kVersion1_2)->length, 32);
  ttlv::Writer answer;
  RngRetrieveResponse{.data = {1, 2, 3}}.Encode(answer, kVersion1_2);
  ttlv::Reader answered = ttlv::Reader::Members(answer.bytes());
  EXPECT_EQ(RngRetrieveResponse::Decode(answered, kVersion1_2)->data, (WipingBytes{1, 2, 3}));
}

TEST(RngRetrievePayload, RefusesARequestWithoutALength) {
  ttlv::Reader in = ttlv::Reader::Members({});
  EXPECT_EQ(RngRetrieveRequest::Decode(in, kVersion2_1).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
