#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "audit/checkpointer.h"
#include "audit/segment.h"
#include "crypto/signature.h"

namespace dare::audit {

// A key like the HSM's, in memory.
class SigningKeyForTest {
 public:
  CheckpointSigner Signer() const {
    return {key_.Public()->Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo).value(),
            [key = key_](ByteView digest) { return crypto::SignDigest(key, {}, digest); }};
  }
  CheckpointKeys Keys() const {
    CheckpointKeys keys;
    EXPECT_TRUE(keys.AddDer(Signer().public_key).has_value());
    return keys;
  }
  // What the checkpointer would have made of `checkpoint`.
  std::string Sign(const Checkpoint& checkpoint) const {
    const CheckpointSigner signer = Signer();
    return SignedText(checkpoint, signer.public_key,
                      signer.sign(crypto::Sha256(AsBytes(BodyOf(checkpoint)))).value());
  }

 private:
  const crypto::PrivateKey key_ =
      crypto::PrivateKey::Generate({crypto::KeyFamily::kEc, 0, "prime256v1"}).value();
};

// A folder for one test's log, and what such tests do with it.
class SignedLogTest : public testing::Test {
 protected:
  SignedLogTest() {
    std::string made = (std::filesystem::temp_directory_path() / "dare-audit-XXXXXX").string();
    EXPECT_NE(::mkdtemp(made.data()), nullptr);
    folder_ = made;
    options_.folder = folder_ + "/log";
    checkpoints_.folder = options_.folder;
    checkpoints_.origin = OriginOf("kms-1");
    checkpoints_.look = std::chrono::milliseconds(1);
  }
  ~SignedLogTest() override { std::filesystem::remove_all(folder_); }

  static Entry EntryOf(std::uint64_t i) {
    return {.time = 1'700'000'000 + static_cast<std::int64_t>(i),
            .principal = "app-" + std::to_string(i % 7),
            .address = "192.0.2.1:4000",
            .operation = "Get",
            .object_id = "object-" + std::to_string(i),
            .outcome = Outcome::kAllowed,
            .rule = "owner",
            .request_id = "r-" + std::to_string(i),
            .detail = "d"};
  }
  std::unique_ptr<AuditLog> OpenLog() {
    auto log = AuditLog::Open(options_, clock_);
    EXPECT_TRUE(log.has_value()) << log.error().message;
    return *std::move(log);
  }
  // `count` more entries.
  void Write(AuditLog& log, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      EXPECT_TRUE(log.Append(EntryOf(++written_)).has_value());
    }
    EXPECT_TRUE(log.FlushAndSync().has_value());
  }
  Result<std::unique_ptr<Checkpointer>> StartCheckpointer(
      AuditLog& log, std::vector<std::unique_ptr<Witness>> witnesses = {}) {
    return Checkpointer::Start(
        checkpoints_, log, clock_, [this]() -> Result<CheckpointSigner> { return key_.Signer(); },
        std::move(witnesses));
  }
  // A log with so many entries, and a checkpoint of them all, then closed.
  void MakeSignedLog(std::uint64_t count) {
    const auto log = OpenLog();
    const auto checkpointer = StartCheckpointer(*log);
    ASSERT_TRUE(checkpointer.has_value()) << checkpointer.error().message;
    Write(*log, count);
  }
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    const auto segments = ListSegments(options_.folder);
    EXPECT_TRUE(segments.has_value());
    for (const std::uint64_t number : *segments) {
      std::ifstream file(options_.folder + "/" + SegmentName(number), std::ios::binary);
      for (std::string line; std::getline(file, line);) lines.push_back(line);
    }
    return lines;
  }
  static void WriteLines(const std::string& path, const std::vector<std::string>& lines) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    for (const std::string& line : lines) file << line << '\n';
  }
  static std::string Content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::string CheckpointPath() const { return options_.folder + "/" + kCheckpointFile; }

  std::string folder_;
  AuditOptions options_;
  CheckpointerOptions checkpoints_;
  ManualClockForTest clock_;
  SigningKeyForTest key_;
  std::uint64_t written_ = 0;
};

}  // namespace dare::audit
