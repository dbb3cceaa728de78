#include "hsm/session_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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
  const auto logins = [&] { return faulty.Calls(FaultyTokenForTest::kLogin); };
  const std::uint64_t before = logins();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pool->With(use).error().code, Code::kUnauthenticated);
  EXPECT_EQ(logins() - before, 1u);
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
    faulty.Mend();
    EXPECT_TRUE(sealer->Open(AsBytes("id"), sealed).has_value());
    EXPECT_TRUE(sealer->Seal(AsBytes("id"), AsBytes("secret")).has_value());
  }
}

TEST_F(SessionPoolTest, TriesOnceMoreBeforeItGivesUp) {
  SoftHsmForTest::Get().Key();
  FaultyTokenForTest faulty;
  const auto pool = faulty.Pool(SoftHsmForTest::kTokenLabel, SoftHsmForTest::Pin());
  const auto sealer = *DirectSealer::Make(*MasterKey::Find(pool, "mek"));
  faulty.Fail(FaultyTokenForTest::kEncryptInit, CKR_SESSION_HANDLE_INVALID, 1);
  EXPECT_TRUE(sealer->Seal(AsBytes("id"), AsBytes("secret")).has_value());
}

TEST_F(SessionPoolTest, LooksAtASessionThatWasIdleForLongBeforeItLendsIt) {
  SoftHsmForTest::Get();
  FaultyTokenForTest faulty;
  ManualClockForTest clock;
  SessionPoolOptions options = Options(SoftHsmForTest::kTokenLabel);
  options.clock = &clock;
  const auto pool = faulty.Pool(SoftHsmForTest::Pin(), options);
  const auto looked = [&] { return faulty.Calls(FaultyTokenForTest::kGetSessionInfo); };
  EXPECT_TRUE(pool->Borrow().has_value());
  EXPECT_EQ(looked(), 0u) << "not one that was used a moment ago";
  clock.Advance(60);
  const SessionHandle before = pool->Borrow()->session();
  EXPECT_EQ(looked(), 1u);
  // Dead meanwhile: nobody is given it.
  clock.Advance(60);
  faulty.Fail(FaultyTokenForTest::kGetSessionInfo, CKR_SESSION_HANDLE_INVALID);
  const auto lease = pool->Borrow();
  ASSERT_TRUE(lease.has_value()) << lease.error().message;
  EXPECT_NE(lease->session(), before);
  EXPECT_EQ(pool->open_sessions(), 1u);
}

TEST_F(SessionPoolTest, NoticesThatTheTokenLoggedOut) {
  FaultyTokenForTest faulty;
  ManualClockForTest clock;
  SessionPoolOptions options = Options(SoftHsmForTest::kTokenLabel);
  options.clock = &clock;
  const auto pool = faulty.Pool(SoftHsmForTest::Pin(), options);
  {
    const auto lease = pool->Borrow();
    ASSERT_EQ(lease->functions().C_Logout(lease->session()), CKR_OK);
  }
  clock.Advance(60);
  const std::uint64_t before = faulty.Calls(FaultyTokenForTest::kLogin);
  EXPECT_TRUE(pool->Borrow().has_value());
  EXPECT_EQ(faulty.Calls(FaultyTokenForTest::kLogin), before + 1);
}

// A PIN that changes in the token while the program runs.
class ChangedPinTest : public SessionPoolTest {
 protected:
  static Result<void> Use(const SessionLease& lease) {
    CK_SESSION_INFO info{};
    const CK_RV rv = lease.functions().C_GetSessionInfo(lease.session(), &info);
    if (rv != CKR_OK) return Pkcs11Error("session", rv);
    return {};
  }
  static SecretBytes Secret(const std::string& text) { return *SecretBytes::CopyOf(AsBytes(text)); }

  // A token of its own whose PIN is "other-pin" by now; the file says what `in_file` says.
  std::shared_ptr<SessionPool> Pool(const std::string& label) {
    SoftHsmForTest::Get().MakeToken(label);
    SessionPoolOptions options = Options(label);
    options.pin_source = [this]() -> Result<SecretBytes> {
      ++read_;
      return Secret(in_file_);
    };
    auto pool = faulty_.Pool(SoftHsmForTest::Pin(), options);
    {
      const SessionLease lease = *pool->OpenReadWrite();
      std::string old_pin = SoftHsmForTest::kUserPin, new_pin = "other-pin";
      EXPECT_EQ(
          lease.functions().C_SetPIN(
              lease.session(), reinterpret_cast<unsigned char*>(old_pin.data()), old_pin.size(),
              reinterpret_cast<unsigned char*>(new_pin.data()), new_pin.size()),
          CKR_OK);
    }
    Lose(*pool);
    before_ = faulty_.Calls(FaultyTokenForTest::kLogin);
    return pool;
  }
  void Lose(const SessionPool& pool) {
    EXPECT_EQ(faulty_.module->functions().C_CloseAllSessions(pool.token().slot), CKR_OK);
  }
  std::uint64_t Presented() const { return faulty_.Calls(FaultyTokenForTest::kLogin) - before_; }

