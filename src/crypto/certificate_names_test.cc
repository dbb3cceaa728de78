#include "crypto/certificate_names.h"

#include <gmock/gmock.h>

#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

using testing::ElementsAre;

struct Entry {
  int nid;
  std::string text;
  int type = V_ASN1_UTF8STRING;
};

void AddEntry(X509_NAME* name, const Entry& entry) {
  // The text as it is: X509_NAME_add_entry would check it.
  ASN1_STRING* string = ASN1_STRING_type_new(entry.type);
  ASN1_STRING_set(string, entry.text.data(), static_cast<int>(entry.text.size()));
  X509_NAME_ENTRY* made = X509_NAME_ENTRY_create_by_NID(
      nullptr, entry.nid, V_ASN1_UTF8STRING, reinterpret_cast<const unsigned char*>("x"), 1);
  ASN1_STRING* data = X509_NAME_ENTRY_get_data(made);
  ASN1_STRING_copy(data, string);
  X509_NAME_add_entry(name, made, -1, 0);
  X509_NAME_ENTRY_free(made);
  ASN1_STRING_free(string);
}

X509Ptr CertificateOf(const std::vector<Entry>& subject,
                      const std::vector<std::pair<int, std::string>>& alternatives = {}) {
  X509Ptr certificate(X509_new());
  for (const Entry& entry : subject) AddEntry(X509_get_subject_name(certificate.get()), entry);
  const GeneralNamesPtr names(GENERAL_NAMES_new());
  for (const auto& [type, text] : alternatives) {
    ASN1_IA5STRING* string = ASN1_IA5STRING_new();
    ASN1_STRING_set(string, text.data(), static_cast<int>(text.size()));
    GENERAL_NAME* name = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(name, type, string);
    sk_GENERAL_NAME_push(names.get(), name);
  }
  if (!alternatives.empty()) {
    X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, names.get(), 0, X509V3_ADD_APPEND);
  }
  return certificate;
}

bool Refuses(const X509Ptr& certificate) {
  const auto names = ReadNames(certificate.get());
  return !names && names.error().code == Code::kMalformed;
}

TEST(CertificateNamesTest, ReadsWhatCertificatesAreKnownBy) {
  const X509Ptr certificate = CertificateOf(
      {{NID_organizationName, "Example", V_ASN1_PRINTABLESTRING},
       {NID_organizationalUnitName, "blue"},
       {NID_commonName, "wéb1"}},
      {{GEN_DNS, "web1.example.org"}, {GEN_URI, "spiffe://example.org/web"}, {GEN_EMAIL, "a@b.c"}});
  const auto names = ReadNames(certificate.get());
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_EQ(names->subject, "CN=wéb1,OU=blue,O=Example");
  EXPECT_THAT(names->common_names, ElementsAre("wéb1"));
  EXPECT_THAT(names->units, ElementsAre("blue"));
  EXPECT_THAT(names->hosts, ElementsAre("web1.example.org"));
  EXPECT_THAT(names->uris, ElementsAre("spiffe://example.org/web"));
  EXPECT_THAT(names->emails, ElementsAre("a@b.c"));
}

TEST(CertificateNamesTest, ReadsACertificateWithoutNames) {
  const auto names = ReadNames(CertificateOf({}).get());
  ASSERT_TRUE(names) << names.error().message;
  EXPECT_EQ(names->subject, "");
  EXPECT_THAT(names->common_names, ElementsAre());
  EXPECT_THAT(names->hosts, ElementsAre());
}

TEST(CertificateNamesTest, RefusesWhatTwoProgramsCouldReadDifferently) {
  EXPECT_FALSE(Refuses(CertificateOf({{NID_commonName, "alice"}})));
  EXPECT_TRUE(Refuses(CertificateOf({{NID_commonName, std::string("alice\0.example", 14)}})));
  EXPECT_TRUE(Refuses(CertificateOf({{NID_commonName, "alice\n"}})));
  EXPECT_TRUE(Refuses(CertificateOf({{NID_commonName, "al\xffice"}})));
  EXPECT_TRUE(Refuses(CertificateOf({{NID_commonName, "alice", V_ASN1_T61STRING}})));
  EXPECT_TRUE(
      Refuses(CertificateOf({{NID_commonName, std::string("\0a\0l", 4), V_ASN1_BMPSTRING}})));
  EXPECT_TRUE(Refuses(CertificateOf({{NID_commonName, "al\xc3\xa9", V_ASN1_PRINTABLESTRING}})));
  EXPECT_TRUE(Refuses(CertificateOf({{NID_localityName, std::string("x\0", 2)}})));
}

TEST(CertificateNamesTest, RefusesAlternativeNamesThatAreNotAscii) {
  const std::vector<Entry> subject = {{NID_commonName, "alice"}};
  EXPECT_FALSE(Refuses(CertificateOf(subject, {{GEN_DNS, "a.example"}})));
  EXPECT_TRUE(Refuses(CertificateOf(subject, {{GEN_DNS, std::string("a\0.example", 10)}})));
  EXPECT_TRUE(Refuses(CertificateOf(subject, {{GEN_URI, "spiffe://ex\xc3\xa4mple/a"}})));
  EXPECT_TRUE(Refuses(CertificateOf(subject, {{GEN_EMAIL, "a@b.c\r"}})));
  EXPECT_TRUE(Refuses(CertificateOf(
      subject, std::vector<std::pair<int, std::string>>(65, {GEN_DNS, "a.example"}))));
}

TEST(CertificateNamesTest, RefusesAlternativeNamesThatStandThereTwice) {
  const X509Ptr certificate = CertificateOf({{NID_commonName, "a"}}, {{GEN_DNS, "a.example"}});
  const GeneralNamesPtr more(GENERAL_NAMES_new());
  ASN1_IA5STRING* string = ASN1_IA5STRING_new();
  ASN1_STRING_set(string, "b.example", 9);
  GENERAL_NAME* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, GEN_DNS, string);
  sk_GENERAL_NAME_push(more.get(), name);
  X509_add1_ext_i2d(certificate.get(), NID_subject_alt_name, more.get(), 0, X509V3_ADD_APPEND);
  EXPECT_TRUE(Refuses(certificate));
}

TEST(CertificateNamesTest, ANameThatCannotBeReadIsASecondOne) {
  const X509Ptr certificate =
      CertificateOf({{NID_commonName, "alice"}, {NID_commonName, "mal\xfflory"}});
  EXPECT_EQ(ProvenName(X509_get_subject_name(certificate.get())), "");
}

}  // namespace
}  // namespace dare::crypto
