#include "kmip/split_key.h"

#include <gtest/gtest.h>

#include "kmip/payloads/create_split_key.h"
#include "kmip/payloads/join_split_key.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

TEST(SplitKeyPayloads, GoThereAndBack) {
  for (const ProtocolVersion version : {kVersion1_2, kVersion2_1}) {
    CreateSplitKeyRequest create;
    create.id = Identifier("key");
    create.parts = 5;
    create.threshold = 3;
    create.method = SplitKeyMethod::kPolynomialSharingPrimeField;
    create.prime = Bytes{0x01, 0x01};
    ttlv::Writer out;
    create.Encode(out, version);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    const auto read = CreateSplitKeyRequest::Decode(in, version);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->parts, 5);
    EXPECT_EQ(read->threshold, 3);
    EXPECT_EQ(read->prime, create.prime);

    JoinSplitKeyRequest join;
    join.object_type = ObjectType::kSecretData;
    join.ids = {Identifier("one"), Identifier("two")};
    join.secret_data_type = SecretDataType::kSeed;
    ttlv::Writer join_out;
    join.Encode(join_out, version);
    ttlv::Reader join_in = ttlv::Reader::Members(join_out.bytes());
    const auto joined = JoinSplitKeyRequest::Decode(join_in, version);
    ASSERT_TRUE(joined) << joined.error().message;
    EXPECT_EQ(joined->ids.size(), 2u);
    EXPECT_EQ(joined->secret_data_type, SecretDataType::kSeed);
  }
  ttlv::Writer answer;
  CreateSplitKeyResponse{.ids = {"one", "two"}}.Encode(answer, kVersion2_1);
  ttlv::Reader in = ttlv::Reader::Members(answer.bytes());
  EXPECT_EQ(CreateSplitKeyResponse::Decode(in, kVersion2_1)->ids.size(), 2u);
}

TEST(SplitKeyHead, RefusesNumbersThatCannotBe) {
  const auto read = [](const SplitKeyHead& head) {
    ttlv::Writer out;
    WriteSplitKeyHead(out, head);
    ttlv::Reader in = ttlv::Reader::Members(out.bytes());
    return ReadSplitKeyHead(in);
  };
  const SplitKeyHead good{
      .parts = 3, .identifier = 1, .threshold = 2, .method = SplitKeyMethod::kXOR, .prime = {}};
  EXPECT_EQ(*read(good), good);
  for (auto change :
       {+[](SplitKeyHead& head) { head.identifier = 0; },
        +[](SplitKeyHead& head) { head.identifier = 4; },
        +[](SplitKeyHead& head) { head.threshold = 4; },
        +[](SplitKeyHead& head) { head.threshold = 0; },
        +[](SplitKeyHead& head) { head.prime = {7}; },
        +[](SplitKeyHead& head) { head.method = SplitKeyMethod::kPolynomialSharingPrimeField; }}) {
    SplitKeyHead bad = good;
    change(bad);
    EXPECT_EQ(read(bad).error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace dare::kmip
