#include <gtest/gtest.h>

#include "engine/engine_for_test.h"
#include "kmip/payloads/decrypt.h"
#include "kmip/payloads/encrypt.h"
#include "kmip/payloads/revoke.h"
#include "kmip/tags.h"

// Encrypt and Decrypt are tested together: what one makes, the other opens.
namespace dare::engine {
namespace {

using kmip::BlockCipherMode;
using kmip::ResultReason;
using kmip::Tag;

Bytes Hex(std::string_view hex) { return *FromHex(hex); }

kmip::CryptographicParameters Mode(BlockCipherMode mode) {
  kmip::CryptographicParameters parameters;
  parameters.block_cipher_mode = mode;
  return parameters;
}

struct Sealed {
  Bytes data, iv, tag;
};

class EncryptDecrypt : public testing::Test {
 protected:
  kmip::EncryptRequest Request(kmip::CryptographicParameters parameters, ByteView data) {
    kmip::EncryptRequest request;
    request.id = kmip::Identifier(id_);
    request.parameters = parameters;
    request.data = data;
    return request;
  }
  kmip::DecryptRequest Back(const kmip::CryptographicParameters& parameters, const Sealed& sealed) {
    kmip::DecryptRequest request;
    request.id = kmip::Identifier(id_);
    request.parameters = parameters;
    request.data = sealed.data;
    if (!sealed.iv.empty()) request.iv = sealed.iv;
    if (!sealed.tag.empty()) request.tag = sealed.tag;
    return request;
  }

