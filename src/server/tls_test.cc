#include "server/tls.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/file.h"
#include "crypto/crl_builder.h"
#include "server/authority_lists.h"
#include "server/echo_for_test.h"
#include "server/framing.h"
#include "server/tls_client_for_test.h"

namespace dare::server {
namespace {

// RFC 8446, section 6: AlertDescription.
constexpr int kHandshakeFailure = 40;
constexpr int kBadCertificate = 42;
constexpr int kUnsupportedCertificate = 43;
constexpr int kCertificateRevoked = 44;
constexpr int kCertificateExpired = 45;
constexpr int kUnknownCa = 48;
constexpr int kInternalError = 80;
constexpr int kCertificateRequired = 116;

class RevocationForTest : public Revocation {
 public:
  bool IsRevoked(const std::string& serial, const std::string&) const override {
    const MutexLock lock(mutex_);
    const bool revoked = serials_.contains(serial);
    if (after_a_look_ == serial) serials_.insert(serial);
    return revoked || !known_;
  }
  bool IsKnown() const override { return known_; }
  bool IsLockedOut(const std::string& name, const std::vector<std::string>& units) const override {
    const MutexLock lock(mutex_);
    return locked_out_.contains(name) || std::ranges::any_of(units, [&](const std::string& unit) {
             return locked_out_.contains(unit);
           });
  }
  // A common name or an organizational unit.
  void LockOut(const std::string& who) {
    const MutexLock lock(mutex_);
    locked_out_.insert(who);
    ++generation_;
  }
  void Unlock(const std::string& who) {
    const MutexLock lock(mutex_);
    locked_out_.erase(who);
    ++generation_;
  }
  void Forget() {
    known_ = false;
    ++generation_;
  }
  Standing OnLists(const IssuedChain& chain) const override {
    return lists_ == nullptr ? Standing::kGood : lists_->Judge(chain);
  }
  // Before a server starts.
  void Ask(const AuthorityLists* lists) { lists_ = lists; }
  std::uint64_t generation() const override {
    return generation_ + (lists_ == nullptr ? 0 : lists_->generation());
  }
  // From the look after the next one on, without a new generation: as if every loop had compared
  // its open connections already.
  void RevokeAfterALook(const std::string& serial) {
    const MutexLock lock(mutex_);
    after_a_look_ = serial;
  }
  void Revoke(const std::string& serial) {
    const MutexLock lock(mutex_);
    serials_.insert(serial);
    ++generation_;
  }

