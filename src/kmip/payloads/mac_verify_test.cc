#include "kmip/payloads/mac_verify.h"

#include <gtest/gtest.h>

#include "kmip/payloads/rng_seed.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(MacVerifyPayload, GoesThereAndBack) {
  const Bytes mac(32, 9);
  MacVerifyRequest request;
  request.id = Identifier("key");
  request.data = AsBytes("text");
  request.mac = mac;
  request.init = true;
  ttlv::Writer out;
  request.Encode(out, kVersion1_3);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = MacVerifyRequest::Decode(in, kVersion1_3);
  ASSERT_TRUE(read);
  EXPECT_EQ(AsText(*read->data), "text");
  EXPECT_EQ(ToBytes(*read->mac), mac);
  EXPECT_TRUE(read->multi_part());
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(MacVerifyRequest::Decode(old, kVersion1_2).error().code, Code::kMalformed);

  MacVerifyResponse response;
  response.id = "key";
  response.validity = ValidityIndicator::kInvalid;
  ttlv::Writer answer;
  response.Encode(answer, kVersion1_3);
  ttlv::Reader answered = ttlv::Reader::Members(answer.bytes());
  EXPECT_EQ(MacVerifyResponse::Decode(answered, kVersion1_3)->validity,
            ValidityIndicator::kInvalid);
}

TEST(RngSeedPayload, GoesThereAndBack) {
  RngSeedRequest request;
  request.data = AsBytes("seed");
  ttlv::Writer out;
  request.Encode(out, kVersion1_2);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(AsText(RngSeedRequest::Decode(in, kVersion1_2)->data), "seed");
  ttlv::Writer answer;
  RngSeedResponse{.length = 4}.Encode(answer, kVersion1_2);
  ttlv::Reader answered = ttlv::Reader::Members(answer.bytes());
  EXPECT_EQ(RngSeedResponse::Decode(answered, kVersion1_2)->length, 4);
}

}  // namespace
}  // namespace dare::kmip
