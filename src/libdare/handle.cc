#include "libdare/handle.h"

#include <algorithm>
#include <utility>

#include "client/key_directory.h"
#include "client/listener.h"
#include "envelope/io.h"
#include "envelope/kms_keyring.h"

namespace dare::lib {
namespace {

using envelope::Keyring;
using envelope::KmsKeyWrapper;

// No limit but those of the configuration.
constexpr std::chrono::hours kForever{24 * 365};

// The key `name`, and the recovery keys behind it.
Result<Keyring> KeyringOf(client::KmsClient& kms, const std::string& name,
                          const Keyring& recovery) {
  client::KeyDirectory directory(kms);
  std::string id = TRY(directory.Resolve(name));
  Keyring keyring{std::make_shared<KmsKeyWrapper>(kms, std::move(id))};
  keyring.insert(keyring.end(), recovery.begin(), recovery.end());
  return keyring;
}

Result<envelope::WrappedDek> AskForDek(client::KmsClient& kms, const std::string& name,
                                       const Keyring& recovery, ByteView aad) {
  return envelope::MakeWrappedDek(TRY(KeyringOf(kms, name, recovery)), aad, true);
}

}  // namespace

std::shared_ptr<CancelFlag> CancelFlag::Under(const std::shared_ptr<CancelFlag>& parent) {
  auto flag = std::make_shared<CancelFlag>();
  if (parent == nullptr) return flag;
  MutexLock lock(parent->mutex_);
  std::erase_if(parent->below_, [](const auto& below) { return below.expired(); });
  parent->below_.push_back(flag);
  flag->set_ = parent->set_.load();
  return flag;
}

void CancelFlag::Set() {
  std::vector<std::weak_ptr<CancelFlag>> below;
  {
    MutexLock lock(mutex_);
    set_ = true;
    below.swap(below_);
  }
  for (const std::weak_ptr<CancelFlag>& weak : below) {
    if (const auto flag = weak.lock()) flag->Set();
  }
}

KeyCache::KeyCache(const client::KmsClient& kms, const envelope::DekCacheLimits& limits)
    : wants_listener_(limits.unheard.has_value()),
      later_(kms.Within({kForever, &ending_})),
      deks_(limits) {}

KeyCache::~KeyCache() { ending_ = true; }

envelope::DekCache& KeyCache::Use() {
  if (wants_listener_ && !listens_.load(std::memory_order_acquire)) Listen();
  return deks_;
}

void KeyCache::Listen() {
  const MutexLock lock(mutex_);
  if (listener_ != nullptr) return;
  // No thread to be had: the cache is deaf, and the next call tries again.
  auto started = client::Listener::Start(later_, ear_);
  if (!started) return;
  listener_ = *std::move(started);
  listens_.store(true, std::memory_order_release);
}

Call::Call(const dare_client& client)
    : client_(client),
      kms_(client.kms->Within(
          {client.timeout.value_or(std::chrono::milliseconds(kForever)), client.cancel->flag()})) {}

Result<std::string> Call::KeyName(const char* key) const {
  std::string name = key != nullptr ? key : config().default_key;
  if (!name.empty()) return name;
  return Error(Code::kInvalidArgument, "no key given, and no default_key in " + config().path);
}

Result<Keyring> Call::SealingKeyring(const char* key) {
  return KeyringOf(kms_, TRY(KeyName(key)), client_.recovery);
}

Result<void> Call::RequireNotCancelled() const {
  if (!cancelled()->load()) return {};
  return envelope::Cancelled();
}

Result<Keyring> Call::OpeningKeyring() {
  TRY(RequireNotCancelled());
  auto now = std::make_shared<KmsKeyWrapper>(kms_);
  if (client_.cache == nullptr) return Keyring{std::move(now)};
  KeyCache& cache = *client_.cache;
  return Keyring{std::make_shared<envelope::CachingKeyWrapper>(
      cache.Use(), std::move(now), std::make_shared<KmsKeyWrapper>(cache.later()))};
}

Result<std::shared_ptr<const envelope::WrappedDek>> Call::SealingDek(
    const char* key, const envelope::EncryptionContext& context, std::uint64_t bytes) {
  TRY(RequireNotCancelled());
  const std::string name = TRY(KeyName(key));
  const Bytes aad = context.Serialize();
  if (client_.cache == nullptr) {
    envelope::WrappedDek dek = TRY(AskForDek(kms_, name, client_.recovery, aad));
    return std::make_shared<const envelope::WrappedDek>(std::move(dek));
  }
  KeyCache& cache = *client_.cache;
  return cache.Use().ForSealing(
      name, aad, bytes, [&] { return AskForDek(kms_, name, client_.recovery, aad); },
      [&cache, name, recovery = client_.recovery, aad] {
        return AskForDek(cache.later(), name, recovery, aad);
      });
}

}  // namespace dare::lib
