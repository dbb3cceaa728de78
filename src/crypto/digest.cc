#include "crypto/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <utility>

#include "base/check.h"

namespace dare::crypto {
namespace {

// Fetched once and kept: a fetch by name costs more than hashing a small message.
const EVP_MD* HashOf(HashAlgorithm hash) {
  struct Table {
    std::array<const EVP_MD*, kHashAlgorithms> by_hash{};
    Table() {
      for (std::size_t i = 0; i < kHashAlgorithms; ++i) {
        const std::string name(Name(static_cast<HashAlgorithm>(i)));
        by_hash[i] = EVP_MD_fetch(nullptr, name.c_str(), nullptr);
      }
      ERR_clear_error();  // the FIPS provider has no MD5
    }
  };
  static const Table* const table = new Table;  // lives as long as the process
  return table->by_hash[static_cast<std::size_t>(hash)];
}

Error NotOffered(HashAlgorithm hash) {
  return Error(Code::kUnsupported,
               std::string(Name(hash)) + " is not offered by the cryptographic provider");
}

Error Refused() {
  ERR_clear_error();
  return Error(Code::kInternal, "OpenSSL refused the hash");
}

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::size_t DigestBytes(HashAlgorithm hash) {
  switch (hash) {
    case HashAlgorithm::kMd5:
      return 16;
    case HashAlgorithm::kSha1:
    case HashAlgorithm::kRipemd160:
      return 20;
    case HashAlgorithm::kSha224:
    case HashAlgorithm::kSha512_224:
    case HashAlgorithm::kSha3_224:
      return 28;
    case HashAlgorithm::kSha256:
    case HashAlgorithm::kSha512_256:
    case HashAlgorithm::kSha3_256:
      return 32;
    case HashAlgorithm::kSha384:
    case HashAlgorithm::kSha3_384:
      return 48;
    case HashAlgorithm::kSha512:
    case HashAlgorithm::kSha3_512:
      return 64;
  }
  return 0;
}

Result<Bytes> Digest(HashAlgorithm hash, ByteView data, const AlgorithmPolicy& policy) {
  TRY(CheckHash(policy, hash));
  const EVP_MD* const algorithm = HashOf(hash);
  if (algorithm == nullptr) return NotOffered(hash);
  Bytes digest(DigestBytes(hash));
  if (EVP_Digest(data.data(), data.size(), digest.data(), nullptr, algorithm, nullptr) != 1) {
    return Refused();
  }
  return digest;
}

struct DigestStream::State {
  std::unique_ptr<EVP_MD_CTX, ContextFree> context;
  std::size_t bytes = 0;
};

DigestStream::DigestStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
DigestStream::DigestStream(DigestStream&& other) noexcept = default;
DigestStream& DigestStream::operator=(DigestStream&& other) noexcept = default;
DigestStream::~DigestStream() = default;

Result<DigestStream> DigestStream::Begin(HashAlgorithm hash, const AlgorithmPolicy& policy) {
  TRY(CheckHash(policy, hash));
  const EVP_MD* const algorithm = HashOf(hash);
  if (algorithm == nullptr) return NotOffered(hash);
  auto state = std::make_unique<State>();
  state->context.reset(EVP_MD_CTX_new());
  state->bytes = DigestBytes(hash);
  if (!state->context) return Error(Code::kExhausted, "no memory for a hash");
  if (EVP_DigestInit_ex2(state->context.get(), algorithm, nullptr) != 1) return Refused();
  return DigestStream(std::move(state));
}

Result<void> DigestStream::Update(ByteView part) {
  if (EVP_DigestUpdate(state_->context.get(), part.data(), part.size()) != 1) return Refused();
  return {};
}

Result<Bytes> DigestStream::Finish() {
  Bytes digest(state_->bytes);
  if (EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) != 1) return Refused();
  return digest;
}

Sha256Digest Sha256(ByteView data) {
  Sha256Digest digest;
  CHECK(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, HashOf(HashAlgorithm::kSha256),
                   nullptr) == 1);
  return digest;
}

}  // namespace dare::crypto
