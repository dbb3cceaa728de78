#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/secret_bytes.h"
#include "crypto/algorithms.h"
#include "crypto/asymmetric_key.h"

namespace dare::engine {

// A password, and how it is made into a key by PBKDF2.
struct Stretching {
  crypto::HashAlgorithm hash{};
  ByteView password;
  ByteView salt;
  std::uint32_t iterations = 0;
  std::size_t length = 0;  // bytes
};

// What takes a request its time, done before the writer takes it (key_forge.h): key pairs that were
// generated for it, and passwords that were stretched. It is for that one request, of which a draft
// and an answer are never both carried out.
class PreparedWork {
 public:
  bool empty() const { return pairs_.empty() && stretched_.empty(); }

  void AddPair(const crypto::KeySpecification& specification, crypto::PrivateKey key) {
    pairs_.push_back({specification, std::move(key)});
  }
  // The next pair of this kind; nothing when there is none left. `passed` is how many were taken or
  // passed over by the answer under way: none is given to it twice.
  std::optional<crypto::PrivateKey> TakePair(const crypto::KeySpecification& wanted,
                                             std::size_t& passed) const {
    for (std::size_t i = passed; i < pairs_.size(); ++i) {
      if (!(pairs_[i].specification == wanted)) continue;
      passed = i + 1;
      return pairs_[i].key;
    }
    return std::nullopt;
  }

  Result<void> AddStretched(const Stretching& from, const SecretBytes& key) {
    stretched_.push_back({from.hash, TRY(SecretBytes::CopyOf(from.password)), ToBytes(from.salt),
                          from.iterations, TRY(key.Clone())});
    return {};
  }
  // Null where this one was not stretched.
  const SecretBytes* FindStretched(const Stretching& from) const {
    for (const Stretched& one : stretched_) {
      const bool same = one.hash == from.hash && one.iterations == from.iterations &&
                        one.key.size() == from.length && EqualInConstantTime(one.salt, from.salt) &&
                        EqualInConstantTime(one.password.Reveal(), from.password);
      if (same) return &one.key;
    }
    return nullptr;
  }

 private:
  struct Pair {
    crypto::KeySpecification specification;
    crypto::PrivateKey key;
  };
  struct Stretched {
    crypto::HashAlgorithm hash{};
    SecretBytes password;
    Bytes salt;
    std::uint32_t iterations = 0;
    SecretBytes key;
  };

  std::vector<Pair> pairs_;
  std::vector<Stretched> stretched_;
};

}  // namespace dare::engine
