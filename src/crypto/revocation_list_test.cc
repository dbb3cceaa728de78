#include "crypto/revocation_list.h"

#include <gmock/gmock.h>

#include <string>

#include "crypto/list_for_test.h"

namespace dare::crypto {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = AuthorityForTest::kNow;
constexpr std::int64_t kDay = AuthorityForTest::kDay;

class RevocationListTest : public testing::Test {
 protected:
  Result<UnverifiedRevocationList> Read(const ListForTest& list) {
    der_ = list.SignedBy(authority_);
    return ReadRevocationList(der_);
  }
  void ExpectRefused(const ListForTest& list, Code code, const char* reason) {
    const auto read = Read(list);
    ASSERT_FALSE(read) << reason;
    EXPECT_EQ(read.error().code, code) << read.error().message;
    EXPECT_THAT(read.error().message, HasSubstr(reason));
  }

  const AuthorityForTest authority_;
  Bytes der_;
};

TEST_F(RevocationListTest, ReadsWhatAListSays) {
  const auto read = Read({.serials = {"7b", "01", "ff00", std::string(40, '7')},
                          .number = {0x12, 0x34, 0x56, 0x78, 0x90, 0xab, 0xcd, 0xef, 0x12, 0x34}});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->says.issuer, "CN=Authority");
  EXPECT_EQ(ToHex(read->says.number), "1234567890abcdef1234");
  EXPECT_EQ(read->says.this_update, kNow);
  EXPECT_EQ(read->says.next_update, kNow + kDay);
  const SerialNumbers& revoked = read->says.revoked;
  EXPECT_EQ(revoked.size(), 4u);
  EXPECT_TRUE(revoked.Contains(Bytes{0x7b}));
  EXPECT_TRUE(revoked.Contains(Bytes{0x00, 0xff, 0x00})) << "with the byte for the sign";
  EXPECT_TRUE(revoked.Contains(Bytes(20, 0x77)));
  EXPECT_FALSE(revoked.Contains(Bytes{0xff, 0x00}));
  EXPECT_FALSE(revoked.Contains(Bytes{0x7b, 0x00})) << "the zeroes behind are none of it";
  EXPECT_FALSE(revoked.Contains(Bytes(19, 0x77)));
  EXPECT_FALSE(revoked.Contains({}));
  EXPECT_FALSE(revoked.Contains(Bytes(300, 0x77)));
}

TEST_F(RevocationListTest, ReadsListsWithoutEntriesAndOfVersion1) {
  auto read = Read({.serials = {}});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->says.revoked.size(), 0u);
  read = Read({.number = {}, .version_2 = false});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->says.number.empty());
  EXPECT_TRUE(read->says.revoked.Contains(Bytes{0x7b}));
}

TEST_F(RevocationListTest, CountsASerialOnce) {
  const auto read = Read({.serials = {"7b", "7b", "7a"}});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->says.revoked.size(), 2u);
}

TEST_F(RevocationListTest, ReadsReasonsAndWhateverIsNotCritical) {
  const auto read = Read(
      {.edit = [](X509_CRL* crl) { ListForTest::Add(crl, ListForTest::Unknown(false)); },
       .edit_entry =
           [](X509_REVOKED* entry) {
             const Bytes key_compromise = {V_ASN1_ENUMERATED, 1, 1};
             ListForTest::Add(entry, ListForTest::Extension(NID_crl_reason, true, key_compromise));
             ListForTest::Add(entry, ListForTest::Unknown(false));
           }});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->says.revoked.Contains(Bytes{0x7b}));
}

TEST_F(RevocationListTest, RefusesWhatSaysSomethingElseThanAllOfAnAuthorityRevoked) {
  const Bytes number = {V_ASN1_INTEGER, 1, 4};
  const Bytes only_users = {0x30, 3, 0x81, 1, 0xff};
  for (const bool critical : {false, true}) {
    const auto with = [critical](int nid, const Bytes& value) {
      return ListForTest{.edit = [=](X509_CRL* crl) {
        ListForTest::Add(crl, ListForTest::Extension(nid, critical, value));
      }};
    };
    ExpectRefused(with(NID_issuing_distribution_point, only_users), Code::kUnsupported,
                  "issuing distribution point");
    ExpectRefused(with(NID_delta_crl, number), Code::kUnsupported, "delta");
    ExpectRefused(with(NID_crl_number, number), Code::kMalformed, "two CRL numbers");
    ExpectRefused({.edit_entry =
                       [critical](X509_REVOKED* entry) {
                         const Bytes names = {0x30, 3, 0x82, 1, 'a'};
                         ListForTest::Add(entry, ListForTest::Extension(NID_certificate_issuer,
                                                                        critical, names));
                       }},
                  Code::kUnsupported, "indirect");
  }
  ExpectRefused({.edit = [](X509_CRL* crl) { ListForTest::Add(crl, ListForTest::Unknown(true)); }},
                Code::kUnsupported, "critical extension");
  ExpectRefused(
      {.edit_entry =
           [](X509_REVOKED* entry) { ListForTest::Add(entry, ListForTest::Unknown(true)); }},
      Code::kUnsupported, "an entry has a critical extension");
  ExpectRefused({.next_update = 0}, Code::kUnsupported, "nextUpdate");
}

