#include "kmip/payloads/encrypt.h"

#include <gtest/gtest.h>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

Result<EncryptRequest> Reread(const EncryptRequest& request, ttlv::Writer& out,
                              ProtocolVersion version) {
  request.Encode(out, version);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  return EncryptRequest::Decode(in, version);
}

TEST(EncryptPayload, CarriesEveryFieldOf14) {
  EncryptRequest request;
  request.id = Identifier("key");
  request.parameters = CryptographicParameters{
      .block_cipher_mode = BlockCipherMode::kGCM, .iv_length = 12, .tag_length = 16};
  request.data = AsBytes("plain");
  request.iv = AsBytes("123456789012");
  request.correlation = AsBytes("c");
  request.init = true;
  request.final = false;
  request.aad = AsBytes("aad");
  ttlv::Writer out;
  const auto read = Reread(request, out, kVersion1_4);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(AsText(*read->data), "plain");
  EXPECT_EQ(AsText(*read->iv), "123456789012");
  EXPECT_EQ(AsText(*read->correlation), "c");
  EXPECT_EQ(read->init, true);
  EXPECT_EQ(read->final, false);
  EXPECT_EQ(AsText(*read->aad), "aad");
  EXPECT_EQ(read->parameters->tag_length, 16);
  EXPECT_TRUE(read->multi_part());
}

TEST(EncryptPayload, RefusesFieldsThatTheVersionDoesNotHave) {
  EncryptRequest with_aad;
  with_aad.data = AsBytes("x");
  with_aad.aad = AsBytes("aad");
  ttlv::Writer out;
  EXPECT_EQ(Reread(with_aad, out, kVersion1_3).error().code, Code::kMalformed);
  EncryptRequest in_parts;
  in_parts.data = AsBytes("x");
  in_parts.init = true;
  ttlv::Writer again;
  EXPECT_EQ(Reread(in_parts, again, kVersion1_2).error().code, Code::kMalformed);
  ttlv::Writer since_1_3;
  EXPECT_TRUE(Reread(in_parts, since_1_3, kVersion1_3));
}

TEST(EncryptPayload, AbsentAndEmptyDataDiffer) {
  ttlv::Writer out;
  EncryptRequest request;
  request.data = ByteView();
  EXPECT_TRUE(Reread(request, out, kVersion2_1)->data);
  ttlv::Writer none;
  EXPECT_FALSE(Reread(EncryptRequest(), none, kVersion2_1)->data);
}

TEST(EncryptPayload, TheResponseOwnsItsBytes) {
  Result<EncryptResponse> read = Error(Code::kInternal, "");
  {
    ttlv::Writer out;
    EncryptResponse response;
    response.id = "key";
    response.data = ToBytes(AsBytes("cipher"));
    response.iv = Bytes(12, 1);
    response.tag = Bytes(16, 2);
    response.Encode(out, kVersion2_1);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    read = EncryptResponse::Decode(in, kVersion2_1);
    ttlv::Reader old = ttlv::Reader::Members(out.bytes());
    EXPECT_EQ(EncryptResponse::Decode(old, kVersion1_3).error().code, Code::kMalformed);
  }
  ASSERT_TRUE(read);
  EXPECT_EQ(AsText(*read->data), "cipher");
  EXPECT_EQ(read->iv, Bytes(12, 1));
  EXPECT_EQ(read->tag, Bytes(16, 2));
}

}  // namespace
}  // namespace dare::kmip
