#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dare {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(StartSecureHeap(1 << 16));
    char name[] = "/tmp/dare-file-test.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { ASSERT_EQ(::system(("rm -rf " + folder_).c_str()), 0); }
  std::string folder_;
};

TEST_F(FileTest, WritesWholeFilesWithTheirMode) {
  const std::string path = folder_ + "/a";
  ASSERT_TRUE(WriteFileDurably(path, AsBytes("one"), 0640));
  ASSERT_TRUE(WriteFileDurably(path, AsBytes("two"), 0600));
  EXPECT_EQ(AsText(*ReadFile(path)), "two");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(FileTest, DoesNotReplaceWhenToldNotTo) {
  const std::string path = folder_ + "/a";
  ASSERT_TRUE(WriteFileDurably(path, AsBytes("one"), 0600, false));
  EXPECT_EQ(WriteFileDurably(path, AsBytes("two"), 0600, false).error().code, Code::kAlreadyExists);
  EXPECT_EQ(AsText(*ReadFile(path)), "one");
}

TEST_F(FileTest, RefusesSecretsThatOthersMayRead) {
  const std::string path = folder_ + "/pin";
  ASSERT_TRUE(WriteFileDurably(path, AsBytes("1234\n"), 0600));
  EXPECT_EQ(AsText(ReadSecretFile(path, true)->Reveal()), "1234");
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(ReadSecretFile(path).error().code, Code::kDenied);
}

TEST_F(FileTest, ReadsNoMoreThanTheLimit) {
  const std::string path = folder_ + "/big";
  ASSERT_TRUE(WriteFileDurably(path, Bytes(100), 0600));
  EXPECT_EQ(ReadFile(path, 99).error().code, Code::kTooLarge);
  EXPECT_EQ(ReadFile(path, 100)->size(), 100u);
}

}  // namespace
}  // namespace dare
