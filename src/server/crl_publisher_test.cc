#include "server/crl_publisher.h"

#include <gmock/gmock.h>
#include <openssl/x509.h>

#include <set>
#include <string>

#include "crypto/x509.h"
#include "crypto/x509_handles.h"
#include "server/pki_for_test.h"
#include "server/sqlite_enrolment_store.h"

namespace dare::server {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::int64_t kHour = 3600;

class CrlPublisherTest : public testing::Test {
 protected:
  CrlPublisherTest()
      : store_(std::move(*SqliteEnrolmentStore::Open(pki_.folder() + "/enrolment.db", clock_))),
        authority_(std::move(*CertificateAuthority::Open(
            pki_.authority().root(), [this](ByteView digest) { return Sign(digest); }, clock_))),
        publisher_(authority_, *store_, 24, clock_) {}

  Result<Bytes> Sign(ByteView digest) {
    ++asked_;
    if (away_) return Error(Code::kUnavailable, "the HSM is away");
    return pki_.signer()(digest);
  }
  // The serial of a new certificate in the records.
  std::string Issue(const std::string& name) {
    const Certificate certificate = pki_.Client(name).certificate;
    EXPECT_TRUE(store_->Record(certificate));
    return certificate.serial;
  }
  static std::set<std::string> SerialsIn(const Bytes& der) {
    const std::uint8_t* at = der.data();
    const std::unique_ptr<X509_CRL, crypto::FreeWith<X509_CRL_free>> crl(
        d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
    std::set<std::string> serials;
    const STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl.get());
    for (int i = 0; i < sk_X509_REVOKED_num(entries); ++i) {
      const crypto::BnPtr number(ASN1_INTEGER_to_BN(
          X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(entries, i)), nullptr));
      char* text = BN_bn2hex(number.get());
      serials.insert(*NormalSerial(text));
      OPENSSL_free(text);
    }
    return serials;
  }
  std::set<std::string> Listed() {
    const auto list = publisher_.Current();
    EXPECT_TRUE(list);
    return list ? SerialsIn(**list) : std::set<std::string>{};
  }

  ManualClockForTest clock_;
  PkiForTest pki_{clock_};
  std::unique_ptr<EnrolmentStore> store_;
  int asked_ = 0;  // how often the key was
  bool away_ = false;
  CertificateAuthority authority_;
  CrlPublisher publisher_;
};

TEST_F(CrlPublisherTest, ListsWhatIsRevokedBySerialOrName) {
  const std::string alice = Issue("alice"), old = Issue("bob"), second = Issue("bob");
  Issue("carol");
  EXPECT_THAT(Listed(), IsEmpty());
  clock_.Advance(1);
  ASSERT_TRUE(store_->RevokeSerial(alice));
  EXPECT_THAT(Listed(), UnorderedElementsAre(alice));
  clock_.Advance(1);
  ASSERT_TRUE(store_->RevokeName("bob"));
  EXPECT_THAT(Listed(), UnorderedElementsAre(alice, old, second));
  Issue("bob");  // a certificate of later is good
  clock_.Advance(13 * kHour);
  EXPECT_THAT(Listed(), UnorderedElementsAre(alice, old, second));
}

TEST_F(CrlPublisherTest, LeavesOutWhatOtherAuthoritiesIssued) {
  ASSERT_TRUE(store_->RevokeSerial("1234567890abcdef"));
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(CrlPublisherTest, AsksTheKeyOnceForMany) {
  const auto first = publisher_.Current();
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(60);
    EXPECT_EQ(*publisher_.Current(), *first);
  }
  EXPECT_EQ(asked_, 1);
}

TEST_F(CrlPublisherTest, AsksTheKeyOnceASecondAtMost) {
  Listed();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(store_->RevokeSerial(Issue("alice")));
    EXPECT_THAT(Listed(), IsEmpty());
  }
  EXPECT_EQ(asked_, 1);
  clock_.Advance(1);
  EXPECT_EQ(Listed().size(), 10u);
  EXPECT_EQ(asked_, 2);
}

TEST_F(CrlPublisherTest, MakesAListAnewWhenHalfOfItsLifeIsOver) {
  const auto first = publisher_.Current();
  clock_.Advance(12 * kHour - 1);
  EXPECT_EQ(*publisher_.Current(), *first);
  clock_.Advance(1);
  EXPECT_NE(*publisher_.Current(), *first);
  EXPECT_EQ(asked_, 2);
}

TEST_F(CrlPublisherTest, GivesTheLastListWhileTheKeyIsAwayUntilItEnds) {
  const std::string alice = Issue("alice");
  ASSERT_TRUE(store_->RevokeSerial(alice));
  const auto first = publisher_.Current();
  away_ = true;
  clock_.Advance(1);
  ASSERT_TRUE(store_->RevokeSerial(Issue("bob")));
  EXPECT_EQ(*publisher_.Current(), *first);
  EXPECT_EQ(asked_, 2);
  clock_.Advance(9);
  EXPECT_EQ(*publisher_.Current(), *first);
  EXPECT_EQ(asked_, 2) << "callers wait for a key that is away every ten seconds only";
  clock_.Advance(24 * kHour - 11);
  EXPECT_EQ(*publisher_.Current(), *first);
  clock_.Advance(1);
  for (int i = 0; i < 3; ++i) {
    const auto over = publisher_.Current();
    ASSERT_FALSE(over);
    EXPECT_EQ(over.error().code, Code::kUnavailable);
  }
  EXPECT_EQ(asked_, 3);
  away_ = false;
  clock_.Advance(10);
  EXPECT_EQ(Listed().size(), 2u);
}

// RFC 5280, section 3.3.
TEST_F(CrlPublisherTest, ListsACertificateOnceMoreAfterItsEnd) {
  const std::string alice = Issue("alice");
  ASSERT_TRUE(store_->RevokeSerial(alice));
  EXPECT_THAT(Listed(), UnorderedElementsAre(alice));
  clock_.Advance(7 * 24 * kHour + 1);
  EXPECT_THAT(Listed(), UnorderedElementsAre(alice));
  clock_.Advance(24 * kHour);
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(CrlPublisherTest, TrustsNoListOfTheFuture) {
  const auto first = publisher_.Current();
  clock_.Advance(-kHour);
  away_ = true;
  EXPECT_FALSE(publisher_.Current());
}

}  // namespace
}  // namespace dare::server
