#include "crypto/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>

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

}  // namespace

std::size_t DigestBytes(HashAlgorithm hash) {
  switch (hash) {
    case HashAlgorithm::kMd5:
      return 16;
    case HashAlgorithm::kSha1:
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
  if (algorithm == nullptr) {
    return Error(Code::kUnsupported,
                 std::string(Name(hash)) + " is not offered by the cryptographic provider");
  }
  Bytes digest(DigestBytes(hash));
  if (EVP_Digest(data.data(), data.size(), digest.data(), nullptr, algorithm, nullptr) != 1) {
    ERR_clear_error();
    return Error(Code::kInternal, "OpenSSL refused the hash");
  }
  return digest;
}

Sha256Digest Sha256(ByteView data) {
  Sha256Digest digest;
  CHECK(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, HashOf(HashAlgorithm::kSha256),
                   nullptr) == 1);
  return digest;
}

}  // namespace dare::crypto
