#include "crypto/ansi_x931_provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <chrono>
#include <mutex>
#include <optional>

#include "crypto/ansi_x931.h"
#include "crypto/random.h"

namespace dare::crypto {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::uint64_t kBlocksOfAKey = 4096;  // then it is keyed and seeded anew
constexpr std::size_t kMostBytes = 1u << 16;   // of one call

// One instance, which OpenSSL makes for each thread and for each of its two purposes.
struct Instance {
  std::optional<AnsiX931> generator;
  std::uint64_t left = 0;     // blocks with this key
  std::uint64_t counter = 0;  // low half of the date and time
  int state = EVP_RAND_STATE_UNINITIALISED;
  std::mutex lock;  // OpenSSL calls Lock and Unlock around the shared instance
};

Instance& InstanceOf(void* context) { return *static_cast<Instance*>(context); }

// Date and time: nanoseconds since 1970, then a counter, so that no two blocks have the same.
AnsiX931::Block Now(Instance& instance) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  AnsiX931::Block block;
  PutU64(block.data(), static_cast<std::uint64_t>(
                           std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
  PutU64(block.data() + 8, instance.counter);
  return block;
}

Result<void> Rekey(Instance& instance) {
  SecretBytes fresh = TRY(SecretBytes::Random(kKeyBytes + AnsiX931::kBlock));
  AnsiX931::Block seed;
  std::copy_n(fresh.Reveal().begin() + kKeyBytes, seed.size(), seed.begin());
  Result<AnsiX931> made = AnsiX931::Make(fresh.Reveal().first(kKeyBytes), seed, Now(instance));
  Wipe(seed);
  instance.generator.reset();
  instance.generator.emplace(TRY(std::move(made)));
  instance.left = kBlocksOfAKey;
  return {};
}

Result<void> Fill(Instance& instance, MutableBytes out, bool fresh) {
  const std::uint64_t blocks = (out.size() + AnsiX931::kBlock - 1) / AnsiX931::kBlock;
  if (fresh || !instance.generator || instance.left < blocks) TRY(Rekey(instance));
  instance.generator->SetDateTime(Now(instance));
  instance.counter += blocks;
  instance.left -= blocks;
  return instance.generator->Generate(out);
}

void* New(void*, void*, const OSSL_DISPATCH*) noexcept { return new (std::nothrow) Instance; }
void Free(void* context) noexcept { delete static_cast<Instance*>(context); }

int Instantiate(void* context, unsigned int, int, const unsigned char*, std::size_t,
                const OSSL_PARAM*) noexcept {
  Instance& instance = InstanceOf(context);
  instance.state = Rekey(instance).has_value() ? EVP_RAND_STATE_READY : EVP_RAND_STATE_ERROR;
  return instance.state == EVP_RAND_STATE_READY ? 1 : 0;
}

int Uninstantiate(void* context) noexcept {
  Instance& instance = InstanceOf(context);
  instance.generator.reset();
  instance.state = EVP_RAND_STATE_UNINITIALISED;
  return 1;
}

int Generate(void* context, unsigned char* out, std::size_t size, unsigned int, int fresh,
             const unsigned char*, std::size_t) noexcept {
  Instance& instance = InstanceOf(context);
  if (instance.state != EVP_RAND_STATE_READY) return 0;
  if (Fill(instance, {out, size}, fresh != 0).has_value()) return 1;
  instance.state = EVP_RAND_STATE_ERROR;
  return 0;
}

int Reseed(void* context, int, const unsigned char*, std::size_t, const unsigned char* more,
           std::size_t more_size) noexcept {
  if (more_size != 0) AddToRandom({more, more_size});
  return Rekey(InstanceOf(context)).has_value() ? 1 : 0;
}

int EnableLocking(void*) noexcept { return 1; }
int Lock(void* context) noexcept {
  InstanceOf(context).lock.lock();
  return 1;
}
void Unlock(void* context) noexcept { InstanceOf(context).lock.unlock(); }

int GetParams(void* context, OSSL_PARAM params[]) noexcept {
  OSSL_PARAM* p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
  if (p != nullptr && OSSL_PARAM_set_int(p, InstanceOf(context).state) != 1) return 0;
  p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
  if (p != nullptr && OSSL_PARAM_set_uint(p, 256) != 1) return 0;
  p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
  return p == nullptr || OSSL_PARAM_set_size_t(p, kMostBytes) == 1 ? 1 : 0;
}

const OSSL_PARAM* GettableParams(void*, void*) noexcept {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, nullptr),
                                       OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, nullptr),
                                       OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, nullptr),
                                       OSSL_PARAM_END};
  return kParams;
}

template <typename Function>
OSSL_DISPATCH Entry(int id, Function* function) {
  return {id, reinterpret_cast<void (*)()>(function)};
}

const OSSL_DISPATCH kRand[] = {Entry(OSSL_FUNC_RAND_NEWCTX, &New),
                               Entry(OSSL_FUNC_RAND_FREECTX, &Free),
                               Entry(OSSL_FUNC_RAND_INSTANTIATE, &Instantiate),
                               Entry(OSSL_FUNC_RAND_UNINSTANTIATE, &Uninstantiate),
                               Entry(OSSL_FUNC_RAND_GENERATE, &Generate),
                               Entry(OSSL_FUNC_RAND_RESEED, &Reseed),
                               Entry(OSSL_FUNC_RAND_ENABLE_LOCKING, &EnableLocking),
                               Entry(OSSL_FUNC_RAND_LOCK, &Lock),
                               Entry(OSSL_FUNC_RAND_UNLOCK, &Unlock),
                               Entry(OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, &GettableParams),
                               Entry(OSSL_FUNC_RAND_GET_CTX_PARAMS, &GetParams),
                               {0, nullptr}};

const OSSL_ALGORITHM kAlgorithms[] = {
    {kAnsiX931Rand, "provider=dare-ansi-x9.31", kRand, "ANSI X9.31 A.2.4 with AES-256"},
    {nullptr, nullptr, nullptr, nullptr}};

const OSSL_ALGORITHM* Query(void*, int operation, int* no_cache) noexcept {
  *no_cache = 0;
  return operation == OSSL_OP_RAND ? kAlgorithms : nullptr;
}

const OSSL_DISPATCH kProvider[] = {Entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, &Query), {0, nullptr}};

}  // namespace

int InitAnsiX931Provider(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH*,
                         const OSSL_DISPATCH** out, void** context) noexcept {
  *context = const_cast<OSSL_CORE_HANDLE*>(handle);  // there is nothing to keep
  *out = kProvider;
  return 1;
}

}  // namespace dare::crypto
