#include "hsm/session_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "hsm/direct_sealer.h"
#include "hsm/faulty_token_for_test.h"
#include "hsm/pkcs11.h"

namespace dare::hsm {
namespace {

using testing::HasSubstr;

class SessionPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
    SoftHsmForTest::Get();
  }

  static SessionPoolOptions Options(std::string label, std::size_t most = 2) {
    SessionPoolOptions options;
    options.token_label = std::move(label);
    options.most_sessions = most;
    options.wait = std::chrono::milliseconds(20);
    return options;
  }
};

TEST_F(SessionPoolTest, NamesTheTokenThatIsMissing) {
  const auto pool = SessionPool::Open(SoftHsmForTest::Get().module(), SoftHsmForTest::Pin(),
                                      Options("elsewhere"));
  ASSERT_FALSE(pool.has_value());
  EXPECT_EQ(pool.error().code, Code::kNotFound);
  EXPECT_THAT(pool.error().message, HasSubstr("'elsewhere'"));
}

TEST_F(SessionPoolTest, SaysThatThePinIsWrong) {
  SoftHsmForTest::Get().MakeToken("guarded");
  const auto pool = SessionPool::Open(SoftHsmForTest::Get().module(),
                                      *SecretBytes::CopyOf(AsBytes("654321")), Options("guarded"));
  ASSERT_FALSE(pool.has_value());
  EXPECT_EQ(pool.error().code, Code::kUnauthenticated);
  EXPECT_THAT(pool.error().message, HasSubstr("CKR_PIN_INCORRECT"));
  EXPECT_THAT(pool.error().message, testing::Not(HasSubstr("654321")));
  // The right one still works.
  EXPECT_TRUE(
      SessionPool::Open(SoftHsmForTest::Get().module(), SoftHsmForTest::Pin(), Options("guarded"))
          .has_value());
}

TEST_F(SessionPoolTest, PresentsARefusedPinOnceOnly) {
  SoftHsmForTest& softhsm = SoftHsmForTest::Get();
  softhsm.MakeToken("changing");
  FaultyTokenForTest faulty;
  const auto pool = faulty.Pool("changing", SoftHsmForTest::Pin());
  // Somebody changes the PIN while the program runs, and the token restarts.
  {
    const SessionLease lease = *pool->OpenReadWrite();
    std::string old_pin = SoftHsmForTest::kUserPin, new_pin = "other-pin";
    ASSERT_EQ(lease.functions().C_SetPIN(
                  lease.session(), reinterpret_cast<unsigned char*>(old_pin.data()), old_pin.size(),
                  reinterpret_cast<unsigned char*>(new_pin.data()), new_pin.size()),
              CKR_OK);
  }
  ASSERT_EQ(faulty.module->functions().C_CloseAllSessions(pool->token().slot), CKR_OK);
  const auto use = [](const SessionLease& lease) -> Result<void> {
    CK_SESSION_INFO info{};
    const CK_RV rv = lease.functions().C_GetSessionInfo(lease.session(), &info);
    if (rv != CKR_OK) return Pkcs11Error("session", rv);
    return {};
  };
  const unsigned long before = faulty.Logins();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pool->With(use).error().code, Code::kUnauthenticated);
  EXPECT_EQ(faulty.Logins() - before, 1u);
  EXPECT_EQ(pool->open_sessions(), 0u);
}

TEST_F(SessionPoolTest, LendsNoMoreThanItsBoundAndSaysSo) {
  const auto pool = *SessionPool::Open(SoftHsmForTest::Get().module(), SoftHsmForTest::Pin(),
                                       Options(SoftHsmForTest::kTokenLabel, 2));
  auto first = pool->Borrow();
  {
    const auto second = pool->Borrow();
    ASSERT_TRUE(first.has_value() && second.has_value());
    EXPECT_NE(first->session(), second->session());
    EXPECT_EQ(pool->Borrow().error().code, Code::kTimeout);
  }
  EXPECT_TRUE(pool->Borrow().has_value());
  EXPECT_EQ(pool->open_sessions(), 2u);
}

TEST_F(SessionPoolTest, WakesAThreadThatWaitsForASession) {
  SessionPoolOptions options = Options(SoftHsmForTest::kTokenLabel, 1);
  options.wait = std::chrono::seconds(60);
  const auto pool =
      *SessionPool::Open(SoftHsmForTest::Get().module(), SoftHsmForTest::Pin(), options);
  std::jthread waiting;
  {
    const auto lease = pool->Borrow();
    waiting = std::jthread([&] { EXPECT_TRUE(pool->Borrow().has_value()); });
  }
}

