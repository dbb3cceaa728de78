#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hsm/resident_keys.h"
#include "hsm/token_guard.h"

namespace dare::hsm {

class ResidentPlace;
class SessionPool;

// A token that may hold resident keys.
struct ResidentSeat {
  std::shared_ptr<TokenGuard> guard;
  // Logs in. Owns what it touches. Called at start, and again by the guard's probe as long as the
  // token could not be reached; never again once it refused the PIN.
  std::function<Result<std::shared_ptr<SessionPool>>()> open;
};

// ResidentKeys in PKCS#11 tokens. A new key is made in the first token that answers and can make
// it; a key is looked for in the token that it was made in, then in the others (an HSM may copy
// its objects to a twin). Keys are found by CKA_ID, judged when they are found (sensitive, never
// extractable, made there, check value or public half as in the reference), and their handles kept
// until the token is lost. A call takes no longer than the token's guard allows; a token that is
// away is used when it comes. Thread-safe.
class TokenResidentKeys : public ResidentKeys {
 public:
  // Opens what can be reached. At most `most_keys` resident keys in one token, whoever made them.
  TokenResidentKeys(std::vector<ResidentSeat> seats, std::size_t most_keys);
  ~TokenResidentKeys() override;

  // Whether any token came since the start.
  bool AnyCame() const;

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
  using Place = std::shared_ptr<ResidentPlace>;

  // Where to look for the key, in this order.
  std::vector<Place> PlacesOf(const ResidentReference& key) const;
  Result<ResidentReference> GenerateIn(const Place& place, const ResidentSpecification& wanted);
  static Result<bool> RemoveFrom(const Place& place, const Bytes& id);
  // Calls `use(lease, handle)`, which gives a Result and owns what it touches, in the token that
  // has the key.
  template <typename Use>
  auto With(const ResidentReference& key, Use use) const;

  const std::vector<Place> places_;
  const std::size_t most_keys_;
};

}  // namespace dare::hsm
