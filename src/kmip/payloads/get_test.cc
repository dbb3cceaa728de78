#include "kmip/payloads/get.h"

#include <gtest/gtest.h>

#include "kmip/managed_object.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

class GetPayload : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 16)); }
};

TEST_F(GetPayload, CarriesFormatAndWrapping) {
  GetRequest request;
  request.id = Identifier("key");
  request.format = KeyFormatType::kRaw;
  request.wrap_type = KeyWrapType::kNotWrapped;
  request.wrapping = KeyWrapping();
  request.wrapping->encryption = WrappingKeyInformation{.id = "kek", .parameters = {}};
  ttlv::Writer out;
  request.Encode(out, kVersion1_4);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = GetRequest::Decode(in, kVersion1_4);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->format, KeyFormatType::kRaw);
  EXPECT_EQ(read->wrapping->encryption->id, "kek");
  ttlv::Reader old = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(GetRequest::Decode(old, kVersion1_3).error().code, Code::kMalformed)
      << "Key Wrap Type came with 1.4";
}

TEST_F(GetPayload, TheDecodedObjectOutlivesItsMessageAndMoves) {
  Result<GetResponse> read = Error(Code::kInternal, "");
  {
    const SecretBytes key = *MakeSymmetricKey(Bytes(32, 5), CryptographicAlgorithm::kAES);
    GetResponse response;
    response.type = ObjectType::kSymmetricKey;
    response.id = "key";
    response.object = *ttlv::ParseItem(key.Reveal());
    ttlv::Writer out;
    response.Encode(out, kVersion2_1);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    read = GetResponse::Decode(in, kVersion2_1);
  }
  ASSERT_TRUE(read) << read.error().message;
  const GetResponse moved = *std::move(read);
  ttlv::Reader members = *moved.object.Members();
  const KeyBlock block = *ReadKeyBlock(members);
  EXPECT_EQ(ToBytes(*block.KeyBytes()), Bytes(32, 5));
}

TEST_F(GetPayload, RefusesAnObjectOfAnotherTypeThanTold) {
  const SecretBytes key = *MakeSymmetricKey(Bytes(32, 5), CryptographicAlgorithm::kAES);
  ttlv::Writer out;
  out.Enum(Tag::kObjectType, ObjectType::kSecretData);
  out.Text(Tag::kUniqueIdentifier, "key");
  out.Raw(key.Reveal());
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  EXPECT_EQ(GetResponse::Decode(in, kVersion2_1).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::kmip
