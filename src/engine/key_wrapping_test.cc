// Every Wrapping Method there and back: Get wraps, Register brings it back, Get unwraps.
#include "engine/key_wrapping.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "engine/operations/objects_for_test.h"
#include "kmip/payloads/create_key_pair.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/register.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::EncodingOption;
using kmip::Identifier;
using kmip::ResultReason;
using kmip::Tag;
using kmip::WrappingMethod;

const Bytes kKek = *FromHex("000102030405060708090a0b0c0d0e0f");
const Bytes kMacKey = *FromHex("101112131415161718191a1b1c1d1e1f101112131415161718191a1b1c1d1e1f");
const Bytes kKey = *FromHex("00112233445566778899aabbccddeeff");

constexpr std::int32_t kWrapUse = 0x10 | 0x20;  // Wrap Key, Unwrap Key
constexpr std::int32_t kMacUse = 0x80 | 0x100;  // MAC Generate, MAC Verify

class KeyWrapping : public testing::Test {
 protected:
  kmip::KeyWrapping Specification(WrappingMethod method,
                                  std::optional<EncodingOption> encoding = {}) const {
    kmip::KeyWrapping wrapping;
    wrapping.method = method;
    wrapping.encoding = encoding;
    if (method != WrappingMethod::kMACSign) {
      wrapping.encryption.emplace().id = kek_;
      wrapping.encryption->parameters.emplace().block_cipher_mode =
          kmip::BlockCipherMode::kAESKeyWrapPadding;
    }
    if (method != WrappingMethod::kEncrypt) {
      wrapping.mac.emplace().id = mac_key_;
      wrapping.mac->parameters.emplace().hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
    }
    return wrapping;
  }
  kmip::GetRequest GetOf(const std::string& id) const {
    kmip::GetRequest request;
    request.id = Identifier(id);
    return request;
  }
  kmip::GetRequest WrappedGet(const std::string& id, const kmip::KeyWrapping& wrapping) const {
    kmip::GetRequest request = GetOf(id);
    request.wrapping = wrapping;
    return request;
  }
  kmip::GetResponse Get(const kmip::GetRequest& request) {
    return engine_.Must<kmip::GetResponse>(request);
  }
  ItemForTest RegisterAgain(ByteView object, kmip::ObjectType type) {
    kmip::RegisterRequest request;
    request.object_type = type;
    request.object = *ttlv::ParseItem(object);
    request.attributes =
        AttributesForTest({Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x0C)});
    return engine_.Do(request);
  }
  std::string IdIn(const ItemForTest& item) {
    ttlv::Reader in = item.in();
    return kmip::RegisterResponse::Decode(in, kmip::kVersion2_1)->id;
  }
  // The object without wrapping, of one that was registered wrapped.
  ItemForTest Unwrap(const std::string& id) {
    kmip::GetRequest request = GetOf(id);
    request.wrap_type = kmip::KeyWrapType::kNotWrapped;
    return engine_.Do(request);
  }
  Bytes ObjectIn(const ItemForTest& item) {
    ttlv::Reader in = item.in();
    return ToBytes(kmip::GetResponse::Decode(in, kmip::kVersion2_1)->object.whole);
  }

  EngineForTest engine_;
  const std::string kek_ =
      engine_.AddAesKey(kKek, {Attribute::OfInteger(Tag::kCryptographicUsageMask, kWrapUse)});
  const std::string mac_key_ =
      engine_.AddAesKey(kMacKey, {Attribute::OfInteger(Tag::kCryptographicUsageMask, kMacUse)});
  const std::string key_ = engine_.AddAesKey(kKey);
};

TEST_F(KeyWrapping, EveryMethodAndEncodingComesBackAsItWas) {
  const Bytes clear = ToBytes(Get(GetOf(key_)).object.whole);
  for (const auto method :
       {WrappingMethod::kEncrypt, WrappingMethod::kMACSign, WrappingMethod::kEncryptThenMACSign,
        WrappingMethod::kMACSignThenEncrypt}) {
    for (const auto encoding : {EncodingOption::kNoEncoding, EncodingOption::kTTLVEncoding}) {
      SCOPED_TRACE(testing::Message()
                   << static_cast<int>(method) << " encoding " << static_cast<int>(encoding));
      const kmip::GetResponse wrapped = Get(WrappedGet(key_, Specification(method, encoding)));
      const bool shows_key =
          std::ranges::search(wrapped.object.whole, kKey).begin() != wrapped.object.whole.end();
      EXPECT_EQ(shows_key, method == WrappingMethod::kMACSign);
      const ItemForTest back = RegisterAgain(wrapped.object.whole, wrapped.type);
      ASSERT_TRUE(back.success) << back.message;
      const ItemForTest unwrapped = Unwrap(IdIn(back));
      ASSERT_TRUE(unwrapped.success) << unwrapped.message;
      EXPECT_EQ(ObjectIn(unwrapped), clear);
    }
  }
}

