#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>

#include "base/check.h"
#include "hsm/softhsm_for_test.h"

namespace dare::hsm {

// SoftHsmForTest's token behind a module that fails on demand: a copy of tests/hsm/faulty_module.c,
// which says what the orders mean. One at a time.
class FaultyTokenForTest {
 public:
  // In the order of the module's FUNCTIONS.
  enum Function : std::size_t {
    kGetSlotList,
    kGetTokenInfo,
    kOpenSession,
    kCloseSession,
    kGetSessionInfo,
    kLogin,
    kFindObjectsInit,
    kGetAttributeValue,
    kEncryptInit,
    kEncrypt,
    kDecryptInit,
    kDecrypt,
    kSignInit,
    kSign,
    kGenerateKey,
    kFunctions
  };

  FaultyTokenForTest() {
    const SoftHsmForTest& softhsm = SoftHsmForTest::Get();
    CHECK(setenv("DARE_TEST_REAL_MODULE", softhsm.module_path().c_str(), 1) == 0);
    static int copies = 0;  // a module that was loaded once would be loaded again as it was
    const std::string copy = softhsm.folder() + "/faulty-" + std::to_string(++copies) + ".so";
    CHECK(std::filesystem::copy_file(DARE_FAULTY_MODULE, copy));
    const int file = open((copy + ".control").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(file >= 0 && ftruncate(file, sizeof(Row) * kFunctions) == 0);
    void* const mapped =
        mmap(nullptr, sizeof(Row) * kFunctions, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(mapped != MAP_FAILED);
    close(file);
    rows_ = static_cast<Row*>(mapped);
    auto loaded = Module::Load(copy);
    CHECK(loaded.has_value());
    module = *loaded;
  }
  ~FaultyTokenForTest() { Mend(); }  // the module keeps its map, and so do we
  FaultyTokenForTest(const FaultyTokenForTest&) = delete;
  FaultyTokenForTest& operator=(const FaultyTokenForTest&) = delete;

  std::shared_ptr<SessionPool> Pool(SecretBytes pin, SessionPoolOptions options) {
    auto pool = SessionPool::Open(module, std::move(pin), std::move(options));
    CHECK(pool.has_value());
    return *pool;
  }
  std::shared_ptr<SessionPool> Pool(const std::string& label, SecretBytes pin) {
    SessionPoolOptions options;
    options.token_label = label;
    options.most_sessions = 4;
    return Pool(std::move(pin), options);
  }

  // `function` answers `rv`, `times` times or (-1) until it is mended.
  void Fail(Function function, unsigned long rv, std::int64_t times = -1) {
    rows_[function].answer = rv;
    rows_[function].left = rv == 0 ? 0 : times;
  }
  // Opening sessions and starting to encrypt, decrypt or sign answer `rv`: the token is away.
  void Fail(unsigned long rv) {
    for (const Function f : {kOpenSession, kEncryptInit, kDecryptInit, kSignInit}) Fail(f, rv);
  }
  // `function` does not come back until it is mended.
  void Hang(Function function) {
    rows_[function].hang = 1;
    rows_[function].left = -1;
  }
  void Mend() {
    for (std::size_t f = 0; f < kFunctions; ++f) {
      rows_[f].left = 0;
      rows_[f].answer = 0;
      rows_[f].hang = 0;
    }
  }
  std::uint64_t Calls(Function function) const { return rows_[function].calls; }
  std::uint64_t Hanging(Function function) const { return rows_[function].hanging; }
  // Sessions that are open now, as long as all were closed one by one.
  long Sessions() const {
    return static_cast<long>(Calls(kOpenSession)) - static_cast<long>(Calls(kCloseSession));
  }

  std::shared_ptr<Module> module;

 private:
  struct Row {
    std::atomic<std::uint64_t> calls, hanging;
    std::atomic<std::int64_t> left;
    std::atomic<std::uint64_t> answer, delay, hang;
  };
  static_assert(sizeof(Row) == 48);
  Row* rows_;
};

}  // namespace dare::hsm
