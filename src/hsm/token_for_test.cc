#include "hsm/token_for_test.h"

#include <utility>

#include "base/check.h"
#include "hsm/nss_for_test.h"
#include "hsm/opencryptoki_for_test.h"
#include "hsm/softhsm_for_test.h"

namespace dare::hsm {
namespace {

class SoftHsmToken : public TokenForTest {
 public:
  const std::shared_ptr<Module>& module() const override { return SoftHsmForTest::Get().module(); }
};

}  // namespace

const char* NameOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kSoftHsm:
      return "SoftHsm";
    case TokenKind::kNss:
      return "Nss";
    case TokenKind::kOpenCryptoki:
      return "OpenCryptoki";
  }
  return "";
}

std::string TokenForTest::WhyNot(TokenKind kind) {
  switch (kind) {
    case TokenKind::kSoftHsm:
      return SoftHsmForTest::Available() ? "" : "SoftHSM2 is not installed";
    case TokenKind::kNss:
      return NssForTest::WhyNot();
    case TokenKind::kOpenCryptoki:
      return OpenCryptokiForTest::WhyNot();
  }
  return "";
}

TokenForTest* TokenForTest::Get(TokenKind kind) {
  if (!WhyNot(kind).empty()) return nullptr;
  switch (kind) {
    case TokenKind::kSoftHsm: {
      static SoftHsmToken token;
      return &token;
    }
    case TokenKind::kNss: {
      static NssForTest token;
      return &token;
    }
    case TokenKind::kOpenCryptoki: {
      static OpenCryptokiForTest token;
      return &token;
    }
  }
  return nullptr;
}

std::shared_ptr<SessionPool> TokenForTest::Pool(std::size_t most_sessions) {
  static_assert(std::string_view(kLabel) == SoftHsmForTest::kTokenLabel);
  static_assert(std::string_view(kUserPin) == SoftHsmForTest::kUserPin);
  SessionPoolOptions options;
  options.token_label = kLabel;
  options.most_sessions = most_sessions;
  const std::shared_ptr<Module> loaded = module();  // it starts the secure heap
  Result<std::shared_ptr<SessionPool>> pool =
      SessionPool::Open(loaded, SoftHsmForTest::Pin(), options);
  if (!pool) dare::internal::CheckFailed(pool.error().message.c_str(), __FILE__, __LINE__);
  return *std::move(pool);
}

}  // namespace dare::hsm
