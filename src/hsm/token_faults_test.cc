// A real token behind a module that fails on demand, guarded as the server guards it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "hsm/direct_sealer.h"
#include "hsm/failover_sealer.h"
#include "hsm/faulty_token_for_test.h"
#include "hsm/pkcs11.h"
#include "hsm/signing_key.h"

namespace dare::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Faulty = FaultyTokenForTest;

class TokenFaultsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!SoftHsmForTest::Available()) GTEST_SKIP() << "SoftHSM2 is not installed";
    SoftHsmForTest::Get().Key();
    faulty_ = std::make_unique<FaultyTokenForTest>();
    TokenGuardOptions options;
    options.name = "test";
    options.bound = BoundCalls::kAlways;
    options.call_timeout = call_timeout_;
    options.breaker.first_wait = milliseconds(20);
    options.breaker.most_wait = milliseconds(100);
    guard_ = std::make_shared<TokenGuard>(options, SystemClock::Get());
    SessionPoolOptions pool;
    pool.token_label = SoftHsmForTest::kTokenLabel;
    pool.guard = guard_;
    pool_ = faulty_->Pool(SoftHsmForTest::Pin(), pool);
  }

  // A call that was given up goes on alone; the program must not end, and unload what it calls,
  // under it.
  void TearDown() override {
    if (!guard_) return;
    faulty_->Mend();
    while (guard_->Health().hanging != 0) std::this_thread::yield();
  }

  std::unique_ptr<FailoverSealer> MakeSealer() {
    TokenSeat seat{guard_, [pool = pool_]() -> Result<std::shared_ptr<Sealer>> {
                     auto key = TRY(MasterKey::Find(pool, "mek"));
                     return std::shared_ptr<Sealer>(TRY(DirectSealer::Make(std::move(key))));
                   }};
    auto made = FailoverSealer::Make({std::move(seat)});
    EXPECT_TRUE(made.has_value()) << made.error().message;
    return *std::move(made);
  }
  static void AwaitThatItIsBack(Sealer& sealer) {
    while (!sealer.Health().can_seal) std::this_thread::yield();
    const auto sealed = sealer.Seal(AsBytes("id"), AsBytes("secret"));
    EXPECT_TRUE(sealed.has_value()) << sealed.error().message;
  }

  milliseconds call_timeout_ = seconds(2);
  std::unique_ptr<FaultyTokenForTest> faulty_;
  std::shared_ptr<TokenGuard> guard_;
  std::shared_ptr<SessionPool> pool_;
};

TEST_F(TokenFaultsTest, ASealThatHangsIsGivenUpAndTheTokenComesBack) {
  const auto sealer = MakeSealer();
  const Bytes sealed = *sealer->Seal(AsBytes("id"), AsBytes("secret"));
  for (const auto function : {Faulty::kEncrypt, Faulty::kEncryptInit}) {
    faulty_->Hang(function);
    faulty_->Hang(Faulty::kDecryptInit);  // the probe
    EXPECT_EQ(sealer->Seal(AsBytes("id"), AsBytes("secret")).error().code, Code::kTimeout);
    EXPECT_EQ(faulty_->Hanging(function), 1u);
    const std::uint64_t asked = faulty_->Calls(function);
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(sealer->Seal(AsBytes("id"), AsBytes("secret")).error().code, Code::kUnavailable);
      EXPECT_EQ(sealer->Open(AsBytes("id"), sealed).error().code, Code::kUnavailable);
    }
    EXPECT_EQ(faulty_->Calls(function), asked);
    faulty_->Mend();
    AwaitThatItIsBack(*sealer);
    EXPECT_TRUE(sealer->Open(AsBytes("id"), sealed).has_value());
  }
}

TEST_F(TokenFaultsTest, ASignatureThatHangsIsGivenUp) {
  auto key = SigningKey::Create(pool_, "faults-signing");
  ASSERT_TRUE(key.has_value()) << key.error().message;
  const std::array<std::uint8_t, 32> digest{1};
  ASSERT_TRUE((*key)->Sign(digest).has_value());
  faulty_->Hang(Faulty::kSign);
  EXPECT_EQ((*key)->Sign(digest).error().code, Code::kTimeout);
  EXPECT_EQ((*key)->Sign(digest).error().code, Code::kUnavailable);
  faulty_->Mend();
  Result<Bytes> signature = (*key)->Sign(digest);
  while (!signature) signature = (*key)->Sign(digest);
}

TEST_F(TokenFaultsTest, ATokenThatIsGoneIsNotAskedByEveryRequestAndComesBack) {
  const auto sealer = MakeSealer();
  for (const CK_RV rv : {CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT}) {
    SCOPED_TRACE(CkrName(rv));
    faulty_->Fail(rv);
    while (sealer->Health().can_seal) {
      EXPECT_EQ(sealer->Seal(AsBytes("id"), AsBytes("secret")).error().code, Code::kUnavailable);
    }
    const auto refused = sealer->Seal(AsBytes("id"), AsBytes("secret"));
    EXPECT_THAT(refused.error().message, testing::HasSubstr("is in trouble"));
    EXPECT_THAT(refused.error().message, testing::HasSubstr(CkrName(rv)));
    faulty_->Mend();
    AwaitThatItIsBack(*sealer);
  }
}

TEST_F(TokenFaultsTest, ALostSessionIsNoTroubleToAnybody) {
  const auto sealer = MakeSealer();
  for (int i = 0; i < 10; ++i) {
    faulty_->Fail(Faulty::kEncryptInit, CKR_SESSION_HANDLE_INVALID, 1);
    EXPECT_TRUE(sealer->Seal(AsBytes("id"), AsBytes("secret")).has_value());
  }
  EXPECT_EQ(guard_->Health().failures, 0u);
}

}  // namespace
}  // namespace dare::hsm
