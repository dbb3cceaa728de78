#include "server/credential_store.h"

#include <algorithm>

namespace dare::server {
namespace {

constexpr std::size_t kMostNameBytes = 1024;

Result<void> CheckName(const std::string& name, const char* what) {
  const bool control = std::ranges::any_of(
      name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  if (!name.empty() && name.size() <= kMostNameBytes && !control) return {};
  return Error(Code::kInvalidArgument, std::string(what) + " is empty, too long or not a name");
}

}  // namespace

Result<void> CheckCredential(const StoredCredential& credential) {
  TRY(CheckName(credential.login, "the login"));
  TRY(CheckName(credential.principal, "the principal"));
  for (const std::string& group : credential.groups) TRY(CheckName(group, "a group"));
  return {};
}

}  // namespace dare::server