TEST_F(SessionPoolTest, LeaksNoSessionUnderEightThreads) {
  SoftHsmForTest::Get().Key();
  FaultyTokenForTest faulty;  // counts
  auto pool = faulty.Pool(SoftHsmForTest::kTokenLabel, SoftHsmForTest::Pin());
  auto sealer = *DirectSealer::Make(*MasterKey::Find(pool, "mek"));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const Bytes secret(32, static_cast<std::uint8_t>(t));
        for (int i = 0; i < 100; ++i) {
          const auto sealed = sealer->Seal(AsBytes("thread"), secret);
          ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
          const auto opened = sealer->Open(AsBytes("thread"), *sealed);
          ASSERT_TRUE(opened.has_value()) << opened.error().message;
          EXPECT_EQ(ToHex(opened->Reveal()), ToHex(secret));
          Bytes bad = *sealed;
          bad.back() ^= 1;
          EXPECT_EQ(sealer->Open(AsBytes("thread"), bad).error().code, Code::kDamaged);
        }
      });
    }
  }
  EXPECT_LE(pool->open_sessions(), 4u);
  EXPECT_EQ(pool->idle_sessions(), pool->open_sessions());
  EXPECT_EQ(static_cast<std::size_t>(faulty.Sessions()), pool->open_sessions());
  sealer.reset();
  pool.reset();
  EXPECT_EQ(faulty.Sessions(), 0);
}

TEST_F(SessionPoolTest, ComesBackAfterItsSessionsWereClosed) {
  const std::shared_ptr<MasterKey> key = SoftHsmForTest::Get().Key();
  const auto sealer = *DirectSealer::Make(key);
  const Bytes sealed = *sealer->Seal(AsBytes("id"), AsBytes("secret"));
  const SessionPool& pool = key->pool();
  ASSERT_EQ(pool.module().functions().C_CloseAllSessions(pool.token().slot), CKR_OK);
  EXPECT_TRUE(sealer->Open(AsBytes("id"), sealed).has_value());
  ASSERT_EQ(pool.module().functions().C_CloseAllSessions(pool.token().slot), CKR_OK);
  EXPECT_TRUE(sealer->Seal(AsBytes("id"), AsBytes("secret")).has_value());
}

TEST_F(SessionPoolTest, ComesBackAfterTheTokenWasAway) {
  SoftHsmForTest::Get().Key();
  FaultyTokenForTest faulty;
  const auto pool = faulty.Pool(SoftHsmForTest::kTokenLabel, SoftHsmForTest::Pin());
  const auto sealer = *DirectSealer::Make(*MasterKey::Find(pool, "mek"));
  const Bytes sealed = *sealer->Seal(AsBytes("id"), AsBytes("secret"));
  for (const CK_RV rv : {CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT,
                         CKR_TOKEN_NOT_RECOGNIZED, CKR_SLOT_ID_INVALID}) {
    SCOPED_TRACE(CkrName(rv));
    faulty.Fail(rv);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(sealer->Seal(AsBytes("id"), AsBytes("secret")).error().code, Code::kUnavailable);
      EXPECT_EQ(sealer->Open(AsBytes("id"), sealed).error().code, Code::kUnavailable);
    }
    EXPECT_EQ(pool->open_sessions(), 0u);
    faulty.Fail(0);
    EXPECT_TRUE(sealer->Open(AsBytes("id"), sealed).has_value());
    EXPECT_TRUE(sealer->Seal(AsBytes("id"), AsBytes("secret")).has_value());
  }
}

TEST_F(SessionPoolTest, TriesOnceMoreBeforeItGivesUp) {
  SoftHsmForTest::Get().Key();
  FaultyTokenForTest faulty;
  const auto pool = faulty.Pool(SoftHsmForTest::kTokenLabel, SoftHsmForTest::Pin());
  const auto sealer = *DirectSealer::Make(*MasterKey::Find(pool, "mek"));
  faulty.Fail(CKR_SESSION_HANDLE_INVALID, 1);
  EXPECT_TRUE(sealer->Seal(AsBytes("id"), AsBytes("secret")).has_value());
}

}  // namespace
}  // namespace dare::hsm
