#include "crypto/hkdf.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

Result<SecretBytes> Hkdf(HkdfHash hash, ByteView key, ByteView salt, ByteView info,
                         std::size_t size) {
  const SecretBytes prk = TRY(HkdfExtract(hash, salt, key));
  return HkdfExpand(hash, prk.Reveal(), info, size);
}

// RFC 5869, A.1 and A.3.
TEST(Hkdf, GivesTheAnswersOfTheRfc) {
  ASSERT_TRUE(StartSecureHeap(1 << 20));
  const Bytes key(22, 0x0b);
  const SecretBytes prk =
      HkdfExtract(HkdfHash::kSha256, Hex("000102030405060708090a0b0c"), key).value();
  EXPECT_EQ(ToHex(prk.Reveal()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const Bytes info = Hex("f0f1f2f3f4f5f6f7f8f9");
  EXPECT_EQ(ToHex(HkdfExpand(HkdfHash::kSha256, prk.Reveal(), info, 42)->Reveal()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(ToHex(Hkdf(HkdfHash::kSha256, key, {}, {}, 42)->Reveal()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, AgreesWithWycheproof) {
  ASSERT_TRUE(StartSecureHeap(1 << 20));
  for (const auto& [file, hash] :
       {std::pair("wycheproof/hkdf_sha256_test.json", HkdfHash::kSha256),
        std::pair("wycheproof/hkdf_sha512_test.json", HkdfHash::kSha512)}) {
    const auto tests = ReadWycheproof(file);
    if (tests.empty()) GTEST_SKIP() << "../shared/vectors/wycheproof is absent";
    for (WycheproofTest test : tests) {
      SCOPED_TRACE(std::string(file) + " " + test["tcId"]);
      const auto derived = Hkdf(hash, Hex(test["ikm"]), Hex(test["salt"]), Hex(test["info"]),
                                std::stoul(test["size"]));
      ASSERT_EQ(derived.has_value(), test["result"] == "valid");
      if (derived) {
        EXPECT_EQ(ToHex(derived->Reveal()), test["okm"]);
      }
    }
  }
}

TEST(Hkdf, RefusesLengthsItCannotGive) {
  ASSERT_TRUE(StartSecureHeap(1 << 20));
  EXPECT_EQ(HkdfExpand(HkdfHash::kSha256, Bytes(32), {}, 0).error().code, Code::kInvalidArgument);
  EXPECT_EQ(HkdfExpand(HkdfHash::kSha256, Bytes(32), {}, 255 * 32 + 1).error().code,
            Code::kInvalidArgument);
  EXPECT_TRUE(HkdfExpand(HkdfHash::kSha384, Bytes(48), {}, 255 * 48));
}

}  // namespace
}  // namespace dare::crypto
