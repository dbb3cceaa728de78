#include "secrets/secret_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "secrets/secrets_for_test.h"

namespace dare::secrets {
namespace {

namespace fs = std::filesystem;

class SecretStoreTest : public testing::Test {
 protected:
  Result<void> Put(const std::string& name, std::string_view value, bool replace = false) {
    return store_.Put(FactsForTest(name), SecretForTest(AsBytes(value)), KekForTest(1), replace);
  }
  std::string Value(const std::string& name, const envelope::Keyring& keks = KekForTest(1)) {
    const auto opened = store_.Get(name, keks);
    return opened ? TextForTest(opened->value) : "error: " + opened.error().message;
  }
  std::string File(const std::string& name) { return store_.folder() + "/" + name + ".secret"; }
  mode_t ModeOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  envelope::FolderForTest folder_;
  SecretStore store_{folder_ / "deep/secrets"};
};

TEST_F(SecretStoreTest, KeepsSecretsInAFolderOfItsOwn) {
  ASSERT_TRUE(Put("restic", "one"));
  ASSERT_TRUE(Put("borg", "two"));
  EXPECT_EQ(Value("restic"), "one");
  EXPECT_EQ(Value("borg"), "two");
  EXPECT_EQ(ModeOf(store_.folder()), 0700u);
  EXPECT_EQ(ModeOf(File("restic")), 0600u);
  EXPECT_EQ(std::distance(fs::directory_iterator(store_.folder()), {}), 2);
}

TEST_F(SecretStoreTest, MakesThePrivateFolderHoweverItIsWritten) {
  SecretStore store((folder_ / "other/secrets") + "//");
  ASSERT_TRUE(store.Put(FactsForTest("s"), SecretForTest(AsBytes("x")), KekForTest(1), false));
  EXPECT_EQ(ModeOf(folder_ / "other/secrets"), 0700u);
  EXPECT_EQ(ModeOf(folder_ / "other") & 0022u, 0u);
}

TEST_F(SecretStoreTest, NeverOverwritesUnasked) {
  ASSERT_TRUE(Put("s", "old"));
  auto kms = std::make_shared<envelope::KmsForTest>(KekForTest(1));
  kms->failure = Error(Code::kInternal, "was asked to wrap");
  const auto again = store_.Put(FactsForTest("s"), SecretForTest(AsBytes("new")), {kms}, false);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
  EXPECT_EQ(Value("s"), "old");
  ASSERT_TRUE(Put("s", "new", true));
  EXPECT_EQ(Value("s"), "new");
}

TEST_F(SecretStoreTest, LeavesNothingWhenTheKeyServerRefuses) {
  auto kms = std::make_shared<envelope::KmsForTest>(KekForTest(1));
  kms->failure = Error(Code::kDenied, "no");
  ASSERT_TRUE(Put("s", "old"));
  for (const char* name : {"s", "t"}) {
    const auto put = store_.Put(FactsForTest(name), SecretForTest(AsBytes("new")), {kms}, true);
    EXPECT_EQ(put.error().code, Code::kDenied);
  }
  EXPECT_EQ(Value("s"), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(store_.folder()), {}), 1);
}

TEST_F(SecretStoreTest, TellsWhatIsNotThere) {
  EXPECT_EQ(store_.Get("s", KekForTest(1)).error().code, Code::kNotFound);
  EXPECT_EQ(store_.Remove("s").error().code, Code::kNotFound);
  EXPECT_EQ(store_.Rewrap("s", KekForTest(1), KekForTest(2)).error().code, Code::kNotFound);
  EXPECT_FALSE(fs::exists(store_.folder())) << "only a secret makes the folder";
  ASSERT_TRUE(Put("t", "x"));
  EXPECT_EQ(store_.Get("s", KekForTest(1)).error().code, Code::kNotFound);
}

TEST_F(SecretStoreTest, RefusesNamesThatLeadElsewhere) {
  ASSERT_TRUE(Put("s", "x"));
  fs::copy_file(File("s"), folder_ / "deep/out.secret");
  for (const char* name : {"../out", "", ".", "a/b"}) {
    EXPECT_EQ(store_.Get(name, KekForTest(1)).error().code, Code::kInvalidArgument);
    EXPECT_EQ(store_.Remove(name).error().code, Code::kInvalidArgument);
    EXPECT_EQ(store_.Rewrap(name, KekForTest(1), KekForTest(2)).error().code,
              Code::kInvalidArgument);
    EXPECT_EQ(Put(name, "x", true).error().code, Code::kInvalidArgument);
  }
}

TEST_F(SecretStoreTest, NoticesSecretsThatWereSwapped) {
  ASSERT_TRUE(Put("a", "of a"));
  ASSERT_TRUE(Put("b", "of b"));
  fs::rename(File("a"), File("c"));
  fs::rename(File("b"), File("a"));
  fs::rename(File("c"), File("b"));
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(store_.Get(name, KekForTest(1)).error().code, Code::kDamaged);
  }
  const auto listed = store_.List().value();
  ASSERT_EQ(listed.size(), 2u);
  for (const ListedSecret& secret : listed) EXPECT_EQ(secret.facts.error().code, Code::kDamaged);
}

