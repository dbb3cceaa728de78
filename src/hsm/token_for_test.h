#pragma once

#include <memory>
#include <string>

#include "hsm/module.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

enum class TokenKind { kSoftHsm, kNss, kOpenCryptoki };
const char* NameOf(TokenKind kind);

// A real token for tests, of one of three independent implementations of PKCS#11; made at first
// use, one of a kind for the process, removed at exit. Get one before the process has threads:
// openCryptoki's changes what the calling thread, and those that it starts, see of the machine. A
// test begins with
//   TokenForTest* token = TokenForTest::Get(kind);
//   if (token == nullptr) GTEST_SKIP() << TokenForTest::WhyNot(kind);
class TokenForTest {
 public:
  static TokenForTest* Get(TokenKind kind);
  // Why there is none, "" when there is.
  static std::string WhyNot(TokenKind kind);

  virtual ~TokenForTest() = default;
  virtual const std::shared_ptr<Module>& module() const = 0;

  static constexpr const char* kLabel = "dare-test";
  static constexpr const char* kUserPin = "123456";

  // A fresh pool on the token.
  std::shared_ptr<SessionPool> Pool(std::size_t most_sessions = 8);
};

}  // namespace dare::hsm
