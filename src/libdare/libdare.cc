// Clients, streams and files of the C interface (include/dare/dare.h).
#include <dare/dare.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include "base/secret_bytes.h"
#include "client/listener.h"
#include "crypto/fips_policy.h"
#include "envelope/recovery_key.h"
#include "envelope/rewrap.h"
#include "envelope/sealed_file.h"
#include "libdare/border.h"
#include "libdare/callbacks.h"
#include "libdare/handle.h"

namespace dare::lib {
namespace {

constexpr std::size_t kSecureHeapBytes = 1 << 20;
constexpr std::size_t kMostCacheEntries = 10'000;  // what the secure heap has room for, and more
// The sizes of structures before what follows was added to them.
constexpr std::size_t kLimitsBeforeListen = offsetof(dare_cache_limits, listen);
constexpr std::size_t kCountsBeforeRecalls = offsetof(dare_cache_counts, recalls);

Result<std::unique_ptr<dare_client>> NewClient(const char* config_path) {
  TRY(StartSecureHeap(kSecureHeapBytes));
  const client::Config config = TRY(client::LoadConfig(
      config_path != nullptr ? config_path : std::string(client::kDefaultConfigFile)));
  TRY(crypto::ApplyPolicy(config.crypto_policy, crypto::ProviderLoading::kMustBeInForce));
  auto client = std::make_unique<dare_client>();
  client->kms = TRY(client::KmsClient::Create(config));
  for (envelope::RecoveryKey& key : TRY(envelope::ReadRecoveryKeys(config.recovery_keys))) {
    client->recovery.push_back(std::move(key.wrapper));
  }
  client->cancel = CancelFlag::Under(nullptr);
  return client;
}

std::unique_ptr<dare_client> MadeOf(const dare_client& client) {
  auto made = std::make_unique<dare_client>(client);
  made->cancel = CancelFlag::Under(client.cancel);
  return made;
}

// What a caller gave, who may have been built when the structure was smaller.
Result<dare_cache_limits> WholeLimits(const dare_cache_limits& given) {
  dare_cache_limits limits = DARE_CACHE_LIMITS;
  if (given.struct_size != sizeof limits && given.struct_size != kLimitsBeforeListen) {
    return Error(Code::kInvalidArgument, "the size of the cache's limits is not one we know");
  }
  std::memcpy(&limits, &given, given.struct_size);
  return limits;
}

Result<envelope::DekCacheLimits> LimitsOf(const dare_cache_limits& given,
                                          const client::KmsClient& kms) {
  const dare_cache_limits limits = TRY(WholeLimits(given));
  if (limits.entries > kMostCacheEntries) {
    return Error(Code::kInvalidArgument, "a cache keeps at most 10,000 keys");
  }
  envelope::DekCacheLimits checked{.time = std::chrono::seconds(limits.seconds),
                                   .uses = limits.uses,
                                   .bytes = limits.bytes,
                                   .entries = limits.entries,
                                   .refresh = std::chrono::seconds(limits.refresh_seconds),
                                   .unheard = std::nullopt};
  if (limits.listen == 0) return checked;
  TRY(client::Listener::CheckVersion(kms.version()));
  checked.unheard = std::chrono::seconds(limits.deaf_seconds);
  return checked;
}

Result<envelope::DekCache*> CacheOf(dare_client* client) {
  TRY(RequireArguments(client != nullptr));
  if (client->cache == nullptr) {
    return Error(Code::kInvalidArgument, "this handle has no cache (dare_client_with_cache)");
  }
  return &client->cache->deks();
}

}  // namespace
}  // namespace dare::lib

using dare::Result;
using dare::lib::AtBorder;
using dare::lib::Call;
using dare::lib::RequireArguments;

extern "C" {

const char* dare_version(void) { return DARE_VERSION; }

dare_status dare_client_new(const char* config_path, dare_client** client) {
  if (client != nullptr) *client = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr));
    *client = TRY(dare::lib::NewClient(config_path)).release();
    return {};
  });
}

void dare_client_free(dare_client* client) {
  const dare::lib::WithoutSigpipe without_sigpipe;  // closing says good-bye to the key servers
  delete client;
}

