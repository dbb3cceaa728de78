#include "crypto/random_source.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <limits>
#include <utility>

#include "crypto/ansi_x931_provider.h"
#include "crypto/random.h"

namespace dare::crypto {
// A library context of its own, so that only what is made through it draws on the generator.
// Providers are given back before it ends.
struct RandomSource::Library {
  OSSL_LIB_CTX* context = OSSL_LIB_CTX_new();
  OSSL_PROVIDER* ordinary = nullptr;
  OSSL_PROVIDER* own = nullptr;

  Library() = default;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (own != nullptr) OSSL_PROVIDER_unload(own);
    if (ordinary != nullptr) OSSL_PROVIDER_unload(ordinary);
    OSSL_LIB_CTX_free(context);
  }
  bool UseAnsiX931() {
    if (context == nullptr ||
        OSSL_PROVIDER_add_builtin(context, kAnsiX931Provider, &InitAnsiX931Provider) != 1) {
      return false;
    }
    ordinary = OSSL_PROVIDER_load(context, "default");
    own = OSSL_PROVIDER_load(context, kAnsiX931Provider);
    return ordinary != nullptr && own != nullptr &&
           RAND_set_DRBG_type(context, kAnsiX931Rand, nullptr, nullptr, nullptr) == 1;
  }
};

RandomSource::RandomSource(RandomGenerator generator, std::unique_ptr<Library> library)
    : generator_(generator), library_(std::move(library)) {}

Result<std::unique_ptr<RandomSource>> RandomSource::Open(RandomGenerator generator,
                                                         const AlgorithmPolicy& policy) {
  std::unique_ptr<Library> library;
  if (generator == RandomGenerator::kAnsiX931) {
    if (!policy.allow_legacy) {
      return Error(Code::kDenied,
                   "the ANSI X9.31 generator is not allowed by the algorithm policy");
    }
    library = std::make_unique<Library>();
    if (!library->UseAnsiX931()) {
      ERR_clear_error();
      return Error(Code::kUnavailable, "OpenSSL refused the ANSI X9.31 generator");
    }
  }
  return std::unique_ptr<RandomSource>(new RandomSource(generator, std::move(library)));
}

RandomSource::~RandomSource() = default;

OSSL_LIB_CTX* RandomSource::library() const { return library_ ? library_->context : nullptr; }

Result<void> RandomSource::Fill(MutableBytes out) const {
  if (out.empty()) return {};
  if (RAND_priv_bytes_ex(library(), out.data(), out.size(), 256) != 1) {
    ERR_clear_error();
    return Error(Code::kUnavailable, "the random generator failed");
  }
  return {};
}

Result<SecretBytes> RandomSource::Secret(std::size_t size) const {
  SecretBytes secret = TRY(SecretBytes::OfSize(size));
  TRY(Fill(secret.RevealMutable()));
  return secret;
}

// The ANSI X9.31 generator is keyed anew from the DRBG, and with it from what was added.
void RandomSource::Add(ByteView seed) const { AddToRandom(seed); }

}  // namespace dare::crypto
