#include "server/ca.h"

#include <gmock/gmock.h>

#include "crypto/x509.h"
#include "crypto/x509_handles.h"
#include "server/pki_for_test.h"

namespace dare::server {
namespace {

using testing::HasSubstr;

class CaTest : public testing::Test {
 protected:
  static crypto::X509Ptr Decode(const Certificate& certificate) {
    const std::uint8_t* at = certificate.der.data();
    return crypto::X509Ptr(d2i_X509(nullptr, &at, static_cast<long>(certificate.der.size())));
  }
  static Bytes PrivatePem(EVP_PKEY* key) {
    const crypto::BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return Bytes(text, text + length);
  }
  static Result<SigningRequest> RequestFor(EVP_PKEY* key) {
    return SigningRequest::Parse(MakeRequestForTest(PrivatePem(key), "root"));
  }

  ManualClockForTest clock_;
  PkiForTest pki_{clock_};
};

TEST_F(CaTest, IssuesCertificatesThatItsRootVerifies) {
  const Certificate client = pki_.Client("alice", {"dare-client", "blue"}).certificate;
  const crypto::X509Ptr x509 = Decode(client);
  const crypto::X509Ptr root = Decode(pki_.authority().root());
  EXPECT_EQ(X509_verify(x509.get(), X509_get0_pubkey(root.get())), 1);
  EXPECT_EQ(X509_verify(root.get(), X509_get0_pubkey(root.get())), 1);
  EXPECT_EQ(X509_check_issued(root.get(), x509.get()), X509_V_OK);
  EXPECT_EQ(client.subject.common_name, "alice");
  EXPECT_THAT(client.subject.units, testing::ElementsAre("dare-client", "blue"));
  EXPECT_EQ(client.not_after, clock_.Now() + 7 * 86400);
  EXPECT_LT(client.not_before, clock_.Now());
  EXPECT_EQ(client.serial.size(), 32u);
}

TEST_F(CaTest, TakesNoNameFromASubjectThatHasSeveralOrHidesOne) {
  const auto name_of = [](const std::vector<std::string>& common_names) {
    const crypto::NamePtr name(X509_NAME_new());
    for (const std::string& text : common_names) {
      EXPECT_EQ(X509_NAME_add_entry_by_NID(name.get(), NID_commonName, V_ASN1_UTF8STRING,
                                           reinterpret_cast<const unsigned char*>(text.data()),
                                           static_cast<int>(text.size()), -1, 0),
                1);
    }
    return crypto::ProvenName(name.get());
  };
  EXPECT_EQ(name_of({"alice"}), "alice");
  EXPECT_EQ(name_of({}), "");
  EXPECT_EQ(name_of({"mallory", "alice"}), "");
  EXPECT_EQ(name_of({std::string("alice\0.example", 14)}), "");
  EXPECT_EQ(name_of({"alice\n"}), "");
}

TEST_F(CaTest, LimitsWhatACertificateIsGoodFor) {
  const crypto::X509Ptr client = Decode(pki_.Client("alice").certificate);
  EXPECT_EQ(X509_check_purpose(client.get(), X509_PURPOSE_SSL_CLIENT, 0), 1);
  EXPECT_EQ(X509_check_purpose(client.get(), X509_PURPOSE_SSL_SERVER, 0), 0);
  EXPECT_EQ(X509_check_ca(client.get()), 0);
  const crypto::X509Ptr server = Decode(pki_.Server().certificate);
  EXPECT_EQ(X509_check_purpose(server.get(), X509_PURPOSE_SSL_SERVER, 0), 1);
  EXPECT_EQ(X509_check_purpose(server.get(), X509_PURPOSE_SSL_CLIENT, 0), 0);
  EXPECT_EQ(X509_check_host(server.get(), "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_host(server.get(), "example.org", 0, 0, nullptr), 0);
}

TEST_F(CaTest, NamesARevocationListWhereOneIsConfigured) {
  auto authority = CertificateAuthority::Open(pki_.authority().root(), pki_.signer(), clock_);
  ASSERT_TRUE(authority);
  const auto request =
      SigningRequest::Parse(MakeRequestForTest(MakeP256Key()->private_pem.Reveal(), "alice"));
  ASSERT_TRUE(request);
  const auto url = [&]() -> std::string {
    const auto issued = authority->IssueClient({"alice", {}}, *request, 7);
    const crypto::X509Ptr x509 = Decode(*issued);
    CRL_DIST_POINTS* points = static_cast<CRL_DIST_POINTS*>(
        X509_get_ext_d2i(x509.get(), NID_crl_distribution_points, nullptr, nullptr));
    if (points == nullptr) return "";
    EXPECT_EQ(sk_DIST_POINT_num(points), 1);
    const GENERAL_NAMES* names = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
    EXPECT_EQ(sk_GENERAL_NAME_num(names), 1);
    const ASN1_IA5STRING* text = sk_GENERAL_NAME_value(names, 0)->d.uniformResourceIdentifier;
    std::string found(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
    CRL_DIST_POINTS_free(points);
    return found;
  };
  EXPECT_EQ(url(), "");
  authority->SetListUrl("http://kms.example.org:8080/crl?a=b:c");
  EXPECT_EQ(url(), "http://kms.example.org:8080/crl?a=b:c");
}

TEST_F(CaTest, NeverOutlivesItsRoot) {
  clock_.Advance(std::int64_t{3645} * 86400);
  EXPECT_EQ(pki_.Client("alice", {}, 30).certificate.not_after, pki_.authority().root().not_after);
  clock_.Advance(std::int64_t{10} * 86400);
  const auto key = MakeP256Key();
  const auto server = pki_.authority().IssueServer({"localhost"}, key->public_der, 30);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().message, HasSubstr("expired"));
}

TEST_F(CaTest, RefusesASignatureOfAnotherKey) {
  const PkiForTest other(clock_);
  auto mixed = CertificateAuthority::Open(pki_.authority().root(), other.signer(), clock_);
  ASSERT_TRUE(mixed);
  const auto key = MakeP256Key();
  const auto server = mixed->IssueServer({"localhost"}, key->public_der, 30);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Code::kInternal);
}

TEST_F(CaTest, RefusesNamesThatDoNotFitIntoACertificate) {
  EXPECT_TRUE(CheckSubject({"alice", {"x"}}));
  EXPECT_FALSE(CheckSubject({"", {}}));
  EXPECT_FALSE(CheckSubject({std::string(65, 'a'), {}}));
  EXPECT_FALSE(CheckSubject({"a\nb", {}}));
  EXPECT_FALSE(CheckSubject({std::string("a\0b", 3), {}}));
  EXPECT_FALSE(CheckSubject({"\xff", {}}));
  EXPECT_FALSE(CheckSubject({"alice", {""}}));
}

TEST_F(CaTest, RefusesServerNamesThatWouldAddEntries) {
  const auto key = MakeP256Key();
  for (const char* name : {"a,DNS:evil.example", "", "a b", "*.example.org"}) {
    EXPECT_FALSE(pki_.authority().IssueServer({name}, key->public_der, 30)) << name;
  }
  EXPECT_TRUE(pki_.authority().IssueServer({"::1", "kms.example.org"}, key->public_der, 30));
}

TEST_F(CaTest, ReadsTheNamesOfAServerBack) {
  const auto names = AlternativeNamesOf(pki_.Server().certificate);
  ASSERT_TRUE(names);
  EXPECT_THAT(*names, testing::ElementsAre("localhost", "127.0.0.1"));
  EXPECT_THAT(*AlternativeNamesOf(pki_.Client("alice").certificate), testing::IsEmpty());
}

TEST_F(CaTest, CertifiesGoodKeysOnly) {
  EXPECT_TRUE(RequestFor(crypto::PkeyPtr(EVP_EC_gen("P-256")).get()));
  EXPECT_TRUE(RequestFor(crypto::PkeyPtr(EVP_EC_gen("P-384")).get()));
  EXPECT_TRUE(RequestFor(crypto::PkeyPtr(EVP_RSA_gen(2048)).get()));
  EXPECT_FALSE(RequestFor(crypto::PkeyPtr(EVP_RSA_gen(1024)).get()));
  EXPECT_FALSE(RequestFor(crypto::PkeyPtr(EVP_EC_gen("P-521")).get()));
  EXPECT_FALSE(RequestFor(crypto::PkeyPtr(EVP_EC_gen("secp256k1")).get()));
}

TEST_F(CaTest, RefusesARequestThatIsDamagedOrNotSignedWithItsKey) {
  const auto key = MakeP256Key();
  const Bytes request = MakeRequestForTest(key->private_pem.Reveal(), "alice");
  ASSERT_TRUE(SigningRequest::Parse(request));
  for (std::size_t i = 0; i < request.size(); ++i) {
    Bytes damaged = request;
    damaged[i] ^= 1;
    EXPECT_FALSE(SigningRequest::Parse(damaged)) << i;
    EXPECT_FALSE(SigningRequest::Parse(ByteView(request).first(i))) << i;
  }
  Bytes longer = request;
  longer.push_back(0);
  EXPECT_FALSE(SigningRequest::Parse(longer));
}

TEST_F(CaTest, WritesAndReadsPem) {
  const auto read = ParseCertificatePem(AsBytes(ToPem(pki_.authority().root())));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->der, pki_.authority().root().der);
  EXPECT_FALSE(ParseCertificatePem(AsBytes("-----BEGIN CERTIFICATE-----\nAAAA\n")));
}

TEST_F(CaTest, WillNotOpenWithACertificateThatIsNoAuthority) {
  Certificate client = pki_.Client("alice").certificate;
  EXPECT_FALSE(CertificateAuthority::Open(std::move(client), pki_.signer(), clock_));
}

}  // namespace
}  // namespace dare::server
