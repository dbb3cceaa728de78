#include "custody/key_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "crypto/random_source.h"
#include "crypto/secret_sharing.h"

namespace dare::custody {
namespace {

using testing::HasSubstr;

class KeyBackupTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(StartSecureHeap(std::size_t{1} << 20).has_value());
    key_ = *SecretBytes::Random(32);
    of_.id = Bytes(8, 0x11);
    of_.kind = KeyKind::kRoot;
    of_.check_value = {1, 2, 3};
    of_.label = "root key";
  }
  Ceremony Hold(unsigned threshold = 3, unsigned shares = 5) {
    auto ceremony = BackUp(of_, key_, threshold, shares, 1'700'000'000);
    EXPECT_TRUE(ceremony.has_value());
    return *std::move(ceremony);
  }
  static std::vector<KeyShare> Some(const Ceremony& ceremony, std::vector<std::size_t> which) {
    std::vector<KeyShare> some;
    for (const std::size_t i : which) {
      const KeyShare& share = ceremony.shares[i];
      some.push_back({share.ceremony, share.threshold, share.number, *share.part.Clone()});
    }
    return some;
  }
  static std::string Text(const KeyShare& share) {
    const WipingBytes text = ToText(share, 5);
    return std::string(AsText(text));
  }
  SecretBytes key_;
  CustodyKey of_;
};

TEST_F(KeyBackupTest, AnyQuorumBringsTheKeyBack) {
  const Ceremony ceremony = Hold();
  ASSERT_EQ(ceremony.shares.size(), 5u);
  for (const auto& which :
       std::vector<std::vector<std::size_t>>{{0, 1, 2}, {4, 2, 0}, {1, 3, 4}, {0, 1, 2, 3, 4}}) {
    const auto back = Recover(ceremony.backup, Some(ceremony, which));
    ASSERT_TRUE(back.has_value()) << back.error().message;
    EXPECT_TRUE(*back == key_);
  }
}

TEST_F(KeyBackupTest, OneShareTooFewOpensNothing) {
  const Ceremony ceremony = Hold();
  const auto two = Recover(ceremony.backup, Some(ceremony, {0, 4}));
  ASSERT_FALSE(two.has_value());
  EXPECT_THAT(two.error().message, HasSubstr("2 of 3 shares"));
  // Nor with a third one that somebody makes up.
  for (int attempt = 0; attempt < 200; ++attempt) {
    auto three = Some(ceremony, {0, 4, 2});
    three[2].part = *SecretBytes::Random(32);
    EXPECT_EQ(Recover(ceremony.backup, three).error().code, Code::kDamaged);
  }
  // Nor by claiming that two are enough.
  KeyBackup claimed = ceremony.backup;
  claimed.threshold = 2;
  auto lowered = Some(ceremony, {0, 4});
  for (KeyShare& share : lowered) share.threshold = 2;
  EXPECT_EQ(Recover(claimed, lowered).error().code, Code::kDamaged);
}

// K-1 shares and each possible K-th: every secret comes out exactly once, so that they rule none
// out. For one byte, since all are shared alike.
TEST_F(KeyBackupTest, OneShareTooFewSaysNothing) {
  const crypto::SharingScheme scheme{crypto::SharingMethod::kGf256, 5, 3, {}};
  const auto random = *crypto::RandomSource::Open(crypto::RandomGenerator::kDrbg, {});
  const std::uint8_t secret = 0xa7;
  auto parts = *crypto::SplitSecret(scheme, {&secret, 1}, *random);
  std::map<std::uint8_t, int> seen;
  for (unsigned guess = 0; guess < 256; ++guess) {
    std::vector<crypto::SecretPart> three;
    three.push_back({1, *parts[0].bytes.Clone()});
    three.push_back({4, *parts[3].bytes.Clone()});
    const auto byte = static_cast<std::uint8_t>(guess);
    three.push_back({5, *SecretBytes::CopyOf({&byte, 1})});
    ++seen[crypto::JoinSecret(scheme, three, 1)->Reveal()[0]];
  }
  EXPECT_EQ(seen.size(), 256u);
}

TEST_F(KeyBackupTest, NamesTheShareThatIsWrong) {
  const Ceremony ceremony = Hold(), other = Hold();
  EXPECT_THAT(Recover(ceremony.backup, Some(ceremony, {0, 1, 1})).error().message,
              HasSubstr("share 2 was given twice"));
  auto mixed = Some(ceremony, {0, 1});
  mixed.push_back(std::move(Some(other, {3})[0]));
  EXPECT_THAT(Recover(ceremony.backup, mixed).error().message,
              HasSubstr("share 4 is of ceremony " + ToHex(other.backup.ceremony)));
}

TEST_F(KeyBackupTest, AnAlteredBackupOpensNothing) {
  const Ceremony ceremony = Hold();
  const Bytes bytes = Encode(ceremony.backup);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes forged = bytes;
    forged[at] ^= 0x20;
    const auto backup = DecodeKeyBackup(forged);
    if (!backup) continue;
    EXPECT_FALSE(Recover(*backup, Some(ceremony, {0, 1, 2})).has_value()) << at;
  }
}