TEST_F(KeyWrapping, ADamagedWrappingDoesNotOpen) {
  for (const auto method :
       {WrappingMethod::kEncrypt, WrappingMethod::kMACSign, WrappingMethod::kEncryptThenMACSign,
        WrappingMethod::kMACSignThenEncrypt}) {
    const kmip::GetResponse wrapped =
        Get(WrappedGet(key_, Specification(method, EncodingOption::kNoEncoding)));
    ttlv::Reader members = *wrapped.object.Members();
    const kmip::KeyBlock block = *kmip::ReadKeyBlock(members);
    Bytes damaged = ToBytes(wrapped.object.whole);
    const ByteView value = *block.key_value->AsByteString();
    damaged[static_cast<std::size_t>(value.data() - wrapped.object.whole.data())] ^= 1;
    const ItemForTest back = RegisterAgain(damaged, wrapped.type);
    ASSERT_TRUE(back.success) << "as registered it is kept: " << back.message;
    EXPECT_EQ(Unwrap(IdIn(back)).reason, ResultReason::kCryptographicFailure);
  }
}

TEST_F(KeyWrapping, AMacAloneIsNoWayOutForASensitiveKey) {
  const std::string sensitive =
      engine_.AddAesKey(kKey, {Attribute::OfBoolean(Tag::kSensitive, true)});
  EXPECT_EQ(engine_.Do(WrappedGet(sensitive, Specification(WrappingMethod::kMACSign))).reason,
            ResultReason::kSensitive);
  EXPECT_TRUE(engine_.Do(WrappedGet(sensitive, Specification(WrappingMethod::kMACSignThenEncrypt)))
                  .success);
}

TEST_F(KeyWrapping, TheMethodAndItsKeysGoTogether) {
  kmip::KeyWrapping none = Specification(WrappingMethod::kEncrypt);
  none.encryption.reset();
  EXPECT_EQ(engine_.Do(WrappedGet(key_, none)).reason, ResultReason::kInvalidField);
  kmip::KeyWrapping both = Specification(WrappingMethod::kEncryptThenMACSign);
  both.method = WrappingMethod::kEncrypt;
  EXPECT_EQ(engine_.Do(WrappedGet(key_, both)).reason, ResultReason::kInvalidField);
  kmip::KeyWrapping tr31 = Specification(WrappingMethod::kEncrypt);
  tr31.method = WrappingMethod::kTR_31;
  EXPECT_EQ(engine_.Do(WrappedGet(key_, tr31)).reason, ResultReason::kFeatureNotSupported);
}

TEST_F(KeyWrapping, AttributesGoInsideOfTtlvEncodingOnly) {
  const std::string named =
      engine_.AddAesKey(kKey, {Attribute::OfName("inside"), CustomForTest("ID", "seven")});
  kmip::KeyWrapping wrapping =
      Specification(WrappingMethod::kMACSign, EncodingOption::kTTLVEncoding);
  wrapping.attribute_names = {"Name", "x-ID"};
  const kmip::GetResponse shown = Get(WrappedGet(named, wrapping));
  for (const std::string_view text : {"inside", "seven"}) {
    EXPECT_NE(AsText(shown.object.whole).find(text), std::string_view::npos) << text;
  }
  wrapping.encoding = EncodingOption::kNoEncoding;
  EXPECT_EQ(engine_.Do(WrappedGet(named, wrapping)).reason, ResultReason::kEncodingOptionError);
  wrapping.encoding = EncodingOption::kTTLVEncoding;
  wrapping.attribute_names = {"No Such Attribute"};
  EXPECT_EQ(engine_.Do(WrappedGet(named, wrapping)).reason, ResultReason::kItemNotFound);
}

TEST_F(KeyWrapping, ParametersMustBeAmongThoseOfTheKeyIfItHasAny) {
  ttlv::Writer out;
  kmip::CryptographicParameters only_wrap;
  only_wrap.block_cipher_mode = kmip::BlockCipherMode::kNISTKeyWrap;
  kmip::WriteCryptographicParameters(out, only_wrap);
  const std::string strict =
      engine_.AddAesKey(kKek, {Attribute::OfInteger(Tag::kCryptographicUsageMask, kWrapUse),
                               Attribute::OfItem(*ttlv::ParseItem(out.bytes()))});
  kmip::KeyWrapping wrapping = Specification(WrappingMethod::kEncrypt);
  wrapping.encryption->id = strict;
  EXPECT_EQ(engine_.Do(WrappedGet(key_, wrapping)).reason,
            ResultReason::kBadCryptographicParameters);
  EXPECT_EQ(engine_.Do(WrappedGet(key_, wrapping), kmip::kVersion1_4).reason,
            ResultReason::kItemNotFound);
  wrapping.encryption->parameters.reset();
  EXPECT_TRUE(engine_.Do(WrappedGet(key_, wrapping)).success) << "the key's own, then";
}

