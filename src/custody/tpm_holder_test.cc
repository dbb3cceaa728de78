#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "custody/custody_for_test.h"
#include "custody/key_life.h"
#include "hsm/swtpm_for_test.h"
#include "hsm/tpm_sealer.h"

namespace dare::custody {
namespace {

using testing::HasSubstr;

// A token in memory, and beside it a TPM.
class TokenAndTpm : public TokensForTest {
 public:
  explicit TokenAndTpm(std::string tcti)
      : TokensForTest({"token", "board"}), tcti_(std::move(tcti)) {}

  Result<std::shared_ptr<hsm::Sealer>> Open(const std::string& token, const Bytes& id,
                                            KeyOrigin origin) override {
    if (token != "board") return TokensForTest::Open(token, id, origin);
    return OpenTpm(id);
  }
  Result<std::shared_ptr<hsm::Sealer>> Create(const std::string& token) override {
    return token == "board" ? OpenTpm({}) : TokensForTest::Create(token);
  }
  Result<std::vector<Bytes>> List(const std::string& token) override {
    if (token != "board") return TokensForTest::List(token);
    const auto sealer = TRY(OpenTpm({}));
    return std::vector<Bytes>{sealer->info().key_id};
  }

 private:
  Result<std::shared_ptr<hsm::Sealer>> OpenTpm(const Bytes& id) {
    std::shared_ptr<hsm::Sealer> sealer = TRY(hsm::TpmSealer::Open(tcti_));
    if (!id.empty() && sealer->info().key_id != id) {
      return Error(Code::kNotFound, "another TPM");
    }
    return sealer;
  }

  const std::string tcti_;
};

// A TPM and a token that hold the same root key.
class TpmHolderTest : public testing::Test, protected CustodyBenchForTest {
 protected:
  TpmHolderTest() : CustodyBenchForTest({}) {}
  void SetUp() override {
    if (!hsm::SwtpmForTest::Available()) GTEST_SKIP() << "swtpm is not installed";
    tpm_ = hsm::SwtpmForTest::Make();
    tokens = std::make_shared<TokenAndTpm>(tpm_->tcti());
    ASSERT_TRUE(tokens->Create("token").has_value());
    const auto custody = Open(SealingMode::kRoot);
    ASSERT_TRUE(custody.has_value()) << custody.error().message;
    if ((*custody)->record().current().holders.size() == 1) {
      const auto added = AddToken(**custody, "board");
      ASSERT_TRUE(added.has_value()) << added.error().message;
    }
    sealed_ = *(*custody)->ring().Seal(AsBytes("object"), Bytes(32, 9));
  }
  // What is in the record after the store was opened with whatever is there now.
  std::string Opened() {
    const auto custody = Open();
    if (!custody) return custody.error().message;
    const auto secret = (*custody)->ring().Open(AsBytes("object"), sealed_);
    return secret ? ToHex(secret->Reveal()) : secret.error().message;
  }

  std::unique_ptr<hsm::SwtpmForTest> tpm_;
  Bytes sealed_;
};

TEST_F(TpmHolderTest, EitherOpensTheStoreAlone) {
  const std::string secret = ToHex(Bytes(32, 9));
  EXPECT_EQ(Opened(), secret);
  tokens->PullOut("token");
  EXPECT_EQ(Opened(), secret);
  tpm_->PowerOff();
  EXPECT_THAT(Opened(),
              testing::AllOf(HasSubstr("no HSM opens"), HasSubstr("cannot reach the TPM")));
  tokens->PutBack("token");
  EXPECT_EQ(Opened(), secret);
}

TEST_F(TpmHolderTest, AnotherTpmInItsPlaceOpensNothing) {
  const auto other = hsm::SwtpmForTest::Make();
  const auto first = tokens;
  const auto second = std::make_shared<TokenAndTpm>(other->tcti());
  tokens = second;  // the token is gone with the machine; the new board is another one
  EXPECT_THAT(Opened(), HasSubstr("board: another TPM"));
  tokens = first;
  EXPECT_EQ(Opened(), ToHex(Bytes(32, 9)));
}

TEST_F(TpmHolderTest, ARotatedRootKeyIsWrappedByTheTpmToo) {
  {
    const auto custody = *Open();
    const auto begun = BeginRotation(*custody, {});
    ASSERT_TRUE(begun.has_value()) << begun.error().message;
    EXPECT_TRUE(begun->left_out.empty());
    EXPECT_EQ(custody->record().current().holders.size(), 2u);
    Put("record-key", *custody->ring().Seal(AsBytes("record key"), Bytes(32, 0x5a)));
    sealed_ = *custody->ring().Seal(AsBytes("object"), Bytes(32, 8));
  }
  tokens->PullOut("token");
  EXPECT_EQ(Opened(), ToHex(Bytes(32, 8)));
}

}  // namespace
}  // namespace dare::custody
