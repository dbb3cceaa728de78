#include "crypto/authorities.h"

#include <gtest/gtest.h>

#include "crypto/list_for_test.h"
#include "crypto/revocation_list.h"

namespace dare::crypto {
namespace {

Result<std::size_t> SignerOf(const Authorities& authorities, const Bytes& der) {
  const auto list = ReadRevocationList(der);
  if (!list) return list.error();
  return authorities.SignerOf(*list);
}

Code RefusalOf(const Authorities& authorities, const Bytes& der) {
  const auto signer = SignerOf(authorities, der);
  return signer ? Code::kInternal : signer.error().code;
}

TEST(AuthoritiesTest, BelievesListsOfTheirKeysAndNamesAlone) {
  const AuthorityForTest first({.name = "first"}), second({.name = "second"});
  const AuthorityForTest forger({.name = "first"});
  Authorities authorities;
  ASSERT_EQ(*authorities.Add(first.certificate()), 0u);
  ASSERT_EQ(*authorities.Add(second.certificate()), 1u);
  EXPECT_EQ(*SignerOf(authorities, ListForTest{}.SignedBy(first)), 0u);
  EXPECT_EQ(*SignerOf(authorities, ListForTest{}.SignedBy(second)), 1u);
  EXPECT_EQ(RefusalOf(authorities, ListForTest{}.SignedBy(forger)), Code::kUnauthenticated);
  EXPECT_EQ(RefusalOf(authorities, ListForTest{}.SignedBy(first, second.key())),
            Code::kUnauthenticated);
  EXPECT_EQ(RefusalOf(authorities, ListForTest{}.SignedBy(AuthorityForTest({.name = "third"}))),
            Code::kNotFound);
}

TEST(AuthoritiesTest, RefusesEveryByteThatWasChanged) {
  const AuthorityForTest authority;
  Authorities authorities;
  ASSERT_TRUE(authorities.Add(authority.certificate()));
  Bytes der = ListForTest{}.SignedBy(authority);
  ASSERT_TRUE(SignerOf(authorities, der));
  for (std::size_t i = 0; i < der.size(); ++i) {
    der[i] ^= 1;
    EXPECT_FALSE(SignerOf(authorities, der)) << i;
    der[i] ^= 1;
  }
}

TEST(AuthoritiesTest, VerifiesSignaturesOfEveryGoodKind) {
  const AuthorityForTest rsa({.rsa = true, .name = "rsa"}), elliptic({.name = "elliptic"});
  Authorities authorities;
  ASSERT_TRUE(authorities.Add(rsa.certificate()));
  ASSERT_TRUE(authorities.Add(elliptic.certificate()));
  for (const EVP_MD* hash : {EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    EXPECT_EQ(*SignerOf(authorities, ListForTest{.hash = hash}.SignedBy(rsa)), 0u);
    EXPECT_EQ(*SignerOf(authorities, ListForTest{.hash = hash, .pss = true}.SignedBy(rsa)), 0u);
    EXPECT_EQ(*SignerOf(authorities, ListForTest{.hash = hash}.SignedBy(elliptic)), 1u);
  }
  for (const bool pss : {false, true}) {
    EXPECT_EQ(RefusalOf(authorities, ListForTest{.hash = EVP_sha1(), .pss = pss}.SignedBy(rsa)),
              Code::kUnsupported);
  }
  EXPECT_EQ(RefusalOf(authorities, ListForTest{.hash = EVP_sha1()}.SignedBy(elliptic)),
            Code::kUnsupported);
}

TEST(AuthoritiesTest, AsksForTheUsageWhereACertificateHasOne) {
  const AuthorityForTest silent({.name = "silent", .usage = ""});
  const AuthorityForTest certificates({.name = "certificates", .usage = "critical,keyCertSign"});
  Authorities authorities;
  ASSERT_TRUE(authorities.Add(silent.certificate()));
  ASSERT_TRUE(authorities.Add(certificates.certificate()));
  EXPECT_TRUE(SignerOf(authorities, ListForTest{}.SignedBy(silent)));
  const Bytes list = ListForTest{}.SignedBy(certificates);
  EXPECT_EQ(RefusalOf(authorities, list), Code::kDenied);
  // The same authority, by another certificate of its.
  EXPECT_EQ(*authorities.Add(certificates.CertifyAgain("critical,keyCertSign,cRLSign")), 1u);
  EXPECT_EQ(authorities.size(), 2u);
  EXPECT_EQ(*SignerOf(authorities, list), 1u);
}

TEST(AuthoritiesTest, KnowsWhoIssuedACertificateInAndAtTheEndOfAChain) {
  const AuthorityForTest root({.name = "root"}), forger({.name = "root"});
  const AuthorityForTest issuing({.name = "issuing"}, &root);
  Authorities authorities;
  ASSERT_EQ(*authorities.Add(root.certificate()), 0u);
  ASSERT_EQ(*authorities.Add(issuing.certificate()), 1u);
  const X509Ptr leaf = *DecodeCertificate(issuing.Issue("leaf"));
  const X509Ptr above = *DecodeCertificate(issuing.certificate());
  const X509Ptr top = *DecodeCertificate(root.certificate());
  const X509Ptr forged = *DecodeCertificate(forger.certificate());
  EXPECT_EQ(authorities.IssuerOf(leaf.get(), above.get()), 1u);
  EXPECT_EQ(authorities.IssuerOf(leaf.get(), nullptr), 1u);
  EXPECT_EQ(authorities.IssuerOf(above.get(), nullptr), 0u) << "trusted for itself, and root's";
  EXPECT_EQ(authorities.IssuerOf(top.get(), nullptr), 0u);
  EXPECT_EQ(authorities.IssuerOf(forged.get(), nullptr), std::nullopt) << "another key";
  EXPECT_EQ(authorities.IssuerOf(above.get(), forged.get()), std::nullopt);
}

TEST(AuthoritiesTest, GivesSerialsAsListsHaveThem) {
  const AuthorityForTest authority;
  Authorities authorities;
  ASSERT_TRUE(authorities.Add(authority.certificate()));
  const X509Ptr leaf = *DecodeCertificate(authority.Issue("leaf"));
  const BnPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf.get()), nullptr));
  char* hex = BN_bn2hex(number.get());
  const Bytes der = ListForTest{.serials = {hex}}.SignedBy(authority);
  OPENSSL_free(hex);
  const auto list = ReadRevocationList(der);
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->says.revoked.Contains(SerialContentOf(leaf.get())));
}

TEST(AuthoritiesTest, RefusesWhatIsNoCertificate) {
  Authorities authorities;
  EXPECT_FALSE(authorities.Add(Bytes{0x30, 0x00}));
}

}  // namespace
}  // namespace dare::crypto