dare_status dare_client_with_timeout(dare_client* client, uint32_t milliseconds,
                                     dare_client** limited) {
  if (limited != nullptr) *limited = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && limited != nullptr));
    std::unique_ptr<dare_client> made = dare::lib::MadeOf(*client);
    if (milliseconds != 0) made->timeout = std::chrono::milliseconds(milliseconds);
    *limited = made.release();
    return {};
  });
}

dare_status dare_client_with_cache(dare_client* client, const dare_cache_limits* limits,
                                   dare_client** caching) {
  if (caching != nullptr) *caching = nullptr;
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && limits != nullptr && caching != nullptr));
    const auto checked = TRY(dare::lib::LimitsOf(*limits, *client->kms));
    std::unique_ptr<dare_client> made = dare::lib::MadeOf(*client);
    made->cache = std::make_shared<dare::lib::KeyCache>(*client->kms, checked);
    *caching = made.release();
    return {};
  });
}

void dare_cancel(dare_client* client) {
  if (client != nullptr) client->cancel->Set();
}

dare_status dare_cache_flush(dare_client* client) {
  return AtBorder([&]() -> Result<void> {
    TRY(dare::lib::CacheOf(client))->Flush();
    return {};
  });
}

dare_status dare_cache_count(dare_client* client, dare_cache_counts* counts) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(counts != nullptr));
    const bool whole = counts->struct_size == sizeof(dare_cache_counts);
    if (!whole && counts->struct_size != dare::lib::kCountsBeforeRecalls) {
      return dare::Error(dare::Code::kInvalidArgument, "the size of the counts is not one we know");
    }
    const dare::envelope::DekCacheCounts now = TRY(dare::lib::CacheOf(client))->counts();
    counts->entries = now.entries;
    counts->hits = now.hits;
    counts->misses = now.misses;
    counts->refreshes = now.refreshes;
    if (!whole) return {};
    counts->recalls = now.recalls;
    counts->listens = now.hears ? 1 : 0;
    return {};
  });
}

dare_status dare_seal_stream(dare_client* client, const char* key, dare_read read, dare_write write,
                             void* user) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && read != nullptr && write != nullptr));
    Call call(*client);
    const dare::envelope::Keyring keks = TRY(call.SealingKeyring(key));
    dare::lib::CallbackSource in(read, user);
    dare::lib::CallbackSink out(write, user);
    TRY(dare::envelope::SealStream(in, out, keks, dare::lib::SealOptionsOf(call, 0)));
    return {};
  });
}

dare_status dare_open_stream(dare_client* client, dare_read read, dare_write write, void* user) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && read != nullptr && write != nullptr));
    Call call(*client);
    dare::lib::CallbackSource in(read, user);
    dare::lib::CallbackSink out(write, user);
    const dare::envelope::Keyring keks = TRY(call.OpeningKeyring());
    TRY(dare::envelope::OpenStream(in, out, keks, dare::lib::OpenOptionsOf(call, 0)));
    return {};
  });
}

dare_status dare_seal_file(dare_client* client, const char* key, const char* in, const char* out,
                           int replace) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && in != nullptr && out != nullptr));
    Call call(*client);
    const dare::envelope::Keyring keks = TRY(call.SealingKeyring(key));
    TRY(dare::envelope::SealFile(in, out, keks, dare::lib::SealOptionsOf(call, replace)));
    return {};
  });
}

dare_status dare_open_file(dare_client* client, const char* in, const char* out, int replace) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && in != nullptr && out != nullptr));
    Call call(*client);
    const dare::envelope::Keyring keks = TRY(call.OpeningKeyring());
    TRY(dare::envelope::OpenFile(in, out, keks, dare::lib::OpenOptionsOf(call, replace)));
    return {};
  });
}

dare_status dare_rewrap_file(dare_client* client, const char* key, const char* file) {
  return AtBorder([&]() -> Result<void> {
    TRY(RequireArguments(client != nullptr && file != nullptr));
    Call call(*client);
    const dare::envelope::Keyring new_keks = TRY(call.SealingKeyring(key));
    const dare::envelope::Keyring old_keks = TRY(call.OpeningKeyring());
    TRY(dare::envelope::RewrapFile(file, {old_keks, new_keks}));
    return {};
  });
}

}  // extern "C"
