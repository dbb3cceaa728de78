#include "kmip/payloads/decrypt.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(DecryptPayload, CarriesAssociatedDataAndTagSince14) {
  DecryptRequest request;
  request.id = Identifier("key");
  request.data = AsBytes("cipher");
  request.iv = AsBytes("123456789012");
  request.aad = AsBytes("aad");
  request.tag = AsBytes("tag");
  ttlv::Writer out;
  request.Encode(out, kVersion1_4);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = DecryptRequest::Decode(in, kVersion1_4);
  ASSERT_TRUE(read);
  EXPECT_EQ(AsText(*read->aad), "aad");
  EXPECT_EQ(AsText(*read->tag), "tag");
  EXPECT_FALSE(read->multi_part());
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(DecryptRequest::Decode(old, kVersion1_3).error().code, Code::kMalformed);
}

TEST(DecryptPayload, TheResponseGoesThereAndBack) {
  DecryptResponse response;
  response.id = "key";
  response.data = WipingBytes{1, 2, 3};
  response.correlation = Bytes{9};
  ttlv::Writer out;
  response.Encode(out, kVersion2_1);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = DecryptResponse::Decode(in, kVersion2_1);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->data, (WipingBytes{1, 2, 3}));
  EXPECT_EQ(read->correlation, Bytes{9});
}

TEST(DecryptPayload, RefusesLeftovers) {
  ttlv::Writer out;
  DecryptRequest().Encode(out, kVersion2_1);
  out.Integer(Tag::kBatchCount, 1);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(DecryptRequest::Decode(in, kVersion2_1).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
