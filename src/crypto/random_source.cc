#include "crypto/random_source.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#include <limits>
#include <utility>

#include "crypto/ansi_x931_provider.h"
#include "crypto/random.h"

namespace dare::crypto {
namespace {

struct LibraryFree {
  void operator()(OSSL_LIB_CTX* library) const { OSSL_LIB_CTX_free(library); }
};

// A library context of its own, so that only what is made through it draws on the generator.
Result<OSSL_LIB_CTX*> AnsiX931Library() {
  std::unique_ptr<OSSL_LIB_CTX, LibraryFree> library(OSSL_LIB_CTX_new());
  if (!library || OSSL_PROVIDER_load(library.get(), "default") == nullptr ||
      OSSL_PROVIDER_add_builtin(library.get(), kAnsiX931Provider, &InitAnsiX931Provider) != 1 ||
      OSSL_PROVIDER_load(library.get(), kAnsiX931Provider) == nullptr ||
      RAND_set_DRBG_type(library.get(), kAnsiX931Rand, nullptr, nullptr, nullptr) != 1) {
    ERR_clear_error();
    return Error(Code::kUnavailable, "OpenSSL refused the ANSI X9.31 generator");
  }
  return library.release();
}

}  // namespace

Result<std::unique_ptr<RandomSource>> RandomSource::Open(RandomGenerator generator,
                                                         const AlgorithmPolicy& policy) {
  OSSL_LIB_CTX* library = nullptr;
  if (generator == RandomGenerator::kAnsiX931) {
    if (!policy.allow_legacy) {
      return Error(Code::kDenied,
                   "the ANSI X9.31 generator is not allowed by the algorithm policy");
    }
    library = TRY(AnsiX931Library());
  }
  return std::unique_ptr<RandomSource>(new RandomSource(generator, library));
}

RandomSource::~RandomSource() { OSSL_LIB_CTX_free(library_); }

Result<void> RandomSource::Fill(MutableBytes out) const {
  if (out.empty()) return {};
  if (RAND_priv_bytes_ex(library_, out.data(), out.size(), 256) != 1) {
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
