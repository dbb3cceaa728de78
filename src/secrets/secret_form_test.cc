#include "secrets/secret_form.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "secrets/secrets_for_test.h"

namespace dare::secrets {
namespace {

std::string Encoded(SecretForm form, ByteView random) {
  return TextForTest(EncodeSecret(form, SecretForTest(random)).value());
}

// RFC 4648, section 10; without the padding.
TEST(SecretForm, WritesTheExamplesOfRfc4648) {
  const std::string text = "foobar";
  const std::string base64[] = {"Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
  const std::string hex[] = {"66", "666f", "666f6f", "666f6f62", "666f6f6261", "666f6f626172"};
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const ByteView random = AsBytes(text).first(size);
    EXPECT_EQ(Encoded(SecretForm::kBase64Url, random), base64[size - 1]);
    EXPECT_EQ(Encoded(SecretForm::kHex, random), hex[size - 1]);
  }
}

TEST(SecretForm, WritesTheCharactersOfUrls) {
  EXPECT_EQ(Encoded(SecretForm::kBase64Url, Bytes{0xfb, 0xff, 0xfe}), "-__-");
}

// arXiv:0901.4016, the table of addresses.
TEST(SecretForm, WritesTheExamplesOfTheProquints) {
  EXPECT_EQ(Encoded(SecretForm::kPassphrase, Bytes{127, 0, 0, 1}), "lusab-babad");
  EXPECT_EQ(Encoded(SecretForm::kPassphrase, Bytes{63, 84, 220, 193}), "gutih-tugad");
  EXPECT_EQ(Encoded(SecretForm::kPassphrase, Bytes{216, 35, 68, 215}), "tobog-higil");
  EXPECT_EQ(Encoded(SecretForm::kPassphrase, Bytes{255, 255}), "zuzuz");
}

TEST(SecretForm, MakesSecretsOfTheirSize) {
  EXPECT_EQ(MakeSecret(SecretForm::kHex, 32).value().size(), 64u);
  EXPECT_EQ(MakeSecret(SecretForm::kBase64Url, 32).value().size(), 43u);
  EXPECT_EQ(MakeSecret(SecretForm::kPassphrase, 16).value().size(), 8u * 5 + 7);
}

TEST(SecretForm, MakesEachSecretAnew) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    seen.insert(TextForTest(MakeSecret(SecretForm::kPassphrase, 16).value()));
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST(SecretForm, RefusesWhatIsTooShortTooLongOrHalfAWord) {
  for (const std::size_t bytes : {0u, 15u, 1025u}) {
    EXPECT_EQ(MakeSecret(SecretForm::kHex, bytes).error().code, Code::kInvalidArgument) << bytes;
  }
  EXPECT_EQ(MakeSecret(SecretForm::kPassphrase, 17).error().code, Code::kInvalidArgument);
  EXPECT_TRUE(MakeSecret(SecretForm::kHex, 1024));
}

TEST(SecretForm, DoesNotMakeWhatIsBrought) {
  for (const SecretForm form : {SecretForm::kText, SecretForm::kBinary}) {
    EXPECT_EQ(MakeSecret(form, 32).error().code, Code::kInvalidArgument);
  }
}

TEST(SecretForm, KnowsItsNamesBothWays) {
  for (const SecretForm form : {SecretForm::kHex, SecretForm::kBase64Url, SecretForm::kPassphrase,
                                SecretForm::kText, SecretForm::kBinary}) {
    EXPECT_EQ(ParseForm(FormName(form)), form);
  }
  EXPECT_EQ(ParseForm("Hex"), std::nullopt);
  EXPECT_EQ(ParseForm(""), std::nullopt);
}

}  // namespace
}  // namespace dare::secrets
