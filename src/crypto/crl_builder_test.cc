#include "crypto/crl_builder.h"

#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <string>
#include <vector>

#include "crypto/authority_for_test.h"
#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

using CrlPtr = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;

constexpr std::int64_t kNow = AuthorityForTest::kNow;
constexpr std::int64_t kDay = AuthorityForTest::kDay;

CrlPtr Decode(const Bytes& der) {
  const std::uint8_t* at = der.data();
  CrlPtr crl(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  EXPECT_EQ(at, der.data() + der.size());
  return crl;
}

CrlPlan PlanWith(std::vector<CrlPlan::Entry> entries) {
  return {.number = std::uint64_t{0x1234567890abcdef},
          .this_update = kNow,
          .next_update = kNow + kDay,
          .entries = std::move(entries)};
}

bool Lists(X509_CRL* crl, const std::string& serial) {
  BIGNUM* read = nullptr;
  BN_hex2bn(&read, serial.c_str());
  const BnPtr number(read);
  const IntegerPtr wanted(BN_to_ASN1_INTEGER(number.get(), nullptr));
  X509_REVOKED* found = nullptr;
  return X509_CRL_get0_by_serial(crl, &found, wanted.get()) == 1;
}

TEST(CrlBuilder, MakesAListThatTheAuthoritysKeyVerifies) {
  for (const bool rsa : {false, true}) {
    SCOPED_TRACE(rsa ? "RSA" : "P-256");
    const AuthorityForTest authority({.rsa = rsa});
    const std::string high(32, 'f');
    const auto der = BuildCrl(PlanWith({{high, kNow - 5}, {"7b", kNow - 9}}),
                              authority.certificate(), authority.signer());
    ASSERT_TRUE(der) << der.error().message;
    const CrlPtr crl = Decode(*der);
    ASSERT_NE(crl, nullptr);
    EXPECT_EQ(X509_CRL_verify(crl.get(), authority.key()), 1);
    EXPECT_EQ(X509_CRL_get_version(crl.get()), 1);  // version 2
    EXPECT_EQ(ToUnixTime(X509_CRL_get0_lastUpdate(crl.get())), kNow);
    EXPECT_EQ(ToUnixTime(X509_CRL_get0_nextUpdate(crl.get())), kNow + kDay);
    EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl.get())), 2);
    EXPECT_TRUE(Lists(crl.get(), high));
    EXPECT_TRUE(Lists(crl.get(), "7b"));
    EXPECT_FALSE(Lists(crl.get(), "7c"));
    const X509_REVOKED* first = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl.get()), 0);
    EXPECT_EQ(ToUnixTime(X509_REVOKED_get0_revocationDate(first)), kNow - 9);
  }
}

TEST(CrlBuilder, NamesTheNumberAndTheKey) {
  const AuthorityForTest authority;
  const auto der = BuildCrl(PlanWith({}), authority.certificate(), authority.signer());
  ASSERT_TRUE(der) << der.error().message;
  const CrlPtr crl = Decode(*der);
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl.get())), -1);  // none, not an empty list
  const IntegerPtr number(static_cast<ASN1_INTEGER*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_crl_number, nullptr, nullptr)));
  std::uint64_t value = 0;
  ASSERT_NE(number, nullptr);
  EXPECT_EQ(ASN1_INTEGER_get_uint64(&value, number.get()), 1);
  EXPECT_EQ(value, std::uint64_t{0x1234567890abcdef});
  auto* key = static_cast<AUTHORITY_KEYID*>(
      X509_CRL_get_ext_d2i(crl.get(), NID_authority_key_identifier, nullptr, nullptr));
  const auto issuer = DecodeCertificate(authority.certificate());
  ASSERT_TRUE(issuer);
  EXPECT_EQ(X509_check_akid(issuer->get(), key), X509_V_OK);
  AUTHORITY_KEYID_free(key);
}

TEST(CrlBuilder, RefusesASignatureOfAnotherKey) {
  const AuthorityForTest authority, other;
  const auto der = BuildCrl(PlanWith({}), authority.certificate(), other.signer());
  ASSERT_FALSE(der);
  EXPECT_EQ(der.error().code, Code::kInternal);
}

TEST(CrlBuilder, PassesOnThatTheKeyIsAway) {
  const AuthorityForTest authority;
  const auto der = BuildCrl(PlanWith({}), authority.certificate(), [](ByteView) -> Result<Bytes> {
    return Error(Code::kUnavailable, "gone");
  });
  ASSERT_FALSE(der);
  EXPECT_EQ(der.error().code, Code::kUnavailable);
}

TEST(CrlBuilder, RefusesWhatIsNoSerialNumber) {
  const AuthorityForTest authority;
  for (const std::string serial : {"", "-1", "xyz", "12 ", "0x12"}) {
    const auto der =
        BuildCrl(PlanWith({{serial, kNow}}), authority.certificate(), authority.signer());
    ASSERT_FALSE(der) << serial;
    EXPECT_EQ(der.error().code, Code::kInvalidArgument) << serial;
  }
  const auto longest = BuildCrl(PlanWith({{std::string(40, '7'), kNow}}), authority.certificate(),
                                authority.signer());
  EXPECT_TRUE(longest);
  const auto longer = BuildCrl(PlanWith({{std::string(42, '7'), kNow}}), authority.certificate(),
                               authority.signer());
  EXPECT_FALSE(longer);
}

TEST(CrlBuilder, RefusesAnAuthorityThatMayNotSignListsOrHasExpired) {
  const AuthorityForTest certificates_only({.usage = "critical,keyCertSign"});
  const auto unlawful =
      BuildCrl(PlanWith({}), certificates_only.certificate(), certificates_only.signer());
  ASSERT_FALSE(unlawful);
  EXPECT_EQ(unlawful.error().code, Code::kDenied);

  const AuthorityForTest authority;
  CrlPlan late = PlanWith({});
  late.this_update = kNow + 365 * kDay;
  late.next_update = late.this_update + kDay;
  const auto expired = BuildCrl(late, authority.certificate(), authority.signer());
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code, Code::kDenied);
}

}  // namespace
}  // namespace dare::crypto