 private:
  mutable Mutex mutex_;
  mutable std::set<std::string> serials_ GUARDED_BY(mutex_);
  std::string after_a_look_ GUARDED_BY(mutex_);
  std::set<std::string> locked_out_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> generation_ = 0;
  std::atomic<bool> known_ = true;
  const AuthorityLists* lists_ = nullptr;
};

class TlsTest : public testing::TestWithParam<bool> {
 protected:
  TlsTest() : clock_(SystemClock::Get().Now()), alice_(pki_.Client("alice", {"dare-client"})) {
    const PkiForTest::Identity identity = pki_.Server();
    tls_options_.certificate_file = identity.certificate_file;
    tls_options_.key_file = identity.key_file;
    tls_options_.client_ca_file = pki_.ca_file();
    options_.observer = refusals_.observer();
    options_.limits.recheck = std::chrono::milliseconds(20);
  }
  // With the lists of the authority; `serials` are on the first one.
  void StartWithLists(const std::vector<std::string>& serials) {
    AuthorityListOptions options;
    options.authorities = {pki_.authority().root().der};
    options.files = {pki_.folder() + "/list.crl"};
    PutList(serials);
    lists_ = std::move(*AuthorityLists::Open(options, clock_));
    revocation_.Ask(lists_.get());
    tls_options_.authorities = &lists_->authorities();
    Start();
  }
  // A list that is good for a minute.
  void PutList(const std::vector<std::string>& serials) {
    crypto::CrlPlan plan;
    plan.number = ++list_number_;
    plan.this_update = clock_.Now();
    plan.next_update = clock_.Now() + 60;
    for (const std::string& serial : serials) plan.entries.push_back({serial, clock_.Now()});
    ASSERT_TRUE(
        WriteFileDurably(pki_.folder() + "/list.crl", *pki_.authority().SignList(plan), 0644));
    if (lists_ != nullptr) lists_->Look();
  }
  void Start() {
    tls_ = std::move(*TlsContext::Make(tls_options_, &revocation_, clock_));
    server_ = std::move(*Server::Start(options_, *tls_, framing_, echo_));
  }
  std::unique_ptr<TlsClientForTest> Connect(const PkiForTest::Identity* identity,
                                            ssl_session_st* resume = nullptr,
                                            const std::string& suites = "") {
    TlsClientForTest::Options client;
    client.port = server_->port();
    client.ca_file = pki_.ca_file();
    client.identity = identity;
    client.tls12 = GetParam();
    client.resume = resume;
    client.tls12_suites = suites;
    return std::make_unique<TlsClientForTest>(client);
  }
  static bool Works(TlsClientForTest& client) {
    return client.connected() && client.Send(RequestForTest(1)) &&
           client.Receive(64) == RequestForTest(1);
  }
  // The alert a refused client gets: in the handshake (1.2) or at its first read (1.3).
  static int AlertOf(TlsClientForTest& client) {
    if (client.connected()) client.Receive(1);
    return client.alert();
  }
  void ExpectRefusal(HandshakeFailure failure) {
    const auto event = refusals_.Next();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->refusal, Refusal::kHandshake);
    EXPECT_EQ(HandshakeFailureName(event->handshake), HandshakeFailureName(failure));
    EXPECT_EQ(event->peer.address, "127.0.0.1");
    last_ = event->peer;
  }

