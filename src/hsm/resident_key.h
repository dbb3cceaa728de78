#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "hsm/resident_keys.h"
#include "hsm/session_pool.h"

namespace dare::hsm {

// ResidentKeys in PKCS#11 tokens. A new key is made in the first token that answers and can make
// it; a key is looked for in the token that it was made in, then in the others (an HSM may copy
// its objects to a twin). Keys are found by CKA_ID, judged when they are found (sensitive, never
// extractable, made there, check value or public half as in the reference), and their handles kept
// until the token is lost. Thread-safe. Shares the pools.
class TokenResidentKeys : public ResidentKeys {
 public:
  // At most `most_keys` resident keys in one token, whoever made them.
  TokenResidentKeys(std::vector<std::shared_ptr<SessionPool>> pools, std::size_t most_keys);

  Result<ResidentReference> Generate(const ResidentSpecification& wanted) override;
  Result<void> Find(const ResidentReference& key) override;
  Result<void> Remove(const ResidentReference& key) override;
  Result<void> Remove(const ResidentEntry& key) override;
  Result<std::vector<ResidentEntry>> List(const std::string& label_prefix) override;

  Result<crypto::CipherOutput> Encrypt(const ResidentReference& key,
                                       const crypto::CipherRequest& request,
                                       ByteView plain) override;
  Result<WipingBytes> Decrypt(const ResidentReference& key, const crypto::CipherRequest& request,
                              ByteView data, ByteView tag) override;
  Result<Bytes> WrapKey(const ResidentReference& key, crypto::KeyWrapMode mode,
                        ByteView plain) override;
  Result<SecretBytes> UnwrapKey(const ResidentReference& key, crypto::KeyWrapMode mode,
                                ByteView wrapped) override;
  Result<Bytes> Mac(const ResidentReference& key, const crypto::MacAlgorithm& algorithm,
                    ByteView data) override;
  Result<bool> VerifyMac(const ResidentReference& key, const crypto::MacAlgorithm& algorithm,
                         ByteView data, ByteView code) override;
  Result<Bytes> SignDigest(const ResidentReference& key, const crypto::SignatureScheme& scheme,
                           ByteView digest) override;
  Result<WipingBytes> DecryptRsa(const ResidentReference& key, const crypto::RsaScheme& scheme,
                                 ByteView data) override;

 private:
  using Handle = unsigned long;  // CK_OBJECT_HANDLE
  struct KnownHandle {
    std::uint64_t generation = 0;
    Handle handle = 0;
  };
  static constexpr std::size_t kMostHandles = 4096;

  // Where to look for the key, in this order: indices into pools_.
  std::vector<std::size_t> PlacesOf(const ResidentReference& key) const;
  Result<ResidentReference> GenerateIn(std::size_t place, const ResidentSpecification& wanted);
  Result<bool> RemoveFrom(std::size_t place, ByteView id);
  // kNotFound when this token has no such key.
  Result<Handle> HandleOf(std::size_t place, const SessionLease& lease,
                          const ResidentReference& key) EXCLUDES(mutex_);
  void Forget(std::size_t place, ByteView id) EXCLUDES(mutex_);
  static bool IsStale(const Error& error);
  static Error Gone(const ResidentReference& key);

  // Calls `use(lease, handle)`, which gives a Result, in the token that has the key.
  template <typename Use>
  auto With(const ResidentReference& key, Use&& use)
      -> decltype(use(std::declval<const SessionLease&>(), Handle{})) {
    using Outcome = decltype(use(std::declval<const SessionLease&>(), Handle{}));
    Outcome outcome = Gone(key);
    for (const std::size_t place : PlacesOf(key)) {
      Outcome here = pools_[place]->With([&](const SessionLease& lease) -> Outcome {
        Outcome used = use(lease, TRY(HandleOf(place, lease, key)));
        if (used || !IsStale(used.error())) return used;
        // Removed behind our back, or made anew: the handle meant another generation of it.
        Forget(place, key.id);
        return use(lease, TRY(HandleOf(place, lease, key)));
      });
      if (here) return here;
      const Code code = here.error().code;
      if (code == Code::kUnavailable || code == Code::kTimeout) {
        outcome = std::move(here);  // says more than that the others do not have it
      } else if (code != Code::kNotFound) {
        return here;
      }
    }
    return outcome;
  }

  const std::vector<std::shared_ptr<SessionPool>> pools_;
  const std::size_t most_keys_;

  Mutex mutex_;
  std::map<std::pair<std::size_t, Bytes>, KnownHandle> handles_ GUARDED_BY(mutex_);
};

}  // namespace dare::hsm