TEST_F(RevocationListTest, RefusesNumbersThatAreNone) {
  ExpectRefused({.number = {0x80}}, Code::kMalformed, "CRL number");
  ExpectRefused({.number = Bytes(22, 0x01)}, Code::kMalformed, "CRL number");
}

TEST_F(RevocationListTest, RefusesSerialNumbersThatAreTooLong) {
  EXPECT_TRUE(Read({.serials = {std::string(40, 'f')}})) << "20 bytes and one for the sign";
  ExpectRefused({.serials = {std::string(42, 'f')}}, Code::kTooLarge, "serial number");
}

TEST_F(RevocationListTest, RefusesEveryCutAndWhatStandsBehind) {
  ASSERT_TRUE(Read({}));
  for (std::size_t size = 0; size < der_.size(); ++size) {
    EXPECT_FALSE(ReadRevocationList(ByteView(der_).first(size))) << size;
  }
  der_.push_back(0);
  EXPECT_FALSE(ReadRevocationList(der_));
}

TEST_F(RevocationListTest, RefusesACertificate) {
  EXPECT_FALSE(ReadRevocationList(authority_.certificate()));
}

TEST_F(RevocationListTest, KnowsWhichListIsOlder) {
  const RevocationList list{
      .issuer = "", .number = {0x01, 0x00}, .this_update = kNow, .next_update = 0, .revoked = {}};
  RevocationList other = list;
  EXPECT_FALSE(other.IsOlderThan(list)) << "the same one";
  other.number = {0xff};
  EXPECT_TRUE(other.IsOlderThan(list)) << "its number is less, though later in the alphabet";
  EXPECT_FALSE(list.IsOlderThan(other));
  other.this_update = kNow + 1;
  EXPECT_TRUE(other.IsOlderThan(list)) << "made later, and its number went back";
  other.number = {0x01, 0x01};
  EXPECT_FALSE(other.IsOlderThan(list));
  EXPECT_TRUE(list.IsOlderThan(other));
  other.number.clear();
  EXPECT_FALSE(other.IsOlderThan(list)) << "no number: its time decides";
  EXPECT_TRUE(list.IsOlderThan(other));
}

TEST_F(RevocationListTest, FindsTheListsInAFile) {
  const Bytes one = ListForTest{.serials = {"01"}}.SignedBy(authority_);
  const Bytes two = ListForTest{.serials = {"02"}}.SignedBy(authority_);
  auto lists = RevocationListsIn(one);
  ASSERT_TRUE(lists);
  EXPECT_THAT(*lists, testing::ElementsAre(one));
  Bytes pem = ToBytes(AsBytes("what a person wrote above\n"));
  Append(pem, PemOf(one));
  Append(pem, AsBytes("\n"));
  Append(pem, PemOf(two));
  lists = RevocationListsIn(pem);
  ASSERT_TRUE(lists) << lists.error().message;
  EXPECT_THAT(*lists, testing::ElementsAre(one, two));
  // A file of which one part has been written: nothing of it, or what stands in it whole.
  for (std::size_t size = 0; size < pem.size(); ++size) {
    lists = RevocationListsIn(Bytes(pem.begin(), pem.begin() + static_cast<std::ptrdiff_t>(size)));
    if (!lists) continue;
    EXPECT_THAT(*lists, testing::AnyOf(testing::ElementsAre(one), testing::ElementsAre(one, two)))
        << size;
  }
}

TEST_F(RevocationListTest, RefusesFilesOfSomethingElse) {
  const Bytes list = PemOf(ListForTest{}.SignedBy(authority_));
  Bytes with_certificate = list;
  std::string certificate = std::string(AsText(list));
  for (std::size_t at = 0; (at = certificate.find("X509 CRL", at)) != std::string::npos;) {
    certificate.replace(at, 8, "CERTIFICATE");
  }
  Append(with_certificate, AsBytes(certificate));
  EXPECT_FALSE(RevocationListsIn(with_certificate));
  EXPECT_FALSE(RevocationListsIn({}));
  EXPECT_FALSE(RevocationListsIn(ToBytes(AsBytes("<html>503</html>\n"))));
  Bytes many;
  for (std::size_t i = 0; i <= kMostListsInFile; ++i) Append(many, list);
  const auto lists = RevocationListsIn(many);
  ASSERT_FALSE(lists);
  EXPECT_EQ(lists.error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace dare::crypto
