#include "envelope/recovery_key.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "envelope/raw_rsa_keyring.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kMostPem = 64u << 10;

}  // namespace

Result<RecoveryKey> ReadRecoveryKey(const std::string& path) {
  const Bytes pem = TRY(ReadFile(path, kMostPem));
  if (AsText(pem).find("PRIVATE KEY") != std::string_view::npos) {
    return Error(Code::kInvalidArgument,
                 path +
                     " is a private key: keep it away from machines that seal, and give its "
                     "public half (openssl pkey -pubout)");
  }
  Result<std::string> name = RsaFingerprint(pem);
  if (!name) return name.error().In(path);
  auto wrapper = RawRsaKeyWrapper::Create(std::string(kRecoveryNamespace), *name, pem,
                                          RsaPadding::kOaepSha256);
  if (!wrapper) return wrapper.error().In(path);
  return RecoveryKey{*std::move(name), *std::move(wrapper)};
}

Result<std::vector<RecoveryKey>> ReadRecoveryKeys(const std::vector<std::string>& paths) {
  std::vector<RecoveryKey> keys;
  for (const std::string& path : paths) {
    RecoveryKey key = TRY(ReadRecoveryKey(path));
    const bool known = std::any_of(
        keys.begin(), keys.end(), [&](const RecoveryKey& other) { return other.name == key.name; });
    if (!known) keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace dare::envelope
