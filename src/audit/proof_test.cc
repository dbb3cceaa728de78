#include "audit/proof.h"

#include "audit/signed_log_for_test.h"

namespace dare::audit {
namespace {

class ProofTest : public SignedLogTest {
 protected:
  Proof Make(std::uint64_t sequence) {
    const auto proof = MakeProof(options_.folder, sequence, Content(CheckpointPath()));
    EXPECT_TRUE(proof.has_value()) << proof.error().message;
    return *proof;
  }
};

TEST_F(ProofTest, EveryEntryCanBeProven) {
  MakeSignedLog(37);
  for (std::uint64_t sequence = 1; sequence <= 37; ++sequence) {
    const Proof proof = Make(sequence);
    EXPECT_LE(proof.path.size(), 6u);
    EXPECT_EQ(proof.line, Lines()[sequence - 1]);
    const auto again = DecodeProof(EncodeProof(proof));
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, proof);
    const auto checked = CheckProof(*again, key_.Keys());
    ASSERT_TRUE(checked.has_value()) << checked.error().message;
    EXPECT_EQ(checked->size, 37u);
  }
}

TEST_F(ProofTest, NothingInItCanBeChanged) {
  MakeSignedLog(20);
  const CheckpointKeys keys = key_.Keys();
  const std::string good = EncodeProof(Make(7));
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const auto proof = DecodeProof(bad);
    EXPECT_FALSE(proof.has_value() && CheckProof(*proof, keys).has_value()) << i;
    EXPECT_FALSE(DecodeProof(good.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(CheckProof(Make(7), SigningKeyForTest().Keys()).has_value());
}

TEST_F(ProofTest, WhatTheCheckpointDoesNotHaveCannotBeProven) {
  MakeSignedLog(5);
  const std::string checkpoint = Content(CheckpointPath());
  EXPECT_EQ(MakeProof(options_.folder, 6, checkpoint).error().code, Code::kNotFound);
  EXPECT_EQ(MakeProof(options_.folder, 0, checkpoint).error().code, Code::kNotFound);
  auto lines = Lines();
  std::swap(lines[0], lines[1]);
  WriteLines(folder_ + "/other", lines);
  EXPECT_EQ(MakeProof(folder_ + "/other", 3, checkpoint).error().code, Code::kDamaged);
}

TEST_F(ProofTest, LimitsAreKept) {
  EXPECT_EQ(DecodeProof(std::string(kMostProofBytes + 1, ' ')).error().code, Code::kTooLarge);
  Proof proof{.path = std::vector<TreeHash>(65)};
  EXPECT_EQ(DecodeProof(EncodeProof(proof)).error().code, Code::kMalformed);
  proof = {.line = std::string(kMostLineBytes + 1, 'x')};
  EXPECT_EQ(DecodeProof(EncodeProof(proof)).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace dare::audit