TEST_F(KeyBackupTest, IsReadFromItsFile) {
  const KeyBackup backup = Hold().backup;
  const auto back = FromArmour("Some words.\n" + ToArmour(backup) + "more\n");
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(*back, backup);
  EXPECT_FALSE(FromArmour("nothing").has_value());
}

TEST_F(KeyBackupTest, RefusesQuorumsThatAreNone) {
  for (const auto& [threshold, shares] :
       std::vector<std::pair<unsigned, unsigned>>{{1, 3}, {0, 3}, {4, 3}, {2, 101}, {2, 0}}) {
    EXPECT_FALSE(BackUp(of_, key_, threshold, shares, 0).has_value());
  }
}

TEST_F(KeyBackupTest, ASharePassesThroughHandsAndKeyboards) {
  const Ceremony ceremony = Hold();
  const std::string text = Text(ceremony.shares[1]);
  EXPECT_THAT(text, HasSubstr("OpenDaRE key share 2 of 5; any 3 open the key."));
  std::string typed;
  for (const char c : text) typed += c == ' ' ? std::string("  ") : std::string(1, c);
  for (char& c : typed) c = static_cast<char>(std::toupper(c));
  for (const std::string& version : {text, typed}) {
    const auto share = FromText(version);
    ASSERT_TRUE(share.has_value()) << share.error().message;
    EXPECT_EQ(share->number, 2);
    EXPECT_EQ(share->threshold, 3);
    EXPECT_EQ(share->ceremony, ceremony.backup.ceremony);
    EXPECT_TRUE(share->part == ceremony.shares[1].part);
  }
}

TEST_F(KeyBackupTest, AMistypedDigitIsNamedByItsRow) {
  const std::string text = Text(Hold().shares[0]);
  const std::size_t third = text.find("\n3: ") + 4;
  std::string typed = text;
  typed[third] = typed[third] == '0' ? '1' : '0';
  EXPECT_THAT(FromText(typed).error().message, HasSubstr("row 3 of the share was mistyped"));
  typed[third] = 'g';
  EXPECT_THAT(FromText(typed).error().message, HasSubstr("row 3 of the share has a 'g'"));
  typed = text;
  typed.erase(third, 2);
  EXPECT_THAT(FromText(typed).error().message, HasSubstr("row 3"));
  EXPECT_THAT(FromText(text.substr(0, third)).error().message, HasSubstr("row 3"));
  // Rows of two shares, each right in itself.
  const std::string other = Text(Hold().shares[0]);
  const std::string mixed = text.substr(0, third) + other.substr(other.find("\n3: ") + 4);
  EXPECT_THAT(FromText(mixed).error().message, HasSubstr("mixed"));
}

TEST_F(KeyBackupTest, NoShareIsLikeTheNext) {
  const Ceremony one = Hold(), two = Hold();
  EXPECT_NE(one.backup.ceremony, two.backup.ceremony);
  EXPECT_NE(one.backup.wrapped, two.backup.wrapped);
  EXPECT_FALSE(one.shares[0].part == one.shares[1].part);
  EXPECT_FALSE(one.shares[0].part == two.shares[0].part);
}

}  // namespace
}  // namespace dare::custody
