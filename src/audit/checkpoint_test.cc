#include "audit/checkpoint.h"

#include "audit/checkpoint_file.h"
#include "audit/signed_log_for_test.h"
#include "base/eventually_for_test.h"

namespace dare::audit {
namespace {

Checkpoint Sample() {
  return {.origin = OriginOf("kms-1"),
          .size = 1234,
          .root = HashOfLeaf("x"),
          .time = 1'700'000'000,
          .last_line = HashOf("last")};
}

class CheckpointTest : public SignedLogTest {};

// docs/formats/audit.md: a change here is a change of the format on disk.
TEST_F(CheckpointTest, KeepsItsFormat) {
  EXPECT_EQ(BodyOf(Sample()), "dare-audit/kms-1\n1234\n" + ToBase64(HashOfLeaf("x")) +
                                  "\ntime 2023-11-14T22:13:20Z\nlast " + HashOf("last") + "\n");
  const Bytes key = {1, 2, 3}, signature = {9, 9};
  const Bytes id = KeyIdOf("dare-audit/kms-1", key);
  EXPECT_EQ(ToHex(id), ToHex(ByteView(crypto::Sha256(AsBytes(std::string_view(
                                          "dare-audit/kms-1\n\xffx509-sha256\1\2\3", 32))))
                                 .first(4)));
  EXPECT_EQ(SignedText(Sample(), key, signature),
            BodyOf(Sample()) + "\n\xE2\x80\x94 dare-audit/kms-1 " +
                ToBase64(Bytes{id[0], id[1], id[2], id[3], 9, 9}) + "\n");
}

TEST_F(CheckpointTest, IsReadAsItWasWritten) {
  const auto parsed = ParseCheckpoint(key_.Sign(Sample()));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->checkpoint, Sample());
  EXPECT_TRUE(key_.Keys().Check(*parsed).has_value());
}

TEST_F(CheckpointTest, NoByteOfItCanBeChanged) {
  const std::string good = key_.Sign(Sample());
  const CheckpointKeys keys = key_.Keys();
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char flip : {1, 32}) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ flip);
      const auto parsed = ParseCheckpoint(bad);
      EXPECT_FALSE(parsed.has_value() && keys.Check(*parsed).has_value()) << i;
    }
    EXPECT_FALSE(ParseCheckpoint(good.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(ParseCheckpoint(good + "\n").has_value());
  EXPECT_FALSE(ParseCheckpoint(good + good).has_value());
}

TEST_F(CheckpointTest, AnothersSignatureIsRefused) {
  const auto parsed = ParseCheckpoint(SigningKeyForTest().Sign(Sample()));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(key_.Keys().Check(*parsed).error().code, Code::kDamaged);
  EXPECT_EQ(CheckpointKeys().Check(*parsed).error().code, Code::kDamaged);
}

TEST_F(CheckpointTest, ThePublicKeyIsWrittenAndAnOldOneKept) {
  const Bytes key = key_.Signer().public_key, other = SigningKeyForTest().Signer().public_key;
  ASSERT_TRUE(WritePublicKey(folder_, key).has_value());
  ASSERT_TRUE(WritePublicKey(folder_, key).has_value());
  CheckpointKeys keys;
  ASSERT_TRUE(keys.AddPem(Content(folder_ + "/audit.pub")).has_value());
  EXPECT_TRUE(keys.Check(*ParseCheckpoint(key_.Sign(Sample()))).has_value());
  ASSERT_TRUE(WritePublicKey(folder_, other).has_value());
  EXPECT_EQ(Content(folder_ + "/audit.pub"), PublicKeyPem(other));
  std::size_t kept = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_)) {
    kept += Content(file.path().string()) == PublicKeyPem(key) ? 1 : 0;
  }
  EXPECT_EQ(kept, 1u);
  EXPECT_FALSE(
      keys.AddPem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----").has_value());
  EXPECT_FALSE(keys.AddPem("").has_value());
}

TEST_F(CheckpointTest, AFileOfThemGoesOnAfterACrash) {
  const std::string path = folder_ + "/checkpoints";
  Checkpoint one = Sample(), two = Sample();
  two.size = 2000;
  {
    auto file = CheckpointFile::Open(path);
    ASSERT_TRUE(file.has_value());
    EXPECT_FALSE(file->last().has_value());
    EXPECT_EQ(CheckpointFile::Open(path).error().code, Code::kUnavailable);
    ASSERT_TRUE(file->Append(key_.Sign(one)).has_value());
    EXPECT_FALSE(file->Append("nonsense").has_value());
  }
  const std::string text = key_.Sign(two);
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    const std::string whole = Content(path);
    std::ofstream(path, std::ios::app) << text.substr(0, cut);
    {
      auto file = CheckpointFile::Open(path);
      ASSERT_TRUE(file.has_value()) << cut << ": " << file.error().message;
      ASSERT_TRUE(file->last().has_value());
      EXPECT_EQ(file->last()->checkpoint, one);
    }
    EXPECT_EQ(Content(path), whole);
  }
  ASSERT_TRUE(CheckpointFile::Open(path)->Append(text).has_value());
  std::vector<std::uint64_t> sizes;
  ASSERT_TRUE(ReadCheckpoints(path, [&](const SignedCheckpoint& read) -> Result<void> {
                sizes.push_back(read.checkpoint.size);
                return {};
              }).has_value());
  EXPECT_EQ(sizes, (std::vector<std::uint64_t>{1234, 2000}));
}

TEST_F(CheckpointTest, AFullDiskIsSaid) {
  Result<CheckpointFile> file = Error(Code::kInternal, "");
  // One at a time has it, in whatever process.
  ASSERT_TRUE(EventuallyForTest([&] {
    file = CheckpointFile::Open("/dev/full");
    return file.has_value();
  }));
  EXPECT_EQ(file->Append(key_.Sign(Sample())).error().code, Code::kExhausted);
  EXPECT_FALSE(file->last().has_value());
}

}  // namespace
}  // namespace dare::audit
