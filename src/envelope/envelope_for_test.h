#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/secret_bytes.h"
#include "envelope/keyring.h"

// What the tests of this folder share: keys that are made up, and a folder that goes away.
namespace dare::envelope {

// Before any test, whichever runs alone.
inline const bool kSecureHeapStarted = StartSecureHeap(1 << 20).has_value();

inline SecretBytes SecretForTest(ByteView bytes) {
  EXPECT_TRUE(kSecureHeapStarted);
  return SecretBytes::CopyOf(bytes).value();
}

// A raw AES key of 32 equal bytes.
inline Keyring KekForTest(std::uint8_t byte, const std::string& name = "kek-0001") {
  return {
      RawAesKeyWrapper::Create("kmip:kms.example", name, SecretForTest(Bytes(32, byte))).value()};
}

// Not random, not periodic in any power of two.
inline Bytes PatternForTest(std::size_t size) {
  Bytes bytes(size);
  std::uint32_t x = 1;
  for (std::uint8_t& byte : bytes) {
    x = x * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(x >> 24);
  }
  return bytes;
}

// A wrapper that fails as told, or passes on.
class KmsForTest final : public KeyWrapper {
 public:
  explicit KmsForTest(Keyring inner) : inner_(std::move(inner)) {}
  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override {
    if (failure) return *failure;
    return inner_[0]->Wrap(dek, aad);
  }
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) override {
    ++unwraps;
    if (failure) return *failure;
    return inner_[0]->Unwrap(edk, aad);
  }

  std::optional<Error> failure;
  int unwraps = 0;

 private:
  Keyring inner_;
};

class FolderForTest {
 public:
  FolderForTest() {
    std::string name = std::filesystem::temp_directory_path() / "dare-envelope-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~FolderForTest() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::string path_;
};

inline void WriteForTest(const std::string& path, ByteView content) {
  ASSERT_TRUE(WriteFileDurably(path, content, 0644));
}
inline Bytes ReadForTest(const std::string& path) { return ReadFile(path, 1u << 30).value(); }

}  // namespace dare::envelope