  EngineForTest engine_;
  std::string id_ = engine_.AddAesKey(Bytes(32, 7));
};

TEST_F(EncryptDecrypt, GcmHonoursIvLengthAadAndTagLength) {
  const Bytes data(32, 0x55);
  kmip::CryptographicParameters parameters = Mode(BlockCipherMode::kGCM);
  parameters.random_iv = true;
  parameters.iv_length = 12;
  parameters.tag_length = 16;
  const Bytes aad = Hex("00010004");
  kmip::EncryptRequest request = Request(parameters, data);
  request.aad = aad;
  const auto made = engine_.Must<kmip::EncryptResponse>(request);
  EXPECT_EQ(made.data->size(), 32u);
  EXPECT_EQ(made.iv->size(), 12u);
  EXPECT_EQ(made.tag->size(), 16u);

  Sealed sealed{*made.data, *made.iv, *made.tag};
  kmip::DecryptRequest back = Back(parameters, sealed);
  back.aad = aad;
  const auto opened = engine_.Must<kmip::DecryptResponse>(back);
  EXPECT_TRUE(std::ranges::equal(*opened.data, data));

  const Bytes other_aad = Hex("00010005");
  back.aad = other_aad;
  EXPECT_EQ(engine_.Do(back).reason, ResultReason::kCryptographicFailure);
  back.aad = aad;
  sealed.tag[0] ^= 1;
  back.tag = sealed.tag;
  EXPECT_EQ(engine_.Do(back).reason, ResultReason::kCryptographicFailure);
}

TEST_F(EncryptDecrypt, BeforeVersion14TheTagEndsTheData) {
  const Bytes data(20, 0x55), iv(12, 3);
  kmip::EncryptRequest request = Request(Mode(BlockCipherMode::kGCM), data);
  request.iv = iv;
  const auto made = engine_.Must<kmip::EncryptResponse>(request, kmip::kVersion1_2);
  EXPECT_EQ(made.data->size(), 36u);
  EXPECT_FALSE(made.tag);
  const auto opened = engine_.Must<kmip::DecryptResponse>(
      Back(Mode(BlockCipherMode::kGCM), {*made.data, iv, {}}), kmip::kVersion1_2);
  EXPECT_TRUE(std::ranges::equal(*opened.data, data));
}

TEST_F(EncryptDecrypt, CbcAndCtrGoThereAndBack) {
  const Bytes data(33, 0x11), iv(16, 9);
  for (const BlockCipherMode mode : {BlockCipherMode::kCBC, BlockCipherMode::kCTR}) {
    kmip::CryptographicParameters parameters = Mode(mode);
    if (mode == BlockCipherMode::kCBC) parameters.padding_method = kmip::PaddingMethod::kPKCS5;
    kmip::EncryptRequest request = Request(parameters, data);
    request.iv = iv;
    const auto made = engine_.Must<kmip::EncryptResponse>(request);
    const auto opened = engine_.Must<kmip::DecryptResponse>(Back(parameters, {*made.data, iv, {}}));
    EXPECT_TRUE(std::ranges::equal(*opened.data, data));
  }
}

TEST_F(EncryptDecrypt, KeyWrapModesGiveTheAnswersOfTheStandards) {
  // RFC 3394, section 4.6
  id_ = engine_.AddAesKey(Hex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"));
  const Bytes key = Hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
  const auto made =
      engine_.Must<kmip::EncryptResponse>(Request(Mode(BlockCipherMode::kNISTKeyWrap), key));
  EXPECT_EQ(ToHex(*made.data),
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21");
  Sealed sealed{*made.data, {}, {}};
  const auto opened =
      engine_.Must<kmip::DecryptResponse>(Back(Mode(BlockCipherMode::kNISTKeyWrap), sealed));
  EXPECT_TRUE(std::ranges::equal(*opened.data, key));
  sealed.data[3] ^= 1;
  EXPECT_EQ(engine_.Do(Back(Mode(BlockCipherMode::kNISTKeyWrap), sealed)).reason,
            ResultReason::kCryptographicFailure);
}

TEST_F(EncryptDecrypt, RefuseAMissingIvUnlessItShallBeMade) {
  const Bytes data(16, 1);
  EXPECT_EQ(engine_.Do(Request(Mode(BlockCipherMode::kGCM), data)).reason,
            ResultReason::kInvalidMessage);
  EXPECT_EQ(engine_.Do(Back(Mode(BlockCipherMode::kCBC), {data, {}, {}})).reason,
            ResultReason::kInvalidMessage);
}

TEST_F(EncryptDecrypt, RefuseAKeyWithoutTheUsage) {
  const Bytes data(16, 1);
  id_ = engine_.AddAesKey(Bytes(32, 7),
                          {kmip::Attribute::OfInteger(Tag::kCryptographicUsageMask, 0x08)});
  kmip::CryptographicParameters parameters = Mode(BlockCipherMode::kGCM);
  parameters.random_iv = true;
  EXPECT_EQ(engine_.Do(Request(parameters, data)).reason,
            ResultReason::kIncompatibleCryptographicUsageMask);
  EXPECT_EQ(engine_.Do(Request(parameters, data), kmip::kVersion1_4).reason,
            ResultReason::kPermissionDenied);
}

TEST_F(EncryptDecrypt, MakesNoRandomIvThatIsTooShortToBeRandom) {
  const Bytes data(16, 1);
  kmip::CryptographicParameters parameters = Mode(BlockCipherMode::kGCM);
  parameters.random_iv = true;
  parameters.iv_length = 4;
  EXPECT_EQ(engine_.Do(Request(parameters, data)).reason,
            ResultReason::kBadCryptographicParameters);
}

TEST_F(EncryptDecrypt, LegacyModesNeedThePolicy) {
  const Bytes data(16, 1);
  EXPECT_EQ(engine_.Do(Request(Mode(BlockCipherMode::kECB), data)).reason,
            ResultReason::kPermissionDenied);
}

TEST_F(EncryptDecrypt, ADeactivatedKeyStillDecrypts) {
  const Bytes data(16, 1), iv(12, 1);
  kmip::EncryptRequest request = Request(Mode(BlockCipherMode::kGCM), data);
  request.iv = iv;
  id_ = engine_.AddAesKey(
      Bytes(32, 7), {kmip::Attribute::OfDate(Tag::kDeactivationDate, engine_.clock().Now() + 10)});
  request.id = kmip::Identifier(id_);
  const auto made = engine_.Must<kmip::EncryptResponse>(request);
  engine_.clock().Advance(10);
  EXPECT_EQ(engine_.Do(request).reason, ResultReason::kWrongKeyLifecycleState);
  EXPECT_TRUE(engine_.Do(Back(Mode(BlockCipherMode::kGCM), {*made.data, iv, *made.tag})).success);
}

TEST_F(EncryptDecrypt, ARevokedKeyDecryptsNothingMore) {
  const Bytes data(16, 1), iv(12, 1);
  kmip::EncryptRequest request = Request(Mode(BlockCipherMode::kGCM), data);
  request.iv = iv;
  for (const auto reason : {kmip::RevocationReasonCode::kCessationOfOperation,
                            kmip::RevocationReasonCode::kKeyCompromise}) {
    id_ = engine_.AddAesKey(Bytes(32, 7));
    request.id = kmip::Identifier(id_);
    const auto made = engine_.Must<kmip::EncryptResponse>(request);
    kmip::RevokeRequest revoke;
    revoke.id = kmip::Identifier(id_);
    revoke.reason = reason;
    engine_.Must<kmip::RevokeResponse>(revoke);
    EXPECT_EQ(engine_.Do(Back(Mode(BlockCipherMode::kGCM), {*made.data, iv, *made.tag})).reason,
              ResultReason::kWrongKeyLifecycleState);
  }
}

TEST_F(EncryptDecrypt, AStreamInPartsGivesWhatOnePartDoes) {
  // OASIS CS-BC-M-GCM-3
  id_ = engine_.AddAesKey(Hex("feffe9928665731c6d6a8f9467308308"));
  const Bytes iv = Hex("cafebabefacedbad"), aad = Hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes one = Hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72");
  const Bytes two = Hex("1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  kmip::EncryptRequest begin = Request(Mode(BlockCipherMode::kGCM), one);
  begin.iv = iv;
  begin.aad = aad;
  begin.init = true;
  const auto first = engine_.Must<kmip::EncryptResponse>(begin);
  EXPECT_EQ(ToHex(*first.data), "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c7423");
  ASSERT_TRUE(first.correlation);

  kmip::EncryptRequest end = Request({}, two);
  end.correlation = *first.correlation;
  end.final = true;
  EXPECT_EQ(engine_.Do(end, kmip::kVersion2_1, "mallory").reason, ResultReason::kPermissionDenied);
  const auto last = engine_.Must<kmip::EncryptResponse>(end);
  EXPECT_EQ(ToHex(*last.data), "73806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598");
  EXPECT_EQ(ToHex(*last.tag), "3612d2e79e3b0785561be14aaca2fccb");
  EXPECT_EQ(engine_.Do(end).reason, ResultReason::kInvalidCorrelationValue) << "it has ended";
}

TEST_F(EncryptDecrypt, AStreamGivesNoAuthenticatedPlaintextBeforeItsTag) {
  const Bytes data(40, 0x55), iv(12, 3);
  kmip::EncryptRequest request = Request(Mode(BlockCipherMode::kGCM), data);
  request.iv = iv;
  const auto made = engine_.Must<kmip::EncryptResponse>(request);
  for (const bool good : {true, false}) {
    Sealed sealed{*made.data, iv, {}};
    kmip::DecryptRequest begin = Back(Mode(BlockCipherMode::kGCM), sealed);
    begin.init = true;
    const auto first = engine_.Must<kmip::DecryptResponse>(begin);
    EXPECT_FALSE(first.data);
    kmip::DecryptRequest end;
    end.id = kmip::Identifier(id_);
    end.correlation = *first.correlation;
    end.final = true;
    Bytes tag = *made.tag;
    if (!good) tag[0] ^= 1;
    end.tag = tag;
    const ItemForTest last = engine_.Do(end);
    EXPECT_EQ(last.success, good);
    if (!good) {
      EXPECT_EQ(last.reason, ResultReason::kCryptographicFailure);
    }
  }
}

TEST_F(EncryptDecrypt, ARevokedKeyEndsAStreamAndAForgottenOneIsGone) {
  const Bytes data(16, 1), iv(12, 3);
  id_ = engine_.AddAesKey(
      Bytes(32, 7), {kmip::Attribute::OfDate(Tag::kDeactivationDate, engine_.clock().Now() + 100)});
  kmip::EncryptRequest begin = Request(Mode(BlockCipherMode::kGCM), data);
  begin.iv = iv;
  begin.init = true;
  for (const auto& [wait, reason] : {std::pair{61, ResultReason::kInvalidCorrelationValue},
                                     std::pair{40, ResultReason::kWrongKeyLifecycleState}}) {
    const auto first = engine_.Must<kmip::EncryptResponse>(begin);
    kmip::EncryptRequest next = Request({}, data);
    next.correlation = *first.correlation;
    engine_.clock().Advance(wait);
    EXPECT_EQ(engine_.Do(next).reason, reason);
  }
}

}  // namespace
}  // namespace dare::engine
