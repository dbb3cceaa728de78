#include "crypto/certificate.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "crypto/certificate_builder.h"
#include "crypto/certificate_chain.h"
#include "crypto/certificate_request.h"
#include "crypto/certificates_for_test.h"

namespace dare::crypto {
namespace {

namespace pki = certificates_for_test;

constexpr std::int64_t kNow = 1'790'000'000;  // in 2026

std::string PartOf(const DistinguishedName& name, NameAttribute wanted) {
  std::string found;
  for (const auto& [attribute, value] : name.attributes) {
    if (attribute == wanted) found += (found.empty() ? "" : "+") + value;
  }
  return found;
}

ChainVerdict Judge(const std::vector<std::string_view>& chain,
                   const std::vector<std::string_view>& anchors = {}, std::int64_t time = kNow) {
  std::vector<Bytes> der;
  std::vector<ByteView> views, anchor_views;
  for (const auto& list : {chain, anchors}) {
    for (const std::string_view text : list) der.push_back(pki::Der(text));
  }
  for (std::size_t i = 0; i < der.size(); ++i) {
    (i < chain.size() ? views : anchor_views).push_back(der[i]);
  }
  return *JudgeChain(views, anchor_views, time, false);
}

TEST(ReadCertificate, TellsNamesAsOpenSslPrintsThem) {
  const CertificateFacts facts = *ReadCertificate(pki::Der(pki::kEverything));
  EXPECT_EQ(facts.subject.text,
            "dnQualifier=q,title=Dr,serialNumber=77,UID=u1,emailAddress=x@example.com,"
            "CN=Everything,OU=Two,OU=One,O=Example,L=München,ST=Bayern,C=DE,DC=example,DC=com");
  EXPECT_EQ(facts.issuer.text, "CN=Inter,O=Kmip Test,C=AU");
  EXPECT_EQ(PartOf(facts.subject, NameAttribute::kOrganizationalUnit), "One+Two");
  EXPECT_EQ(PartOf(facts.subject, NameAttribute::kDomainComponent), "com+example");
  EXPECT_EQ(PartOf(facts.subject, NameAttribute::kLocality), "München");
  EXPECT_EQ(PartOf(facts.subject, NameAttribute::kUserId), "u1");
  EXPECT_EQ(PartOf(facts.subject, NameAttribute::kDnQualifier), "q");
  EXPECT_EQ(facts.subject.attributes.size(), 14u);
}

TEST(ReadCertificate, TellsKeySignatureAndUse) {
  const CertificateFacts everything = *ReadCertificate(pki::Der(pki::kEverything));
  EXPECT_EQ(everything.key_family, KeyFamily::kRsa);
  EXPECT_EQ(everything.key_bits, 2048);
  EXPECT_FALSE(everything.key_usage);
  EXPECT_EQ(everything.signature, SignatureFamily::kEcdsa);
  EXPECT_EQ(everything.signature_hash, HashAlgorithm::kSha256);
  const CertificateFacts leaf = *ReadCertificate(pki::Der(pki::kLeaf));
  EXPECT_EQ(leaf.key_family, KeyFamily::kEc);
  EXPECT_EQ(leaf.key_bits, 256);
  EXPECT_EQ(leaf.key_usage, kUsageDigitalSignature | kUsageKeyEncipherment);
  EXPECT_FALSE(leaf.authority);
  EXPECT_TRUE(ReadCertificate(pki::Der(pki::kRoot))->authority);
}

TEST(ReadCertificate, TellsAlternativeNames) {
  const CertificateFacts leaf = *ReadCertificate(pki::Der(pki::kLeaf));
  ASSERT_EQ(leaf.subject_alternatives.size(), 5u);
  EXPECT_EQ(leaf.subject_alternatives[0].text, "www.example.com");
  EXPECT_EQ(ToHex(leaf.subject_alternatives[0].der), "820f7777772e6578616d706c652e636f6d");
  EXPECT_EQ(leaf.subject_alternatives[1].text, "192.0.2.1");
  EXPECT_EQ(leaf.subject_alternatives[2].text, "a@example.com");
  EXPECT_EQ(leaf.subject_alternatives[3].text, "https://example.com/");
  EXPECT_EQ(leaf.subject_alternatives[4].text, "");
  ASSERT_EQ(leaf.issuer_alternatives.size(), 1u);
  EXPECT_EQ(leaf.issuer_alternatives[0].text, "ca.example.com");
}

TEST(ReadCertificate, RefusesWhatIsNotExactlyOneCertificate) {
  Bytes der = pki::Der(pki::kLeaf);
  EXPECT_EQ(ReadCertificate(ByteView(der).first(der.size() - 1)).error().code, Code::kMalformed);
  der.push_back(0);
  EXPECT_EQ(ReadCertificate(der).error().code, Code::kMalformed);
  EXPECT_EQ(ReadCertificate({}).error().code, Code::kMalformed);
}

TEST(ReadCertificateRequest, TellsWhatIsAskedFor) {
  const Bytes der = pki::Der(pki::kRequest);
  const CertificateRequest request =
      *ReadCertificateRequest(CertificateRequestFormat::kPkcs10, der);
  EXPECT_EQ(request.key_usage, kUsageDigitalSignature | kUsageCertificateSign);
  EXPECT_EQ(ToHex(request.subject_alternatives), "30148212636c69656e742e6578616d706c652e636f6d");
  EXPECT_EQ(PublicKeyKind(request.public_key)->first, KeyFamily::kEc);
  std::string pem = "-----BEGIN CERTIFICATE REQUEST-----\n" + ToBase64(der) +
                    "\n-----END CERTIFICATE REQUEST-----\n";
  const auto same = ReadCertificateRequest(CertificateRequestFormat::kPem, AsBytes(pem));
  ASSERT_TRUE(same);
  EXPECT_EQ(same->public_key, request.public_key);
  pem += pem;
  EXPECT_FALSE(ReadCertificateRequest(CertificateRequestFormat::kPem, AsBytes(pem)));
}

TEST(ReadCertificateRequest, RefusesARequestThatItsKeyDidNotSign) {
  Bytes der = pki::Der(pki::kRequest);
  const std::string name = "Client";
  auto at = std::search(der.begin(), der.end(), name.begin(), name.end());
  ASSERT_NE(at, der.end());
  *at = 'c';
  EXPECT_EQ(ReadCertificateRequest(CertificateRequestFormat::kPkcs10, der).error().code,
            Code::kDenied);
}

TEST(JudgeChain, FollowsAChainInAnyOrderToItsRoot) {
  EXPECT_EQ(Judge({pki::kLeaf, pki::kInter, pki::kRoot}), ChainVerdict::kValid);
  EXPECT_EQ(Judge({pki::kRoot, pki::kLeaf, pki::kInter}), ChainVerdict::kValid);
  EXPECT_EQ(Judge({pki::kRoot}), ChainVerdict::kValid);
  EXPECT_EQ(Judge({pki::kLeaf, pki::kInter}, {pki::kRoot}), ChainVerdict::kValid);
}

TEST(JudgeChain, DoesNotKnowAChainWithoutRoot) {
  EXPECT_EQ(Judge({pki::kLeaf, pki::kInter}), ChainVerdict::kUnknown);
  EXPECT_EQ(Judge({pki::kLeaf}), ChainVerdict::kUnknown);
  EXPECT_EQ(Judge({pki::kLeaf, pki::kInter}, {pki::kOtherRoot}), ChainVerdict::kUnknown);
}

TEST(JudgeChain, RefusesAChainWithAFault) {
  EXPECT_EQ(Judge({pki::kExpired, pki::kInter, pki::kRoot}), ChainVerdict::kInvalid);
  EXPECT_EQ(Judge({pki::kExpired, pki::kInter}), ChainVerdict::kInvalid);
  EXPECT_EQ(Judge({pki::kExpired, pki::kInter, pki::kRoot}, {}, 1'590'000'000),
            ChainVerdict::kValid);  // in 2020
  EXPECT_EQ(Judge({pki::kRogue, pki::kLeaf, pki::kInter, pki::kRoot}), ChainVerdict::kInvalid);
  EXPECT_EQ(Judge({pki::kLeaf, pki::kInter, pki::kRoot, pki::kOtherRoot}), ChainVerdict::kInvalid);
  EXPECT_EQ(Judge({pki::kLeaf, pki::kRoot}), ChainVerdict::kInvalid);
}

TEST(JudgeChain, RefusesAForgedSignature) {
  Bytes leaf = pki::Der(pki::kLeaf);
  leaf[leaf.size() - 1] ^= 1;
  const Bytes inter = pki::Der(pki::kInter);
  const Bytes root = pki::Der(pki::kRoot);
  const std::array<ByteView, 3> chain = {leaf, inter, root};
  EXPECT_EQ(*JudgeChain(chain, {}, kNow, true), ChainVerdict::kInvalid);
  const std::array<ByteView, 2> without_root = {leaf, inter};
  EXPECT_EQ(*JudgeChain(without_root, {}, kNow, true), ChainVerdict::kInvalid);
}

TEST(ParseName, WritesPlainTextAsPrintableStringAndOtherTextAsUtf8) {
  EXPECT_EQ(ToHex(*ParseName("CN=KMIP,C=US")),
            "301c310b3009060355040613025553310d300b060355040313044b4d4950");
  EXPECT_EQ(ToHex(*ParseName("CN=München")), "30133111300f06035504030c084dc3bc6e6368656e");
  for (const char* bad : {"", "KMIP", "CN=", "CN=a,", "XX=a", "CN=a\\,b"}) {
    EXPECT_EQ(ParseName(bad).error().code, Code::kInvalidArgument) << bad;
  }
}

TEST(BelongsTo, FindsDescentNameAndKey) {
  const Bytes root = pki::Der(pki::kRoot);
  const Bytes inter = pki::Der(pki::kInter);
  const std::array<ByteView, 1> roots = {root};
  const std::array<ByteView, 2> both = {root, inter};
  EXPECT_TRUE(*BelongsTo(root, roots));
  EXPECT_TRUE(*BelongsTo(inter, roots));
  EXPECT_TRUE(*BelongsTo(pki::Der(pki::kLeaf), both));
  EXPECT_FALSE(*BelongsTo(pki::Der(pki::kOtherRoot), both));
}

}  // namespace
}  // namespace dare::crypto