TEST_F(KeyWrapping, AKeyThatIsStoredWrappedIsWrappedAnewAndMayWrapOthers) {
  const std::string other_kek =
      engine_.AddAesKey(kMacKey, {Attribute::OfInteger(Tag::kCryptographicUsageMask, kWrapUse)});
  const kmip::GetResponse wrapped =
      Get(WrappedGet(key_, Specification(WrappingMethod::kEncrypt, EncodingOption::kNoEncoding)));
  const std::string stored = IdIn(RegisterAgain(wrapped.object.whole, wrapped.type));
  kmip::KeyWrapping by_other = Specification(WrappingMethod::kEncrypt, EncodingOption::kNoEncoding);
  by_other.encryption->id = other_kek;
  const kmip::GetResponse expected = Get(WrappedGet(key_, by_other));
  EXPECT_EQ(ToBytes(Get(WrappedGet(stored, by_other)).object.whole),
            ToBytes(expected.object.whole));

  // A wrapping key under another wrapping key: opened layer by layer.
  kmip::RegisterRequest request;
  request.object_type = wrapped.type;
  request.object = wrapped.object;
  request.attributes =
      AttributesForTest({Attribute::OfInteger(Tag::kCryptographicUsageMask, kWrapUse),
                         Attribute::OfDate(Tag::kActivationDate, engine_.clock().Now())});
  const std::string layered = engine_.Must<kmip::RegisterResponse>(request).id;
  const std::string plain =
      engine_.AddAesKey(kKey, {Attribute::OfInteger(Tag::kCryptographicUsageMask, kWrapUse)});
  kmip::KeyWrapping by_layered = by_other, by_plain = by_other;
  by_layered.encryption->id = layered;
  by_plain.encryption->id = plain;
  const auto value = [&](const kmip::KeyWrapping& wrapping) {
    const kmip::GetResponse response = Get(WrappedGet(mac_key_, wrapping));
    ttlv::Reader members = *response.object.Members();
    const kmip::KeyBlock block = *kmip::ReadKeyBlock(members);
    return ToBytes(*block.key_value->AsByteString());
  };
  EXPECT_EQ(value(by_layered), value(by_plain));
}

TEST_F(KeyWrapping, AWrappingKeyThatIsGoneIsNamedAsSuch) {
  kmip::KeyWrapping wrapping = Specification(WrappingMethod::kEncrypt);
  wrapping.encryption->id = "nobody";
  EXPECT_EQ(engine_.Do(WrappedGet(key_, wrapping)).reason, ResultReason::kWrappingObjectNotFound);
  EXPECT_EQ(engine_.Do(WrappedGet(key_, wrapping), kmip::kVersion1_4).reason,
            ResultReason::kItemNotFound);
}

TEST_F(KeyWrapping, AKeyPairEncryptsAndSigns) {
  kmip::CreateKeyPairRequest pair_request;
  pair_request.attributes.common = AttributesForTest(
      {EnumForTest(Tag::kCryptographicAlgorithm, kmip::CryptographicAlgorithm::kRSA),
       Attribute::OfInteger(Tag::kCryptographicLength, 2048),
       Attribute::OfDate(Tag::kActivationDate, engine_.clock().Now())});
  pair_request.attributes.private_key = AttributesForTest(
      {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x01 | 0x20)});  // Sign, Unwrap Key
  pair_request.attributes.public_key = AttributesForTest(
      {Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x02 | 0x10)});  // Verify, Wrap Key
  const auto pair = engine_.Must<kmip::CreateKeyPairResponse>(pair_request);
  const Bytes clear = ToBytes(Get(GetOf(key_)).object.whole);
  kmip::KeyWrapping wrapping =
      Specification(WrappingMethod::kEncryptThenMACSign, EncodingOption::kNoEncoding);
  wrapping.encryption->id = pair.public_id;
  auto& encryption = wrapping.encryption->parameters.emplace();
  encryption.padding_method = kmip::PaddingMethod::kOAEP;
  encryption.hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
  wrapping.mac->id = pair.private_id;
  auto& signing = wrapping.mac->parameters.emplace();
  signing.padding_method = kmip::PaddingMethod::kPSS;
  signing.hashing_algorithm = kmip::HashingAlgorithm::kSHA_256;
  const kmip::GetResponse wrapped = Get(WrappedGet(key_, wrapping));
  const ItemForTest back = RegisterAgain(wrapped.object.whole, wrapped.type);
  ASSERT_TRUE(back.success) << back.message;
  const ItemForTest unwrapped = Unwrap(IdIn(back));
  ASSERT_TRUE(unwrapped.success) << unwrapped.message;
  EXPECT_EQ(ObjectIn(unwrapped), clear);

  wrapping.mac->id = pair.public_id;  // the text allows either half to be named
  const kmip::GetResponse by_public = Get(WrappedGet(key_, wrapping));
  const ItemForTest again = RegisterAgain(by_public.object.whole, by_public.type);
  EXPECT_TRUE(Unwrap(IdIn(again)).success);
  Bytes damaged = ToBytes(by_public.object.whole);
  ttlv::Reader members = *by_public.object.Members();
  const kmip::KeyBlock block = *kmip::ReadKeyBlock(members);
  const ByteView value = *block.key_value->AsByteString();
  damaged[static_cast<std::size_t>(value.data() - by_public.object.whole.data())] ^= 1;
  EXPECT_EQ(Unwrap(IdIn(RegisterAgain(damaged, by_public.type))).reason,
            ResultReason::kCryptographicFailure);
}

}  // namespace
}  // namespace dare::engine