  ManualClockForTest clock_;
  PkiForTest pki_{clock_};
  PkiForTest::Identity alice_;
  std::unique_ptr<AuthorityLists> lists_;
  std::uint64_t list_number_ = 0;
  RevocationForTest revocation_;
  RefusalsForTest refusals_;
  EchoForTest echo_;
  KmipFraming framing_{65536};
  TlsOptions tls_options_;
  ServerOptions options_;
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<Server> server_;
  Peer last_;
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsTest, testing::Values(false, true),
                         [](const auto& version) { return version.param ? "Tls12" : "Tls13"; });

TEST_P(TlsTest, AcceptsACertificateOfItsAuthority) {
  Start();
  const auto client = Connect(&alice_);
  EXPECT_TRUE(Works(*client));
  EXPECT_THAT(echo_.peers().at(0).units, testing::ElementsAre("dare-client"));
}

// A busy connection keeps its buffers and gives them back at rest, with nothing lost on the way.
TEST_P(TlsTest, GoesOnAfterBusyTimesAndRests) {
  Start();
  const auto client = Connect(&alice_);
  const Bytes request = RequestForTest(1);
  for (int i = 0; i < 3; ++i) {
    for (int n = 0; n < 30; ++n) ASSERT_TRUE(Works(*client));
    ASSERT_TRUE(client->Send(ByteView(request).first(20)));
    std::this_thread::sleep_for(3 * options_.limits.recheck);
    ASSERT_TRUE(client->Send(ByteView(request).subspan(20)));
    ASSERT_EQ(client->Receive(request.size()), request);
    std::this_thread::sleep_for(3 * options_.limits.recheck);
  }
}

TEST_P(TlsTest, AsksForACertificateWhereNoneComes) {
  Start();
  const auto client = Connect(nullptr);
  EXPECT_EQ(AlertOf(*client), GetParam() ? kHandshakeFailure : kCertificateRequired);
  ExpectRefusal(HandshakeFailure::kNoCertificate);
}

TEST_P(TlsTest, RefusesACertificateOfAnotherAuthority) {
  Start();
  PkiForTest other(clock_, "another CA");
  const PkiForTest::Identity mallory = other.Client("alice");
  const auto client = Connect(&mallory);
  EXPECT_EQ(AlertOf(*client), kUnknownCa);
  ExpectRefusal(HandshakeFailure::kUnknownAuthority);
  EXPECT_EQ(last_.common_name, "alice");
  EXPECT_EQ(last_.serial, mallory.certificate.serial);
}

TEST_P(TlsTest, RefusesACertificateOfAnotherAuthorityOfTheSameName) {
  Start();
  PkiForTest other(clock_);
  const PkiForTest::Identity mallory = other.Client("alice");
  const auto client = Connect(&mallory);
  EXPECT_EQ(AlertOf(*client), kUnknownCa);
}

TEST_P(TlsTest, RefusesAnExpiredCertificate) {
  const PkiForTest::Identity old = pki_.Client("alice", {}, 1);
  Start();
  clock_.Advance(86400 + 1);
  const auto client = Connect(&old);
  EXPECT_EQ(AlertOf(*client), kCertificateExpired);
  ExpectRefusal(HandshakeFailure::kExpired);
}

TEST_P(TlsTest, RefusesAnExpiredCertificateThatItOnceVerified) {
  const PkiForTest::Identity old = pki_.Client("alice", {}, 1);
  Start();
  EXPECT_TRUE(Works(*Connect(&old)));
  EXPECT_TRUE(Works(*Connect(&old)));  // from memory
  clock_.Advance(86400 + 1);
  EXPECT_EQ(AlertOf(*Connect(&old)), kCertificateExpired);
}

TEST_P(TlsTest, RefusesACertificateThatIsNotYetValid) {
  clock_.Advance(86400);
  const PkiForTest::Identity early = pki_.Client("alice");
  clock_.Advance(-86400);
  Start();
  EXPECT_EQ(AlertOf(*Connect(&early)), kBadCertificate);
  ExpectRefusal(HandshakeFailure::kExpired);
}

TEST_P(TlsTest, WhereRevocationsAreNotKnownSaysThatTheTroubleIsOurs) {
  Start();
  revocation_.Forget();
  EXPECT_EQ(AlertOf(*Connect(&alice_)), kInternalError);
  ExpectRefusal(HandshakeFailure::kNotKnown);
}

TEST_P(TlsTest, RefusesARevokedCertificate) {
  Start();
  revocation_.Revoke(alice_.certificate.serial);
  EXPECT_EQ(AlertOf(*Connect(&alice_)), kCertificateRevoked);
  ExpectRefusal(HandshakeFailure::kRevoked);
  EXPECT_EQ(last_.common_name, "alice");
}

TEST_P(TlsTest, RefusesARevokedCertificateThatItOnceVerified) {
  Start();
  EXPECT_TRUE(Works(*Connect(&alice_)));
  revocation_.Revoke(alice_.certificate.serial);
  EXPECT_EQ(AlertOf(*Connect(&alice_)), kCertificateRevoked);
}

TEST_P(TlsTest, RefusesWhoIsLockedOutByNameOrUnitUntilThatIsTakenBack) {
  Start();
  for (const char* who : {"alice", "dare-client"}) {
    revocation_.LockOut(who);
    EXPECT_EQ(AlertOf(*Connect(&alice_)), kBadCertificate) << who;
    ExpectRefusal(HandshakeFailure::kLockedOut);
    revocation_.Unlock(who);
    EXPECT_TRUE(Works(*Connect(&alice_))) << "its certificate is good still";
    // Or the next lockout would cut this one.
    while (server_->connections() != 0) std::this_thread::yield();
  }
}

TEST_P(TlsTest, RefusesACertificateRevokedBetweenItsVerificationAndTheEndOfTheHandshake) {
  Start();
  revocation_.RevokeAfterALook(alice_.certificate.serial);
  const auto client = Connect(&alice_);
  EXPECT_FALSE(Works(*client));
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kRevoked);
}

