#include "kmip/payloads/derive_key.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

DeriveKeyRequest Request() {
  DeriveKeyRequest request;
  request.ids = {Identifier("one"), Identifier("two")};
  request.method = DerivationMethod::kPBKDF2;
  request.derivation.salt = AsBytes("salt");
  request.derivation.iterations = 4096;
  request.attributes.attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 128));
  return request;
}

TEST(DeriveKeyPayload, GoesThereAndBack) {
  for (const ProtocolVersion version : {kVersion1_0, kVersion2_1}) {
    ttlv::Writer out;
    Request().Encode(out, version);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    const auto read = DeriveKeyRequest::Decode(in, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->ids.size(), 2u);
    EXPECT_EQ(read->method, DerivationMethod::kPBKDF2);
    EXPECT_EQ(AsText(*read->derivation.salt), "salt");
    EXPECT_EQ(read->derivation.iterations, 4096);
    EXPECT_EQ(read->attributes.attributes.Integer(Tag::kCryptographicLength), 128);
  }
}

TEST(DeriveKeyPayload, NeedsAnIdentifierAndRepeatsDataSince2) {
  DeriveKeyRequest request = Request();
  request.derivation.data = {AsBytes("a"), AsBytes("b")};
  ttlv::Writer out;
  request.Encode(out, kVersion1_4);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(DeriveKeyRequest::Decode(in, kVersion1_4).error().code, Code::kMalformed);
  request.ids.clear();
  ttlv::Writer bare;
  request.Encode(bare, kVersion2_1);
  ttlv::Reader bare_in = ttlv::Reader::Members(bare.bytes());
  EXPECT_EQ(DeriveKeyRequest::Decode(bare_in, kVersion2_1).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
