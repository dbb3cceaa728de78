#include "kmip/payloads/hash.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(HashPayload, GoesThereAndBack) {
  HashRequest request;
  request.parameters.hashing_algorithm = HashingAlgorithm::kSHA_256;
  request.data = AsBytes("text");
  request.final = true;
  ttlv::Writer out;
  request.Encode(out, kVersion1_3);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = HashRequest::Decode(in, kVersion1_3);
  ASSERT_TRUE(read);
  EXPECT_EQ(AsText(*read->data), "text");
  EXPECT_EQ(read->parameters.hashing_algorithm, HashingAlgorithm::kSHA_256);
  EXPECT_TRUE(*read->final);
  EXPECT_FALSE(read->multi_part());

  HashResponse response;
  response.data = Bytes(32, 7);
  ttlv::Writer answer;
  response.Encode(answer, kVersion1_3);
  ttlv::Reader answered = ttlv::Reader::Members(answer.bytes());
  EXPECT_EQ(HashResponse::Decode(answered, kVersion1_3)->data, Bytes(32, 7));
}

TEST(HashPayload, NeedsItsParametersAndKnowsPartsSince13) {
  ttlv::Reader empty = ttlv::Reader::Members({});
  EXPECT_EQ(HashRequest::Decode(empty, kVersion2_1).error().code, Code::kMalformed);
  HashRequest request;
  request.init = true;
  ttlv::Writer out;
  request.Encode(out, kVersion1_3);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_TRUE(HashRequest::Decode(in, kVersion1_3)->multi_part());
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(HashRequest::Decode(old, kVersion1_2).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
