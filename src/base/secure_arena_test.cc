#include "base/secure_arena.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

#include "base/file.h"
#include "base/secret_bytes.h"

// A program of its own: what it tries can be done once in a process, and first. Each test can be
// the first.
namespace dare {
namespace {

constexpr std::size_t kHeap = 1 << 16;
const bool kRouted = RouteLockedAllocations();

// What the kernel says about the pages that hold `address`: the line and the flags of smaps.
std::string PagesOf(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool here = false;
  std::string found;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      here = begin <= wanted && wanted < end;
      if (here) found = line;
    }
    if (here && line.starts_with("VmFlags:")) found += "\n" + line;
  }
  return found;
}

// As a debugger or a driver reads it.
bool KernelCanRead(const void* address) {
  const FileDescriptor memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
  std::uint8_t byte = 0;
  return ::pread(memory.get(), &byte, 1, reinterpret_cast<off_t>(address)) == 1;
}

class SecureArena : public testing::Test {
 protected:
  void SetUp() override {
    if (SecureArenaKind() != ArenaKind::kNone) return;
    ASSERT_TRUE(StartSecureHeap(kHeap));
  }
};
class LockedAllocationsTest : public SecureArena {};

TEST_F(SecureArena, IsLockedMemoryThatIsNotDumpedFirst) {
  EXPECT_EQ(SecureArenaKind(), ArenaKind::kLocked);
  const auto secret = SecretBytes::CopyOf(AsBytes("secret"));
  const std::string pages = PagesOf(secret->Reveal().data());
  EXPECT_NE(pages.find(" lo"), std::string::npos) << pages;
  EXPECT_NE(pages.find(" dd"), std::string::npos) << pages;
  EXPECT_TRUE(KernelCanRead(secret->Reveal().data()));
}

TEST_F(SecureArena, IsNotExchangedUnderWhatIsInIt) {
  const auto secret = SecretBytes::CopyOf(AsBytes("secret"));
  EXPECT_FALSE(HideSecureArena());
  EXPECT_EQ(SecureArenaKind(), ArenaKind::kLocked);
}

TEST_F(SecureArena, IsHiddenFromTheKernelWhereItCanBe) {
  const auto kind = HideSecureArena();
  ASSERT_TRUE(kind);
  const auto secret = SecretBytes::CopyOf(AsBytes("secret"));
  ASSERT_TRUE(secret);
  EXPECT_EQ(AsText(secret->Reveal()), "secret");
  const std::string pages = PagesOf(secret->Reveal().data());
  EXPECT_NE(pages.find(" lo"), std::string::npos) << pages;
  EXPECT_NE(pages.find(" dd"), std::string::npos) << pages;
  EXPECT_EQ(*HideSecureArena(), *kind) << "once is enough";
  if (*kind != ArenaKind::kSecret) GTEST_SKIP() << "SKIPPED: this kernel has no memfd_secret";
  EXPECT_NE(pages.find("secretmem"), std::string::npos) << pages;
  EXPECT_FALSE(KernelCanRead(secret->Reveal().data()));
}

TEST_F(SecureArena, IsWhollyThereAndEmptyBehindGuardPages) {
  const auto all = SecretBytes::OfSize(kHeap);
  ASSERT_TRUE(all);
  const std::uint8_t* const begin = all->Reveal().data();
  EXPECT_NE(PagesOf(begin - 1).find(" ---p "), std::string::npos) << PagesOf(begin - 1);
  EXPECT_NE(PagesOf(begin + kHeap).find(" ---p "), std::string::npos) << PagesOf(begin + kHeap);
  for (const std::uint8_t byte : all->Reveal()) ASSERT_EQ(byte, 0);
}

TEST_F(LockedAllocationsTest, PutWhatOpenSslAllocatesIntoTheHeap) {
  ASSERT_TRUE(kRouted);
  const std::size_t before = CRYPTO_secure_used();
  void* inside = nullptr;
  {
    const LockedAllocations locked;
    inside = OPENSSL_malloc(100);
  }
  void* const outside = OPENSSL_malloc(100);
  EXPECT_EQ(CRYPTO_secure_allocated(inside), 1);
  EXPECT_EQ(CRYPTO_secure_allocated(outside), 0);
  std::memcpy(inside, "expanded key", 12);
  inside = OPENSSL_realloc(inside, 1000);
  EXPECT_EQ(CRYPTO_secure_allocated(inside), 1) << "what grows stays there";
  EXPECT_EQ(std::memcmp(inside, "expanded key", 12), 0);
  OPENSSL_free(inside);
  OPENSSL_free(outside);
  EXPECT_EQ(CRYPTO_secure_used(), before);
}

TEST_F(LockedAllocationsTest, FallBackToNothing) {
  const auto all = SecretBytes::OfSize(kHeap);
  const LockedAllocations locked;
  EXPECT_EQ(OPENSSL_malloc(100), nullptr);
}

}  // namespace
}  // namespace dare