  FaultyTokenForTest faulty_;
  std::string in_file_ = SoftHsmForTest::kUserPin;
  std::atomic<int> read_ = 0;
  std::uint64_t before_ = 0;
};

TEST_F(ChangedPinTest, IsReadAnewOnce) {
  const auto pool = Pool("changed-1");
  in_file_ = "other-pin";
  EXPECT_TRUE(pool->With(Use).has_value());
  EXPECT_EQ(Presented(), 2u) << "the old one, and the new one";
  Lose(*pool);
  EXPECT_TRUE(pool->With(Use).has_value());
  EXPECT_EQ(Presented(), 3u) << "from now on the new one";
}

TEST_F(ChangedPinTest, IsNotTriedAgainBeforeTheFileChanges) {
  const auto pool = Pool("changed-2");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(pool->With(Use).error().code, Code::kUnauthenticated);
  }
  EXPECT_EQ(Presented(), 1u);
  EXPECT_GT(read_, 1) << "it is looked for";
  in_file_ = "other-pin";
  EXPECT_TRUE(pool->With(Use).has_value());
  EXPECT_EQ(Presented(), 2u);
}

TEST_F(ChangedPinTest, NeverPresentsMoreThanTwoWrongOnes) {
  const auto pool = Pool("changed-3");
  for (int i = 0; i < 20; ++i) {
    in_file_ = "wrong-" + std::to_string(i);
    EXPECT_EQ(pool->With(Use).error().code, Code::kUnauthenticated);
  }
  EXPECT_EQ(Presented(), 2u);
  in_file_ = "other-pin";
  const auto refused = pool->With(Use);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("restarted"));
  EXPECT_EQ(Presented(), 2u);
}

// SoftHSM2 forgets a token whose folder went away and does not see it again before C_Initialize.
TEST_F(SessionPoolTest, SeesATokenAgainWhoseFolderWasAway) {
  SoftHsmForTest& softhsm = SoftHsmForTest::Get();
  const std::shared_ptr<MasterKey> key = softhsm.Key();
  const auto sealer = *DirectSealer::Make(key);
  const Bytes sealed = *sealer->Seal(AsBytes("id"), AsBytes("secret"));
  const std::string tokens = softhsm.folder() + "/tokens";
  const std::string away = softhsm.folder() + "/tokens-away";
  std::filesystem::rename(tokens, away);
  const auto failed = sealer->Open(AsBytes("id"), sealed);
  ASSERT_FALSE(failed.has_value());
  EXPECT_NE(failed.error().code, Code::kDamaged) << failed.error().message;
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(sealer->Seal(AsBytes("id"), AsBytes("x")).has_value());
  std::filesystem::rename(away, tokens);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  Result<SecretBytes> opened = sealer->Open(AsBytes("id"), sealed);
  while (!opened && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    opened = sealer->Open(AsBytes("id"), sealed);
  }
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(AsText(opened->Reveal()), "secret");
  EXPECT_TRUE(sealer->Seal(AsBytes("id"), AsBytes("secret")).has_value());
}

TEST_F(SessionPoolTest, DoesNotRestartAModuleThatIsInUse) {
  const std::shared_ptr<SessionPool> pool = SoftHsmForTest::Get().Pool();
  const std::shared_ptr<Module> module = SoftHsmForTest::Get().module();
  std::uint64_t life = 0;
  {
    const Module::Use use(*module);
    life = use.life();
    EXPECT_EQ(module->Restart(life).error().code, Code::kConflict);
  }
  EXPECT_EQ(Module::Use(*module).life(), life);
  EXPECT_TRUE(module->Restart(life - 1).has_value()) << "it happened already";
  EXPECT_EQ(Module::Use(*module).life(), life);
}

}  // namespace
}  // namespace dare::hsm
