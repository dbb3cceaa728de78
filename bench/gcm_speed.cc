// The cipher alone: AES-256-GCM over one reused buffer a thread. Ours, and beside it, in turn with
// it, what OpenSSL and libipsec-mb give when called directly, the latter by whatever this CPU has.
// One JSON object, in GB/s (1e9 bytes) of all threads together:   gcm_speed [BYTES [SECONDS
// [THREADS]]]
#include <dlfcn.h>
#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "crypto/aead.h"

#if __has_include(<intel-ipsec-mb.h>)
#include <intel-ipsec-mb.h>
#define DARE_HAS_IPSEC_MB 1
#endif

namespace {

using dare::Bytes;
using Seal = std::function<bool(Bytes& data)>;  // one frame under the next IV
using MakeSeal = std::function<Seal()>;         // for one thread; null when it cannot be had

const Bytes kKey(32, 1), kAad(64, 2);

Seal Ours() {
  auto made = dare::crypto::Aead::Create(kKey);
  if (!made) return nullptr;
  const auto aead = std::make_shared<dare::crypto::Aead>(*std::move(made));
  return [aead, n = 0u](Bytes& data) mutable {
    Bytes iv(12), tag(16);
    dare::PutU32(iv.data() + 8, ++n);
    return aead->SealInPlace(iv, kAad, data, tag).has_value();
  };
}

Seal OpenSsl() {
  const std::shared_ptr<EVP_CIPHER_CTX> context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  if (EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), kKey.data(), nullptr, nullptr) != 1) {
    return nullptr;
  }
  return [context, n = 0u](Bytes& data) mutable {
    std::uint8_t iv[12] = {}, tag[16];
    dare::PutU32(iv + 8, ++n);
    EVP_CIPHER_CTX* const c = context.get();
    int length = 0;
    return EVP_EncryptInit_ex2(c, nullptr, nullptr, iv, nullptr) == 1 &&
           EVP_EncryptUpdate(c, nullptr, &length, kAad.data(), static_cast<int>(kAad.size())) ==
               1 &&
           EVP_EncryptUpdate(c, data.data(), &length, data.data(), static_cast<int>(data.size())) ==
               1 &&
           EVP_EncryptFinal_ex(c, tag, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag) == 1;
  };
}

#ifdef DARE_HAS_IPSEC_MB
Seal IpsecMb() {
  void* const library = ::dlopen("libIPSec_MB.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return nullptr;
  const auto allocate =
      reinterpret_cast<decltype(&::alloc_mb_mgr)>(::dlsym(library, "alloc_mb_mgr"));
  const auto start =
      reinterpret_cast<decltype(&::init_mb_mgr_auto)>(::dlsym(library, "init_mb_mgr_auto"));
  const auto version =
      reinterpret_cast<decltype(&::imb_get_version)>(::dlsym(library, "imb_get_version"));
  if (allocate == nullptr || start == nullptr || version == nullptr ||
      version() != IMB_VERSION_NUM) {
    return nullptr;
  }
  static IMB_MGR* const manager = [&] {
    IMB_MGR* const made = allocate(0);
    if (made != nullptr) start(made, nullptr);
    return made;
  }();
  struct alignas(64) State {
    gcm_key_data key;
    gcm_context_data running;
  };
  if (manager == nullptr || manager->gcm256_enc == nullptr) return nullptr;
  const auto state = std::make_shared<State>();
  manager->gcm256_pre(kKey.data(), &state->key);
  return [state, n = 0u](Bytes& data) mutable {
    std::uint8_t iv[12] = {}, tag[16];
    dare::PutU32(iv + 8, ++n);
    manager->gcm256_enc(&state->key, &state->running, data.data(), data.data(), data.size(), iv,
                        kAad.data(), kAad.size(), tag, sizeof tag);
    return true;
  };
}
#else
Seal IpsecMb() { return nullptr; }
#endif

// GB/s of all threads; 0 when the implementation is not there or fails.
double Measure(const MakeSeal& make, std::size_t frame, double seconds, unsigned threads) {
  std::vector<Seal> seals;
  for (unsigned i = 0; i < threads; ++i) seals.push_back(make());
  if (std::ranges::any_of(seals, [](const Seal& seal) { return !seal; })) return 0;
  std::atomic<bool> over{false}, failed{false};
  std::atomic<std::uint64_t> frames{0};
  const auto begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> workers;
    for (const Seal& seal : seals) {
      workers.emplace_back([&, seal]() mutable {
        Bytes data(frame, 3);
        std::uint64_t done = 0;
        for (; !over && !failed; ++done) {
          if (!seal(data)) failed = true;
        }
        frames += done;
      });
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    over = true;
  }
  const double passed =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return failed ? 0 : static_cast<double>(frames * frame) / passed / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t frame = argc > 1 ? static_cast<std::size_t>(std::atol(argv[1])) : 256u << 10;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 1.0;
  const unsigned threads = argc > 3 ? static_cast<unsigned>(std::atoi(argv[3])) : 1;
  const auto ours = dare::crypto::Aead::Create(kKey);
  if (!ours) return 1;
  constexpr int kRounds = 4;
  double mine = 0, openssl = 0, ipsec_mb = 0;
  for (int round = 0; round < kRounds; ++round) {
    mine = std::max(mine, Measure(Ours, frame, seconds / kRounds, threads));
    openssl = std::max(openssl, Measure(OpenSsl, frame, seconds / kRounds, threads));
    ipsec_mb = std::max(ipsec_mb, Measure(IpsecMb, frame, seconds / kRounds, threads));
  }
  fmt::print(
      "{{\"mine\": {:.3f}, \"kernel\": \"{}\", \"openssl\": {:.3f}, \"ipsec-mb\": {:.3f}}}\n", mine,
      ours->kernel_name(), openssl, ipsec_mb);
  return mine > 0 && openssl > 0 ? 0 : 1;
}