TEST_F(SecretStoreTest, TakesDamageForDamage) {
  ASSERT_TRUE(Put("s", "x"));
  for (const Bytes& content : {Bytes(), Bytes(100, 0), Bytes(kMostMessageBytes + 1, 2)}) {
    envelope::WriteForTest(File("s"), content);
    const Error error = store_.Get("s", KekForTest(1)).error();
    EXPECT_EQ(error.code, Code::kDamaged);
    EXPECT_EQ(error.message, "secret s: not a secret or damaged");
  }
}

TEST_F(SecretStoreTest, RefusesAFolderThatOthersMayWriteTo) {
  ASSERT_TRUE(Put("s", "x"));
  fs::permissions(store_.folder(), fs::perms::group_write, fs::perm_options::add);
  EXPECT_NE(Value("s").find("chmod 700"), std::string::npos);
  EXPECT_EQ(Put("t", "x").error().code, Code::kIo);
}

TEST_F(SecretStoreTest, ListsWhatIsThereByName) {
  EXPECT_TRUE(store_.List().value().empty());
  for (const char* name : {"b", "a", "c"}) ASSERT_TRUE(Put(name, "x"));
  envelope::WriteForTest(File("broken"), Bytes(10, 2));
  envelope::WriteForTest(store_.folder() + "/notes.txt", Bytes(10, 'x'));
  envelope::WriteForTest(store_.folder() + "/a.secret.tmp.1234", Bytes(10, 'x'));
  std::string names;
  const std::vector<ListedSecret> listed = store_.List().value();
  for (const ListedSecret& secret : listed) {
    names += secret.name + (secret.facts ? " " : "! ");
  }
  EXPECT_EQ(names, "a b broken! c ");
}

TEST_F(SecretStoreTest, RemovesOneOnly) {
  ASSERT_TRUE(Put("a", "x"));
  ASSERT_TRUE(Put("b", "y"));
  ASSERT_TRUE(store_.Remove("a"));
  EXPECT_EQ(store_.Get("a", KekForTest(1)).error().code, Code::kNotFound);
  EXPECT_EQ(Value("b"), "y");
}

TEST_F(SecretStoreTest, RewrapsUnderAnotherKeyAsANewMessage) {
  ASSERT_TRUE(Put("s", "kept"));
  const Bytes before = envelope::ReadForTest(File("s"));
  const SecretFacts facts = store_.Rewrap("s", KekForTest(1), KekForTest(2, "kek-0002")).value();
  EXPECT_EQ(facts.keys, std::vector<std::string>{"kek-0002"});
  EXPECT_EQ(facts.made, 1'700'000'000);
  EXPECT_EQ(Value("s", KekForTest(2, "kek-0002")), "kept");
  EXPECT_EQ(store_.Get("s", KekForTest(1)).error().code, Code::kDamaged);
  // The message id, bytes 3 to 35, is another one: no id ever gets a second header.
  const Bytes after = envelope::ReadForTest(File("s"));
  EXPECT_NE(ToHex(ByteView(before).subspan(3, 32)), ToHex(ByteView(after).subspan(3, 32)));
}

TEST_F(SecretStoreTest, KeepsTheOldMessageWhenRewrappingFails) {
  ASSERT_TRUE(Put("s", "kept"));
  auto kms = std::make_shared<envelope::KmsForTest>(KekForTest(2));
  kms->failure = Error(Code::kDenied, "no");
  EXPECT_EQ(store_.Rewrap("s", KekForTest(1), {kms}).error().code, Code::kDenied);
  EXPECT_EQ(Value("s"), "kept");
}

}  // namespace
}  // namespace dare::secrets
