#include "hsm/sealed_record.h"

#include <gtest/gtest.h>

#include <numeric>

#include "crypto/block_cipher.h"
#include "hsm/sealer.h"

namespace dare::hsm {
namespace {

constexpr char kRecord[] =
    "01010011223344556677a0a1a2a3a4a5a6a7a8a9aaab"
    "a6593e6e018e44f82a2ccd984b378e9120fd0b43c6e2143bc4577cdd23f62b5e"
    "5800399904e9162b80bb829f2bed30ff";

// docs/formats/sealed-record.md, "Worked example"; computed there by another implementation of
// AES-GCM.
TEST(SealedRecord, IsAsTheWorkedExampleShows) {
  Bytes key(32), secret(32);
  std::iota(key.begin(), key.end(), 0);
  std::iota(secret.begin(), secret.end(), 0x40);
  const Bytes id = *FromHex("0011223344556677"), nonce = *FromHex("a0a1a2a3a4a5a6a7a8a9aaab");
  Bytes record = StartRecord(id, nonce, secret.size());
  const Bytes bound = BoundTo(ByteView(record).first(kRecordHeadBytes), AsBytes("example"));
  crypto::CipherRequest request;
  request.key = key;
  request.iv = nonce;
  request.aad = bound;
  const crypto::CipherOutput output = *crypto::Encrypt(request, secret);
  Append(record, output.data);
  Append(record, output.tag);
  EXPECT_EQ(ToHex(record), kRecord);
  EXPECT_EQ(record.size(), secret.size() + kRecordOverhead);
}

TEST(SealedRecord, IsTakenApartAsItWasPutTogether) {
  const Bytes record = *FromHex(kRecord);
  const auto parts = ParseRecord(record, *FromHex("0011223344556677"));
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(ToHex(parts->head), "01010011223344556677");
  EXPECT_EQ(ToHex(parts->nonce), "a0a1a2a3a4a5a6a7a8a9aaab");
  EXPECT_EQ(parts->ciphertext.size(), 48u);
}

TEST(SealedRecord, RefusesOtherVersionsMechanismsKeysAndLengths) {
  const Bytes record = *FromHex(kRecord), id = *FromHex("0011223344556677");
  for (const std::size_t at : {0, 1}) {
    Bytes other = record;
    other[at] = 2;
    EXPECT_EQ(ParseRecord(other, id).error().code, Code::kDamaged);
  }
  EXPECT_EQ(ParseRecord(record, Bytes(8)).error().code, Code::kNotFound);
  EXPECT_EQ(ParseRecord({}, id).error().code, Code::kDamaged);
  // An empty secret is never sealed.
  EXPECT_EQ(ParseRecord(ByteView(record).first(kRecordOverhead), id).error().code, Code::kDamaged);
  Bytes longest(kRecordOverhead + kMostSecretBytes);
  std::copy(record.begin(), record.begin() + 10, longest.begin());
  EXPECT_TRUE(ParseRecord(longest, id).has_value());
  longest.push_back(0);
  EXPECT_EQ(ParseRecord(longest, id).error().code, Code::kDamaged);
}

}  // namespace
}  // namespace dare::hsm
