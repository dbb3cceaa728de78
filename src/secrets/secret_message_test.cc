#include "secrets/secret_message.h"

#include <gtest/gtest.h>

#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"
#include "secrets/secrets_for_test.h"

namespace dare::secrets {
namespace {

const Bytes kValue = ToBytes(AsBytes("correct horse"));

Bytes SealedForTest(const std::string& name, const Bytes& value = kValue) {
  return SealSecret(FactsForTest(name), SecretForTest(value), KekForTest(1)).value();
}

Code FailureOf(ByteView message, std::string_view name, const envelope::Keyring& keks) {
  const auto opened = OpenSecret(message, name, keks);
  return opened ? Code::kInternal : opened.error().code;
}

// A lawful message with other pairs, by somebody who may use the KEK.
Bytes MessageWith(const std::map<std::string, std::string>& pairs) {
  envelope::MessageOptions options;
  for (const auto& [key, value] : pairs) EXPECT_TRUE(options.context.AddPortable(key, value));
  options.frame_length = 4096;  // what stock writers take
  auto sealer = envelope::MessageSealer::Create(KekForTest(1), options).value();
  return std::move(sealer).SealWhole(kValue).value();
}

TEST(SecretMessage, KeepsValueAndFacts) {
  const Bytes message = SealedForTest("restic");
  const SecretFacts facts = ReadFacts(message).value();
  EXPECT_EQ(facts.name, "restic");
  EXPECT_EQ(facts.form, SecretForm::kText);
  EXPECT_EQ(facts.made, 1'700'000'000);
  EXPECT_EQ(facts.keys, std::vector<std::string>{"kek-0001"});
  const OpenedSecret opened = OpenSecret(message, "restic", KekForTest(1)).value();
  EXPECT_EQ(TextForTest(opened.value), "correct horse");
  EXPECT_EQ(opened.facts.keys, facts.keys);
}

TEST(SecretMessage, IsAPlainMessageThatHoldsTheSecretAndNothingElse) {
  const Bytes message = SealedForTest("restic");
  const auto plaintext = envelope::OpenMessage(message, KekForTest(1), {}).value();
  EXPECT_EQ(AsText(plaintext), "correct horse");
}

TEST(SecretMessage, HasTheSizeThatItsFormatTells) {
  // docs/formats/secret.md: 92 + context + wrapped key; 40 + secret
  const std::size_t context = 2 + (4 + 11 + 1) + (4 + 4 + 4) + (4 + 4 + 10) + (4 + 4 + 6);
  const std::size_t wrapped = 6 + std::string("kmip:kms.example").size() + 8 + 20 + 48;
  EXPECT_EQ(SealedForTest("restic").size(), 92 + context + wrapped + 40 + kValue.size());
}

TEST(SecretMessage, KeepsOneByteAndTheMost) {
  for (const std::size_t size : {std::size_t{1}, kMostSecretBytes}) {
    const Bytes value = envelope::PatternForTest(size);
    const OpenedSecret opened = OpenSecret(SealedForTest("s", value), "s", KekForTest(1)).value();
    EXPECT_EQ(ToBytes(opened.value.Reveal()), value);
  }
}

TEST(SecretMessage, RefusesToSealNothingOrTooMuch) {
  const auto seal = [](std::size_t size) {
    return SealSecret(FactsForTest("s"), SecretForTest(Bytes(size, 'x')), KekForTest(1));
  };
  EXPECT_EQ(seal(0).error().code, Code::kInvalidArgument);
  EXPECT_EQ(seal(kMostSecretBytes + 1).error().code, Code::kTooLarge);
}

TEST(SecretMessage, OpensUnderNoOtherName) {
  const Bytes message = SealedForTest("restic");
  EXPECT_EQ(FailureOf(message, "borg", KekForTest(1)), Code::kDamaged);
  EXPECT_EQ(FailureOf(message, "Restic", KekForTest(1)), Code::kDamaged);
  EXPECT_EQ(FailureOf(message, "", KekForTest(1)), Code::kDamaged);
}

TEST(SecretMessage, DoesNotAskTheKeyServerForASecretOfAnotherName) {
  auto kms = std::make_shared<envelope::KmsForTest>(KekForTest(1));
  EXPECT_EQ(FailureOf(SealedForTest("restic"), "borg", {kms}), Code::kDamaged);
  EXPECT_EQ(kms->unwraps, 0);
}

TEST(SecretMessage, CannotBeGivenAnotherName) {
  Bytes message = SealedForTest("restic");
  const std::string name = "restic";
  const auto at = std::search(message.begin(), message.end(), name.begin(), name.end());
  ASSERT_NE(at, message.end());
  *at = 'f';
  EXPECT_EQ(ReadFacts(message).value().name, "festic");
  EXPECT_EQ(FailureOf(message, "festic", KekForTest(1)), Code::kDamaged);
}

TEST(SecretMessage, NoBitMayChange) {
  const Bytes message = SealedForTest("s");
  for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
    Bytes changed = message;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    const auto opened = OpenSecret(changed, "s", KekForTest(1));
    ASSERT_FALSE(opened) << bit;
    // A version that may come is told apart from damage, as far as that can be.
    ASSERT_TRUE(opened.error().code == Code::kDamaged || opened.error().code == Code::kUnsupported)
        << bit << opened.error().message;
  }
}

TEST(SecretMessage, MayNotBeCutOrLonger) {
  const Bytes message = SealedForTest("s");
  for (std::size_t size = 0; size < message.size(); ++size) {
    ASSERT_EQ(FailureOf(ByteView(message).first(size), "s", KekForTest(1)), Code::kDamaged);
  }
  Bytes longer = message;
  longer.push_back(0);
  EXPECT_EQ(FailureOf(longer, "s", KekForTest(1)), Code::kDamaged);
}

TEST(SecretMessage, OpensUnderNoOtherKey) {
  EXPECT_EQ(FailureOf(SealedForTest("s"), "s", KekForTest(2)), Code::kDamaged);
}

TEST(SecretMessage, TellsWhatTheKeyServerSaid) {
  auto kms = std::make_shared<envelope::KmsForTest>(KekForTest(1));
  kms->failure = Error(Code::kUnavailable, "nobody answers");
  EXPECT_EQ(FailureOf(SealedForTest("s"), "s", {kms}), Code::kUnavailable);
}

TEST(SecretMessage, IsNotAnyMessageUnderTheSameKey) {
  const std::map<std::string, std::string> good = {
      {"dare-secret", "1"}, {"name", "s"}, {"form", "text"}, {"made", "7"}};
  EXPECT_TRUE(OpenSecret(MessageWith(good), "s", KekForTest(1)));
  for (const auto& [key, value] : good) {
    auto without = good;
    without.erase(key);
    EXPECT_EQ(FailureOf(MessageWith(without), "s", KekForTest(1)), Code::kDamaged) << key;
  }
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"form", "poem"}, {"made", "-1"}, {"made", "007"}, {"made", ""}, {"name", "../s"}}) {
    auto other = good;
    other[key] = value;
    EXPECT_EQ(FailureOf(MessageWith(other), other["name"], KekForTest(1)), Code::kDamaged)
        << key << value;
  }
}

TEST(SecretMessage, SaysWhenALaterVersionMadeIt) {
  const Bytes message =
      MessageWith({{"dare-secret", "2"}, {"name", "s"}, {"form", "text"}, {"made", "7"}});
  EXPECT_EQ(FailureOf(message, "s", KekForTest(1)), Code::kUnsupported);
}

TEST(SecretMessage, TakesNamesThatAreFileNamesOnly) {
  for (const char* name : {"a", "restic", "restic@home", "0.1_x-y+z", "A"}) {
    EXPECT_TRUE(CheckName(name)) << name;
  }
  EXPECT_TRUE(CheckName(std::string(100, 'n')));
  for (const char* name : {"", ".", "..", ".hidden", "-f", "a/b", "a b", "a\n", "\xc3\xa4", "a*"}) {
    EXPECT_EQ(CheckName(name).error().code, Code::kInvalidArgument) << name;
  }
  EXPECT_FALSE(CheckName(std::string(101, 'n')));
}

}  // namespace
}  // namespace dare::secrets
