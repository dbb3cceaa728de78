#include "client/certificate_request.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "client/enrolment.h"
#include "client/key_server_for_test.h"

namespace dare::client {
namespace {

class CertificateRequestTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(StartSecureHeap(1 << 18)); }
};

TEST_F(CertificateRequestTest, EachHasAKeyOfItsOwn) {
  const auto one = NewCertificateRequest("host");
  const auto two = NewCertificateRequest("host");
  ASSERT_TRUE(one && two);
  EXPECT_FALSE(one->private_pem == two->private_pem);
  EXPECT_NE(one->der, two->der);
  EXPECT_TRUE(AsText(one->private_pem.Reveal()).starts_with("-----BEGIN PRIVATE KEY-----"));
}

TEST_F(CertificateRequestTest, ARenewalIsForTheSameKey) {
  auto first = *NewCertificateRequest("host");
  const auto again = RequestForKey(*first.private_pem.Clone(), "host");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->private_pem == first.private_pem);
  EXPECT_EQ(RequestForKey(*SecretBytes::CopyOf(AsBytes("nonsense")), "host").error().code,
            Code::kInvalidArgument);
}

TEST_F(CertificateRequestTest, KnowsWhichKeyACertificateIsFor) {
  const std::string at = PkiFolderForTest() + "/";
  const Bytes certificate = *ReadFile(at + "client.crt");
  EXPECT_TRUE(CertificateFitsKey(AsText(certificate), *ReadSecretFile(at + "client.key")));
  EXPECT_FALSE(CertificateFitsKey(AsText(certificate), *ReadSecretFile(at + "other.key")));
  EXPECT_FALSE(CertificateFitsKey("nonsense", *ReadSecretFile(at + "client.key")));
  const auto facts = ReadCertificate(AsText(certificate));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->common_name, "client");
  EXPECT_EQ(FingerprintOf(AsText(certificate))->size(), 64u);
}

TEST_F(CertificateRequestTest, RefusesBytesThatHoldNoCertificates) {
  EXPECT_EQ(CertificatesOf({}).error().code, Code::kMalformed);
  EXPECT_EQ(CertificatesOf(AsBytes("0\x03\x02\x01\x01")).error().code, Code::kMalformed);
}

TEST_F(CertificateRequestTest, EnrolmentRefusesWhatCannotBeTrusted) {
  const auto token = SecretBytes::CopyOf(AsBytes("token"));
  EnrolmentOptions options;
  options.folder = PkiFolderForTest() + "/enrolled";
  options.url = "http://127.0.0.1:1";
  EXPECT_EQ(EnrolMachine(options, *token).error().code, Code::kInvalidArgument) << "no TLS";
  options.url = "https://127.0.0.1:1";
  EXPECT_EQ(EnrolMachine(options, *token).error().code, Code::kInvalidArgument) << "no CA";
  options.ca_fingerprint = "abcd";
  EXPECT_EQ(EnrolMachine(options, *token).error().code, Code::kInvalidArgument) << "too short";
  options.ca_fingerprint.clear();
  options.ca_file = PkiFolderForTest() + "/ca.crt";
  EXPECT_EQ(EnrolMachine(options, *token).error().code, Code::kUnavailable) << "nobody there";
  EXPECT_FALSE(FileExists(options.folder + "/client.key"));
}

}  // namespace
}  // namespace dare::client
