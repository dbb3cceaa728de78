#include "crypto/random_source.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "crypto/ansi_x931.h"
#include "crypto/asymmetric_key.h"
#include "crypto/known_answers_for_test.h"

namespace dare::crypto {
namespace {

constexpr AlgorithmPolicy kLegacy{true};

AnsiX931::Block BlockOf(std::string_view hex) {
  const Bytes bytes = Hex(hex);
  AnsiX931::Block block{};
  std::copy(bytes.begin(), bytes.end(), block.begin());
  return block;
}

TEST(AnsiX931, GivesTheAnswersOfNistsRngvs) {
  struct Answer {
    const char* key;
    const char* date_time;
    const char* out;
  };
  // RNGVS, variable seed test; V = 80 00 …
  for (const Answer& answer :
       {Answer{"f3b1666d13607242ed061cabb8d46202", "e6b3be782a23fa62d71d4afbb0e922f9",
               "59531ed13bb0c05584796685c12f7641"},
        Answer{"15d8780d62d3256e44641013602ba9bc4afbcaeb4c8b993b",
               "3fd8ffe880698bc1bf997da42478f34b", "1707d52819791eefa50cbf25e556b493"},
        Answer{"6d14066cb6d8212d828dfaf27a03b79f0cc73ecd76ebeeb521058c4f317a80bb",
               "da3a41ec1da3b0d5f2a94e34748e9e88", "35c7efa7784d29bc827999fbd0b33b72"}}) {
    auto generator = AnsiX931::Make(Hex(answer.key), BlockOf("80000000000000000000000000000000"),
                                    BlockOf(answer.date_time));
    ASSERT_TRUE(generator.has_value());
    Bytes out(16);
    ASSERT_TRUE(generator->Generate(out).has_value());
    EXPECT_EQ(ToHex(out), answer.out);
  }
}

TEST(AnsiX931, GoesOnAsTheAlgorithmSays) {
  // The same key, V = 0 and DT = ff..ff, computed by the three lines of the algorithm in Python:
  // DT wraps around between the first block and the second.
  auto generator = AnsiX931::Make(
      Hex("6d14066cb6d8212d828dfaf27a03b79f0cc73ecd76ebeeb521058c4f317a80bb"),
      BlockOf("00000000000000000000000000000000"), BlockOf("ffffffffffffffffffffffffffffffff"));
  Bytes out(40);
  ASSERT_TRUE(generator->Generate(out).has_value());
  EXPECT_EQ(ToHex(out),
            "e3dc31566d8553aa2972aefa124e518797cf2b9c0c0662d08132fef0dc64e0df5687acbd12cc4a45");
}

TEST(AnsiX931, NeedsAKeyOfAes) {
  EXPECT_EQ(AnsiX931::Make(Bytes(8), {}, {}).error().code, Code::kInvalidArgument);
}

TEST(RandomSource, TheWithdrawnGeneratorNeedsTheLegacyPolicy) {
  EXPECT_EQ(RandomSource::Open(RandomGenerator::kAnsiX931, {}).error().code, Code::kDenied);
  EXPECT_TRUE(RandomSource::Open(RandomGenerator::kAnsiX931, kLegacy).has_value());
  EXPECT_EQ((*RandomSource::Open(RandomGenerator::kDrbg, {}))->library(), nullptr);
}

TEST(RandomSource, GivesFreshBytesInEveryThread) {
  for (const RandomGenerator generator : {RandomGenerator::kDrbg, RandomGenerator::kAnsiX931}) {
    const auto source = *RandomSource::Open(generator, kLegacy);
    constexpr std::size_t kThreads = 4;
    std::vector<std::set<std::string>> seen(kThreads);
    {
      std::vector<std::jthread> threads;
      for (std::size_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&source, &mine = seen[t]] {
          for (int i = 0; i < 200; ++i) mine.insert(ToHex(source->Secret(32)->Reveal()));
        });
      }
    }
    std::set<std::string> all;
    for (const auto& mine : seen) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), kThreads * 200);
    // Long enough to be keyed anew in the middle.
    const SecretBytes much = *source->Secret(200'000);
    const ByteView bytes = much.Reveal();
    std::set<std::string> blocks;
    for (std::size_t at = 0; at + 16 <= bytes.size(); at += 16) {
      blocks.insert(ToHex(bytes.subspan(at, 16)));
    }
    EXPECT_EQ(blocks.size(), bytes.size() / 16);
    source->Add(Bytes(32, 1));
    EXPECT_TRUE(source->Secret(16).has_value());
  }
}

TEST(RandomSource, MakesKeyPairsThatTheRestOfOpenSslCanUse) {
  const auto source = *RandomSource::Open(RandomGenerator::kAnsiX931, kLegacy);
  for (const KeySpecification& wanted :
       std::vector<KeySpecification>{{KeyFamily::kRsa, 1024, "", 0},
                                     {KeyFamily::kEc, 0, "prime256v1", 0},
                                     {KeyFamily::kEd25519, 0, "", 0}}) {
    const auto key = PrivateKey::Generate(wanted, source->library());
    ASSERT_TRUE(key.has_value()) << key.error().message;
    const auto der = key->Encode(PrivateKeyFormat::kPkcs8);
    ASSERT_TRUE(der.has_value());
    EXPECT_TRUE(PrivateKey::Parse(PrivateKeyFormat::kPkcs8, der->Reveal()).has_value());
  }
}

}  // namespace
}  // namespace dare::crypto
