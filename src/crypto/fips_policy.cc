#include "crypto/fips_policy.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <atomic>
#include <memory>

namespace dare::crypto {
namespace {

std::atomic<bool> g_confined{false};

struct CipherFree {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};

bool MachineAsksForFips() {
  // Reads the machine's openssl.cnf, if nobody did before.
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr);
  return EVP_default_properties_is_fips_enabled(nullptr) == 1;
}

Error NoProvider(std::string_view why) {
  ERR_clear_error();
  return Error(Code::kUnsupported,
               "crypto.require_provider asks for OpenSSL's FIPS provider, " + std::string(why));
}

// Both stay loaded as long as the process. The base provider reads and writes keys and computes
// nothing; loading any by name keeps the default provider out.
Result<void> LoadProvider() {
  OSSL_PROVIDER* const fips = OSSL_PROVIDER_load(nullptr, "fips");
  if (fips == nullptr) return NoProvider("which cannot be loaded");
  OSSL_PROVIDER* const base = OSSL_PROVIDER_load(nullptr, "base");
  if (base != nullptr && EVP_default_properties_enable_fips(nullptr, 1) == 1) {
    if (!FipsProvider().empty()) return {};
    EVP_default_properties_enable_fips(nullptr, 0);
  }
  if (base != nullptr) OSSL_PROVIDER_unload(base);
  OSSL_PROVIDER_unload(fips);
  return NoProvider("and what was loaded under that name has no approved AES-256-GCM");
}

Result<void> RequireProvider(ProviderLoading loading) {
  if (!MachineAsksForFips()) {
    if (loading == ProviderLoading::kMayLoad) return LoadProvider();
    return NoProvider("which this program has not put in force (openssl.cnf, fips=yes)");
  }
  if (FipsProvider().empty()) {
    return NoProvider("and openssl.cnf asks for fips=yes without naming one that works");
  }
  return {};
}

}  // namespace

Result<void> ApplyPolicy(const PolicyChoice& choice, ProviderLoading loading) {
  if (choice.require_provider) TRY(RequireProvider(loading));
  if (choice.fips || MachineAsksForFips()) g_confined.store(true, std::memory_order_relaxed);
  return {};
}

bool ConfinedToFips() { return g_confined.load(std::memory_order_relaxed); }

std::string FipsProvider() {
  if (!MachineAsksForFips()) return {};
  // With fips=yes in the default properties, only what a FIPS provider has is found.
  const std::unique_ptr<EVP_CIPHER, CipherFree> cipher(
      EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  ERR_clear_error();
  if (!cipher) return {};
  const char* name = "a FIPS provider";
  const char* version = "";
  OSSL_PARAM asked[] = {
      OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_NAME, const_cast<char**>(&name), 0),
      OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, const_cast<char**>(&version), 0),
      OSSL_PARAM_construct_end()};
  OSSL_PROVIDER_get_params(EVP_CIPHER_get0_provider(cipher.get()), asked);
  ERR_clear_error();
  return std::string(name) + (*version != '\0' ? " " : "") + version;
}

ConfinementForTest::ConfinementForTest() { g_confined.store(true); }
ConfinementForTest::~ConfinementForTest() { g_confined.store(false); }

}  // namespace dare::crypto
