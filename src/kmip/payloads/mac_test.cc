#include "kmip/payloads/mac.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(MacPayload, GoesThereAndBack) {
  MacRequest request;
  request.id = Identifier("key");
  request.parameters =
      CryptographicParameters{.cryptographic_algorithm = CryptographicAlgorithm::kHMAC_SHA256};
  request.data = AsBytes("text");
  ttlv::Writer out;
  request.Encode(out, kVersion1_2);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = MacRequest::Decode(in, kVersion1_2);
  ASSERT_TRUE(read);
  EXPECT_EQ(AsText(*read->data), "text");
  EXPECT_EQ(read->parameters->cryptographic_algorithm, CryptographicAlgorithm::kHMAC_SHA256);

  MacResponse response;
  response.id = "key";
  response.mac = Bytes(32, 7);
  ttlv::Writer answer;
  response.Encode(answer, kVersion1_2);
  ttlv::Reader answered = ttlv::Reader::Members(answer.bytes());
  EXPECT_EQ(MacResponse::Decode(answered, kVersion1_2)->mac, Bytes(32, 7));
}

TEST(MacPayload, PartsExistSince13) {
  MacRequest request;
  request.data = AsBytes("text");
  request.init = true;
  ttlv::Writer out;
  request.Encode(out, kVersion1_3);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_TRUE(MacRequest::Decode(in, kVersion1_3)->multi_part());
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(MacRequest::Decode(old, kVersion1_2).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
