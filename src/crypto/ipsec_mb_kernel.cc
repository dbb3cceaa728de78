#include "crypto/ipsec_mb_kernel.h"

#if __has_include(<intel-ipsec-mb.h>)

#include <dlfcn.h>
#include <intel-ipsec-mb.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "base/secret_bytes.h"

namespace dare::crypto {
namespace {

// The functions for one key size.
struct GcmFunctions {
  aes_gcm_pre_t expand_key = nullptr;
  aes_gcm_enc_dec_t encrypt = nullptr;
  aes_gcm_enc_dec_t decrypt = nullptr;
};

struct Library {
  bool usable = false;
  GcmFunctions gcm128, gcm192, gcm256;
};

template <typename Function>
bool Find(void* handle, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(::dlsym(handle, name));
  return function != nullptr;
}

// The manager is only the table of functions for this CPU; nothing writes to it afterwards, so all
// threads share it. It lives as long as the process.
Library Load() {
  Library library;
  void* handle = ::dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return library;
  decltype(::imb_get_version)* get_version = nullptr;
  decltype(::alloc_mb_mgr)* allocate = nullptr;
  decltype(::init_mb_mgr_auto)* initialise = nullptr;
  if (!Find(handle, "imb_get_version", get_version) || !Find(handle, "alloc_mb_mgr", allocate) ||
      !Find(handle, "init_mb_mgr_auto", initialise)) {
    return library;
  }
  // The manager's layout changes between versions.
  if (get_version() != IMB_VERSION_NUM) return library;
  static IMB_MGR* const manager = allocate(0);
  if (manager == nullptr) return library;
  IMB_ARCH arch = IMB_ARCH_NONE;
  initialise(manager, &arch);
  constexpr std::uint64_t kNeeded = IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ |
                                    IMB_FEATURE_AVX512_SKX | IMB_FEATURE_SELF_TEST_PASS;
  if ((manager->features & kNeeded) != kNeeded) return library;
  library.gcm128 = {manager->gcm128_pre, manager->gcm128_enc, manager->gcm128_dec};
  library.gcm192 = {manager->gcm192_pre, manager->gcm192_enc, manager->gcm192_dec};
  library.gcm256 = {manager->gcm256_pre, manager->gcm256_enc, manager->gcm256_dec};
  library.usable = true;
  return library;
}

const GcmFunctions* FunctionsFor(std::size_t key_size) {
  static const Library library = Load();
  if (!library.usable) return nullptr;
  switch (key_size) {
    case 16:
      return &library.gcm128;
    case 24:
      return &library.gcm192;
    case 32:
      return &library.gcm256;
    default:
      return nullptr;
  }
}

// The expanded key and the running state, aligned as the vector code wants them.
struct alignas(64) GcmState {
  gcm_key_data key;
  gcm_context_data running;
};

// Blocks of the secure heap begin at multiples of their size, which is a power of two.
Result<SecretBytes> RoomForState() {
  SecretBytes room = TRY(SecretBytes::OfSize(sizeof(GcmState)));
  CHECK(reinterpret_cast<std::uintptr_t>(room.Reveal().data()) % alignof(GcmState) == 0);
  return room;
}

class IpsecMbKernel final : public AeadKernel {
 public:
  // `room`: of RoomForState.
  IpsecMbKernel(const GcmFunctions& functions, SecretBytes room)
      : functions_(functions),
        room_(std::move(room)),
        state_(reinterpret_cast<GcmState*>(room_.RevealMutable().data())) {}

  void ExpandKey(ByteView key) { functions_.expand_key(key.data(), &state_->key); }

  Result<void> Seal(const std::uint8_t* iv, ByteView aad, MutableBytes data,
                    std::uint8_t* tag) override {
    functions_.encrypt(&state_->key, &state_->running, data.data(), data.data(), data.size(), iv,
                       aad.data(), aad.size(), tag, kGcmTagSize);
    return {};
  }

  Result<bool> Open(const std::uint8_t* iv, ByteView aad, MutableBytes data,
                    const std::uint8_t* tag) override {
    std::uint8_t computed[kGcmTagSize];
    functions_.decrypt(&state_->key, &state_->running, data.data(), data.data(), data.size(), iv,
                       aad.data(), aad.size(), computed, kGcmTagSize);
    return EqualInConstantTime(computed, {tag, kGcmTagSize});
  }

  Result<std::unique_ptr<AeadKernel>> Clone() const override {
    SecretBytes room = TRY(RoomForState());
    std::ranges::copy(room_.Reveal(), room.RevealMutable().begin());
    return std::unique_ptr<AeadKernel>(
        std::make_unique<IpsecMbKernel>(functions_, std::move(room)));
  }

  std::string_view name() const override { return "ipsec-mb"; }

 private:
  const GcmFunctions& functions_;
  SecretBytes room_;
  GcmState* const state_;  // in it
};

}  // namespace

std::unique_ptr<AeadKernel> MakeIpsecMbKernel(ByteView key) {
  const GcmFunctions* functions = FunctionsFor(key.size());
  if (functions == nullptr) return nullptr;
  Result<SecretBytes> room = RoomForState();
  if (!room) return nullptr;
  auto kernel = std::make_unique<IpsecMbKernel>(*functions, std::move(*room));
  kernel->ExpandKey(key);
  return kernel;
}

}  // namespace dare::crypto

#else  // built without libipsec-mb-dev

namespace dare::crypto {
std::unique_ptr<AeadKernel> MakeIpsecMbKernel(ByteView /*key*/) { return nullptr; }
}  // namespace dare::crypto

#endif
