#include "kmip/payloads/sign.h"

#include <gtest/gtest.h>

#include "kmip/payloads/signature_verify.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(SignPayload, GoesThereAndBack) {
  const Bytes digest(32, 5);
  SignRequest request;
  request.id = Identifier("key");
  request.digested_data = digest;
  ttlv::Writer out;
  request.Encode(out, kVersion1_4);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = SignRequest::Decode(in, kVersion1_4);
  ASSERT_TRUE(read);
  EXPECT_EQ(ToBytes(*read->digested_data), digest);
  EXPECT_FALSE(read->multi_part());
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(SignRequest::Decode(old, kVersion1_3).error().code, Code::kMalformed);

  SignResponse response;
  response.id = "key";
  response.signature = Bytes(64, 1);
  ttlv::Writer answer;
  response.Encode(answer, kVersion1_4);
  ttlv::Reader answered = ttlv::Reader::Members(answer.bytes());
  EXPECT_EQ(SignResponse::Decode(answered, kVersion1_4)->signature, Bytes(64, 1));
}

TEST(SignatureVerifyPayload, GoesThereAndBack) {
  const Bytes signature(64, 2);
  SignatureVerifyRequest request;
  request.id = Identifier("key");
  request.data = AsBytes("text");
  request.signature = signature;
  request.init = true;
  ttlv::Writer out;
  request.Encode(out, kVersion1_3);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = SignatureVerifyRequest::Decode(in, kVersion1_3);
  ASSERT_TRUE(read);
  EXPECT_EQ(ToBytes(*read->signature), signature);
  EXPECT_TRUE(read->multi_part());
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(SignatureVerifyRequest::Decode(old, kVersion1_2).error().code, Code::kMalformed);

  SignatureVerifyResponse response;
  response.id = "key";
  response.validity = ValidityIndicator::kValid;
  response.data = Bytes(3, 3);
  ttlv::Writer answer;
  response.Encode(answer, kVersion1_3);
  ttlv::Reader answered = ttlv::Reader::Members(answer.bytes());
  const auto back = SignatureVerifyResponse::Decode(answered, kVersion1_3);
  EXPECT_EQ(back->validity, ValidityIndicator::kValid);
  EXPECT_EQ(back->data, Bytes(3, 3));
}

}  // namespace
}  // namespace dare::kmip
