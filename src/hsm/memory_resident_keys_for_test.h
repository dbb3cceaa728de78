#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "crypto/asymmetric_key.h"
#include "hsm/resident_keys.h"

namespace dare::hsm {

// ResidentKeys without a token: OpenSSL computes with keys that live as long as the object. It
// keeps to their rights as a token does. For the tests of other folders. Thread-safe.
class MemoryResidentKeysForTest : public ResidentKeys {
 public:
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

  // As when the token was pulled out: everything gives kUnavailable until it is back.
  void SetUnavailable(bool unavailable) { unavailable_ = unavailable; }
  // Removing fails as of a token that breaks down after it was asked for the key.
  void SetStuck(bool stuck) { stuck_ = stuck; }
  std::size_t count() const EXCLUDES(mutex_);
  // What the key of this label may do.
  std::optional<ResidentRights> RightsOf(const std::string& label) const EXCLUDES(mutex_);
  std::string OnlyLabel() const EXCLUDES(mutex_);

 private:
  struct Held {
    ResidentReference reference;
    ResidentRights rights;
    std::string label;
    SecretBytes secret;
    std::optional<crypto::PrivateKey> pair;
  };
  Result<std::shared_ptr<const Held>> Hold(const ResidentReference& key) const EXCLUDES(mutex_);
  Result<std::shared_ptr<const Held>> HoldFor(const ResidentReference& key,
                                              bool ResidentRights::*right) const EXCLUDES(mutex_);

  std::atomic<bool> unavailable_ = false;
  std::atomic<bool> stuck_ = false;
  mutable Mutex mutex_;
  std::map<Bytes, std::shared_ptr<const Held>> keys_ GUARDED_BY(mutex_);
};

}  // namespace dare::hsm