TEST_P(TlsTest, RefusesAServerCertificateFromAClient) {
  Start();
  const PkiForTest::Identity server = pki_.Server();
  EXPECT_EQ(AlertOf(*Connect(&server)), kUnsupportedCertificate);
  ExpectRefusal(HandshakeFailure::kBadCertificate);
}

TEST_P(TlsTest, CutsAnOpenConnectionWhenItsCertificateIsRevoked) {
  Start();
  const auto client = Connect(&alice_);
  ASSERT_TRUE(Works(*client));
  const PkiForTest::Identity bob = pki_.Client("bob");
  const auto other = Connect(&bob);
  ASSERT_TRUE(Works(*other));
  revocation_.Revoke(alice_.certificate.serial);
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kRevoked);
  EXPECT_EQ(event->peer.common_name, "alice");
  EXPECT_TRUE(Works(*other));
}

TEST_P(TlsTest, CutsAnOpenConnectionWhenItsPeerIsLockedOut) {
  Start();
  const auto client = Connect(&alice_);
  ASSERT_TRUE(Works(*client));
  revocation_.LockOut("alice");
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kLockedOut);
  EXPECT_EQ(event->peer.common_name, "alice");
  // A ticket of before does not help either.
  EXPECT_EQ(AlertOf(*Connect(&alice_, client->session())), kBadCertificate);
}

TEST_P(TlsTest, CutsAnOpenConnectionWhenItsCertificateExpires) {
  const PkiForTest::Identity old = pki_.Client("alice", {}, 1);
  Start();
  const auto client = Connect(&old);
  ASSERT_TRUE(Works(*client));
  clock_.Advance(86400 + 1);
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kExpired);
}

TEST_P(TlsTest, ResumesASessionAndKnowsWhoItIs) {
  Start();
  const auto first = Connect(&alice_);
  ASSERT_TRUE(Works(*first));
  ASSERT_NE(first->session(), nullptr);
  first->Close();
  const auto second = Connect(&alice_, first->session());
  ASSERT_TRUE(Works(*second));
  EXPECT_TRUE(second->resumed());
  const std::vector<Peer> peers = echo_.peers();
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_TRUE(peers[1].resumed);
  EXPECT_EQ(peers[1].fingerprint, peers[0].fingerprint);
  EXPECT_EQ(peers[1].common_name, "alice");
}

TEST_P(TlsTest, RefusesToResumeASessionOfARevokedCertificate) {
  Start();
  const auto first = Connect(&alice_);
  ASSERT_TRUE(Works(*first));
  first->Close();
  // Or the first connection itself would be refused as revoked.
  while (server_->connections() != 0) std::this_thread::yield();
  revocation_.Revoke(alice_.certificate.serial);
  EXPECT_EQ(AlertOf(*Connect(&alice_, first->session())), kCertificateRevoked);
  ExpectRefusal(HandshakeFailure::kRevoked);
}

TEST_P(TlsTest, RefusesToResumeASessionOfAnExpiredCertificate) {
  tls_options_.ticket_seconds = 10 * 86400;  // the ticket itself is still good
  const PkiForTest::Identity old = pki_.Client("alice", {}, 1);
  Start();
  const auto first = Connect(&old);
  ASSERT_TRUE(Works(*first));
  first->Close();
  clock_.Advance(86400 + 1);
  EXPECT_EQ(AlertOf(*Connect(&old, first->session())), kCertificateExpired);
}

TEST_P(TlsTest, ForgetsTicketsAfterTwoPeriodsOfItsKeys) {
  tls_options_.ticket_seconds = 3600;
  Start();
  const auto first = Connect(&alice_);
  ASSERT_TRUE(Works(*first));
  first->Close();
  clock_.Advance(3600 + 1);
  const auto second = Connect(&alice_, first->session());
  ASSERT_TRUE(Works(*second));
  EXPECT_TRUE(second->resumed()) << "the key before is still known";
  clock_.Advance(3600);
  const auto third = Connect(&alice_, first->session());
  ASSERT_TRUE(Works(*third));
  EXPECT_FALSE(third->resumed());
}

