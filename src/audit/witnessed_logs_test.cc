#include "audit/witnessed_logs.h"

#include <gtest/gtest.h>

#include "audit/checkpoint_file.h"
#include "audit/signed_log_for_test.h"

namespace dare::audit {
namespace {

class WitnessedLogsTest : public SignedLogTest {
 protected:
  std::string Text(std::uint64_t size, std::uint8_t root = 1, const std::string& node = "kms-1",
                   const SigningKeyForTest* key = nullptr) const {
    Checkpoint checkpoint{.origin = OriginOf(node), .size = size, .time = 1'700'000'000};
    checkpoint.root.fill(root);
    checkpoint.last_line = std::string(64, 'a');
    return (key == nullptr ? key_ : *key).Sign(checkpoint);
  }
  static std::string Pem(const SigningKeyForTest& key) {
    return PublicKeyPem(key.Signer().public_key);
  }
  Code Refused(const std::string& text, const std::string& key, const std::string& node = "kms-1") {
    const Result<void> taken = logs_.Take(node, text, key);
    return taken ? Code::kInternal : taken.error().code;
  }
  std::string File() const { return Content(logs_.PathOf("kms-1")); }

  WitnessedLogs logs_{folder_ + "/witnessed"};
  const std::string pem_ = Pem(key_);
};

TEST_F(WitnessedLogsTest, KeepWhatTheyAreToldAsAFileOfCheckpoints) {
  EXPECT_FALSE(*logs_.Newest("kms-1"));
  ASSERT_TRUE(logs_.Take("kms-1", Text(3), pem_));
  ASSERT_TRUE(logs_.Take("kms-1", Text(9, 2), pem_));
  EXPECT_EQ((*logs_.Newest("kms-1"))->checkpoint.size, 9u);
  std::vector<std::uint64_t> sizes;
  ASSERT_TRUE(ReadCheckpoints(logs_.PathOf("kms-1"), [&](const SignedCheckpoint& one) {
    sizes.push_back(one.checkpoint.size);
    return key_.Keys().Check(one);
  }));
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{3, 9}));
}

TEST_F(WitnessedLogsTest, KeepWhatSaysNothingNewOnce) {
  const std::string text = Text(3);
  ASSERT_TRUE(logs_.Take("kms-1", text, pem_));
  ASSERT_TRUE(logs_.Take("kms-1", text, pem_)) << "the answer was lost";
  ASSERT_TRUE(logs_.Take("kms-1", Text(3), pem_)) << "signed once more";
  EXPECT_EQ(File(), text);
}

TEST_F(WitnessedLogsTest, RefuseWhatContradictsThem) {
  ASSERT_TRUE(logs_.Take("kms-1", Text(9), pem_));
  const std::string kept = File();
  EXPECT_EQ(Refused(Text(8), pem_), Code::kConflict);
  EXPECT_EQ(Refused(Text(9, 2), pem_), Code::kConflict);
  EXPECT_EQ(File(), kept);
  EXPECT_TRUE(logs_.Take("kms-1", Text(10, 3), pem_));
}

TEST_F(WitnessedLogsTest, BelieveTheFirstKeyAndNoOther) {
  const SigningKeyForTest other;
  EXPECT_EQ(Refused(Text(3), Pem(other)), Code::kDenied) << "not by the key that it came with";
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/witnessed/kms-1.pub"));
  ASSERT_TRUE(logs_.Take("kms-1", Text(3), pem_));
  EXPECT_EQ(Content(folder_ + "/witnessed/kms-1.pub"), pem_);
  EXPECT_EQ(Refused(Text(4, 1, "kms-1", &other), Pem(other)), Code::kDenied);
  EXPECT_EQ(Refused(Text(4, 1, "kms-1", &other), pem_), Code::kDenied);
}

TEST_F(WitnessedLogsTest, BelieveAKeyThatWasPutThereBefore) {
  const SigningKeyForTest other;
  std::filesystem::create_directories(folder_ + "/witnessed");
  std::ofstream(folder_ + "/witnessed/kms-1.pub") << pem_;
  EXPECT_EQ(Refused(Text(3, 1, "kms-1", &other), Pem(other)), Code::kDenied);
  EXPECT_TRUE(logs_.Take("kms-1", Text(3), pem_));
}

TEST_F(WitnessedLogsTest, TakeOnlyTheLogOfTheNodeItself) {
  EXPECT_EQ(Refused(Text(3, 1, "kms-2"), pem_), Code::kDenied);
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "a b", "kms\n"}) {
    EXPECT_EQ(Refused(Text(3), pem_, name), Code::kDenied) << name;
    EXPECT_FALSE(logs_.Newest(name)) << name;
  }
}

TEST_F(WitnessedLogsTest, RefuseWhatIsNoCheckpoint) {
  EXPECT_EQ(Refused("", pem_), Code::kMalformed);
  EXPECT_EQ(Refused(Text(3) + "\n", pem_), Code::kMalformed);
  EXPECT_EQ(Refused(Text(3), "key"), Code::kMalformed);
  EXPECT_EQ(Refused(Text(3), std::string(4096, 'k')), Code::kMalformed);
  std::string edited = Text(3);
  edited[edited.find("\n3\n") + 1] = '4';
  EXPECT_EQ(Refused(edited, pem_), Code::kDenied);
}

}  // namespace
}  // namespace dare::audit
