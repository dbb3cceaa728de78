#include "kmip/key_block.h"

#include <gtest/gtest.h>

#include "kmip/managed_object.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

const Bytes kKeyBytes(16, 7);

template <typename Write>
Result<KeyBlock> Read(ttlv::Writer& out, Write write) {
  out.Structure(Tag::kKeyBlock, [&] { write(out); });
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  return ReadKeyBlock(in);
}

TEST(KeyBlock, GivesTheBytesOfARawAndOfATransparentKey) {
  ttlv::Writer raw;
  const auto block = Read(raw, [](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
    out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, kKeyBytes); });
    out.Enum(Tag::kCryptographicAlgorithm, CryptographicAlgorithm::kAES);
    out.Integer(Tag::kCryptographicLength, 128);
  });
  ASSERT_TRUE(block) << block.error().message;
  EXPECT_EQ(ToBytes(*block->KeyBytes()), kKeyBytes);
  EXPECT_EQ(block->length, 128);

  ttlv::Writer transparent;
  const auto other = Read(transparent, [](ttlv::Writer& out) {
    out.Enum(Tag::kKeyFormatType, KeyFormatType::kTransparentSymmetricKey);
    out.Structure(Tag::kKeyValue, [&] {
      out.Structure(Tag::kKeyMaterial, [&] { out.ByteString(Tag::kKey, kKeyBytes); });
    });
  });
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_EQ(ToBytes(*other->KeyBytes()), kKeyBytes);
}

TEST(KeyBlock, ABlockWithoutValueIsMetadataOnly) {
  ttlv::Writer out;
  const auto block =
      Read(out, [](ttlv::Writer& w) { w.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw); });
  ASSERT_TRUE(block);
  EXPECT_FALSE(block->key_value);
  EXPECT_EQ(block->KeyBytes().error().detail,
            static_cast<std::uint64_t>(ResultReason::kKeyValueNotPresent));
}

TEST(KeyBlock, AWrappedKeyHidesItsBytes) {
  KeyWrapping wrapping;
  wrapping.encryption = WrappingKeyInformation{.id = "kek", .parameters = {}};
  wrapping.iv = Bytes(12, 1);
  wrapping.encoding = EncodingOption::kNoEncoding;
  ttlv::Writer out;
  const auto block = Read(out, [&](ttlv::Writer& w) {
    w.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
    w.ByteString(Tag::kKeyValue, Bytes(24, 3));
    WriteKeyWrappingData(w, wrapping);
  });
  ASSERT_TRUE(block) << block.error().message;
  EXPECT_EQ(block->wrapping->encryption->id, "kek");
  EXPECT_EQ(block->wrapping->iv, Bytes(12, 1));
  EXPECT_EQ(block->wrapping->encoding, EncodingOption::kNoEncoding);
  EXPECT_FALSE(block->KeyBytes());
}

TEST(KeyBlock, AttributesMayFollowTheMaterial) {
  ttlv::Writer out;
  const auto block = Read(out, [](ttlv::Writer& w) {
    w.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
    w.Structure(Tag::kKeyValue, [&] {
      w.ByteString(Tag::kKeyMaterial, kKeyBytes);
      w.Structure(Tag::kAttribute, [] {});
      w.Structure(Tag::kAttribute, [] {});
    });
  });
  ASSERT_TRUE(block);
  EXPECT_EQ(block->attributes.size(), 2u);
}

TEST(KeyBlock, RefusesAValueWithoutMaterialAndLeftovers) {
  ttlv::Writer empty;
  EXPECT_EQ(Read(empty,
                 [](ttlv::Writer& w) {
                   w.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
                   w.Structure(Tag::kKeyValue, [] {});
                 })
                .error()
                .code,
            Code::kMalformed);
  ttlv::Writer text;
  EXPECT_EQ(Read(text,
                 [](ttlv::Writer& w) {
                   w.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
                   w.Text(Tag::kKeyValue, "key");
                 })
                .error()
                .code,
            Code::kMalformed);
  ttlv::Writer more;
  EXPECT_EQ(Read(more,
                 [](ttlv::Writer& w) {
                   w.Enum(Tag::kKeyFormatType, KeyFormatType::kRaw);
                   w.Integer(Tag::kBatchCount, 1);
                 })
                .error()
                .code,
            Code::kMalformed);
}

TEST(KeyBlock, AWrappingSpecificationReadsBack) {
  KeyWrapping wanted;
  wanted.encryption = WrappingKeyInformation{.id = "kek", .parameters = {}};
  wanted.encryption->parameters.emplace();
  wanted.encryption->parameters->block_cipher_mode = BlockCipherMode::kNISTKeyWrap;
  wanted.attribute_names = {"Cryptographic Usage Mask"};
  ttlv::Writer out;
  WriteKeyWrappingSpecification(out, wanted);
  ttlv::Reader in = ttlv::Reader::Members(out.bytes());
  const auto read = ReadKeyWrappingSpecification(in);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->attribute_names, wanted.attribute_names);
  EXPECT_EQ(read->encryption->parameters->block_cipher_mode, BlockCipherMode::kNISTKeyWrap);
}

class ManagedObjectTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 16)); }
};

TEST_F(ManagedObjectTest, MadeKeysHaveTheLengthAskedFor) {
  ManagedObject object;
  object.type = ObjectType::kSymmetricKey;
  object.material = *MakeSymmetricKey(Bytes(24, 1), CryptographicAlgorithm::kDES3, 168);
  EXPECT_EQ(object.Block()->length, 168);
  object.material = *MakeSymmetricKey(Bytes(32, 1), CryptographicAlgorithm::kAES);
  EXPECT_EQ(object.Block()->length, 256);
  object.material = *MakeSecretData(Bytes(5, 1), SecretDataType::kPassword);
  EXPECT_EQ(object.Block()->KeyBytes()->size(), 5u);
  object.material = SecretBytes();
  EXPECT_FALSE(object.Block()) << "destroyed";
}

TEST_F(ManagedObjectTest, ObjectTypesAndTagsNameEachOther) {
  for (std::uint32_t n = 1; n <= 10; ++n) {
    const auto type = static_cast<ObjectType>(n);
    const auto tag = ObjectTag(type);
    EXPECT_TRUE(!tag || TypeOfObjectTag(*tag) == type);
  }
  EXPECT_FALSE(TypeOfObjectTag(Tag::kKeyBlock));
  EXPECT_FALSE(ObjectTag(static_cast<ObjectType>(0x80000001)));
}

}  // namespace
}  // namespace dare::kmip