TEST_P(TlsTest, CutsAndRefusesWhatAListOfItsAuthorityRevokes) {
  StartWithLists({});
  const auto client = Connect(&alice_);
  ASSERT_TRUE(Works(*client));
  const PkiForTest::Identity bob = pki_.Client("bob");
  const auto other = Connect(&bob);
  ASSERT_TRUE(Works(*other));
  PutList({alice_.certificate.serial});
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kRevoked);
  EXPECT_EQ(event->peer.common_name, "alice");
  EXPECT_EQ(AlertOf(*Connect(&alice_, client->session())), kCertificateRevoked);
  ExpectRefusal(HandshakeFailure::kRevoked);
  EXPECT_EQ(AlertOf(*Connect(&alice_)), kCertificateRevoked);
  ExpectRefusal(HandshakeFailure::kRevoked);
  EXPECT_TRUE(Works(*other));
  other->Close();
  const auto resumed = Connect(&bob, other->session());
  EXPECT_TRUE(Works(*resumed));
  EXPECT_TRUE(resumed->resumed());
  PutList({});
  EXPECT_TRUE(Works(*Connect(&alice_))) << "what was remembered of it is not the last word";
}

TEST_P(TlsTest, CutsAndRefusesClientsOfAnAuthorityWhoseListHasEnded) {
  StartWithLists({});
  const auto client = Connect(&alice_);
  ASSERT_TRUE(Works(*client));
  clock_.Advance(61);
  lists_->Look();
  EXPECT_TRUE(client->WaitForClose());
  const auto event = refusals_.Next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->refusal, Refusal::kNotKnown);
  EXPECT_EQ(AlertOf(*Connect(&alice_, client->session())), kInternalError);
  ExpectRefusal(HandshakeFailure::kNotKnown);
  PutList({});
  EXPECT_TRUE(Works(*Connect(&alice_)));
}

TEST_P(TlsTest, AsksForNoCertificateWhereNoneIsNeeded) {
  tls_options_.require_client_certificate = false;
  Start();
  EXPECT_TRUE(Works(*Connect(nullptr)));
  EXPECT_FALSE(echo_.peers().at(0).authenticated());
  EXPECT_TRUE(Works(*Connect(&alice_)));
  EXPECT_TRUE(echo_.peers().at(1).authenticated());
  PkiForTest other(clock_, "another CA");
  const PkiForTest::Identity mallory = other.Client("alice");
  EXPECT_EQ(AlertOf(*Connect(&mallory)), kUnknownCa) << "a bad one is refused all the same";
}

TEST_P(TlsTest, OffersForwardSecrecyOnly) {
  Start();
  if (!GetParam()) return;  // every suite of TLS 1.3 has it
  EXPECT_FALSE(Connect(&alice_, nullptr, "AES256-SHA256:AES128-SHA256:AES256-SHA")->connected());
  EXPECT_TRUE(Connect(&alice_, nullptr, "ECDHE-ECDSA-AES128-GCM-SHA256")->connected());
}

TEST_P(TlsTest, SpeaksOnlyTls13WhereToldSo) {
  tls_options_.allow_tls12 = false;
  Start();
  EXPECT_EQ(Connect(&alice_)->connected(), !GetParam());
}

TEST_P(TlsTest, RefusesAKeyFileThatOthersMayRead) {
  ASSERT_EQ(::chmod(tls_options_.key_file.c_str(), 0644), 0);
  const auto tls = TlsContext::Make(tls_options_, nullptr);
  ASSERT_FALSE(tls);
  EXPECT_EQ(tls.error().code, Code::kDenied);
  EXPECT_THAT(tls.error().message, testing::HasSubstr("chmod 600"));
}

TEST_P(TlsTest, RefusesAKeyThatDoesNotFitTheCertificate) {
  tls_options_.key_file = pki_.Server().key_file;
  EXPECT_FALSE(TlsContext::Make(tls_options_, nullptr));
}

}  // namespace
}  // namespace dare::server
