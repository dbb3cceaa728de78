#include "hsm/memory_resident_keys_for_test.h"

#include <utility>

#include "crypto/random.h"

namespace dare::hsm {

Result<std::shared_ptr<const MemoryResidentKeysForTest::Held>> MemoryResidentKeysForTest::Hold(
    const ResidentReference& key) const {
  if (unavailable_) return Error(Code::kUnavailable, "the token was pulled out");
  const MutexLock lock(mutex_);
  const auto found = keys_.find(key.id);
  if (found == keys_.end()) return Error(Code::kNotFound, "no such key in the token");
  if (found->second->reference != key) return Error(Code::kDenied, "another key");
  return found->second;
}

Result<std::shared_ptr<const MemoryResidentKeysForTest::Held>> MemoryResidentKeysForTest::HoldFor(
    const ResidentReference& key, bool ResidentRights::*right) const {
  auto held = TRY(Hold(key));
  if (!((*held).rights.*right)) return Error(Code::kDenied, "the token does not permit it");
  return held;
}

Result<ResidentReference> MemoryResidentKeysForTest::Generate(const ResidentSpecification& wanted) {
  if (unavailable_) return Error(Code::kUnavailable, "the token was pulled out");
  auto held = std::make_shared<Held>();
  held->rights = wanted.rights;
  held->label = wanted.label;
  ResidentReference& reference = held->reference;
  reference.kind = wanted.kind;
  reference.bits = static_cast<std::uint32_t>(wanted.bits);
  reference.token_label = "memory";
  reference.token_serial = "1";
  reference.id.resize(16);
  TRY(crypto::RandomBytes(reference.id));
  if (reference.IsPair()) {
    const bool rsa = wanted.kind == ResidentKind::kRsa;
    held->pair = TRY(crypto::PrivateKey::Generate(
        {.family = rsa ? crypto::KeyFamily::kRsa : crypto::KeyFamily::kEc,
         .bits = rsa ? wanted.bits : 0,
         .curve = wanted.curve}));
    reference.bits = static_cast<std::uint32_t>(held->pair->facts().bits);
    const crypto::PublicKey half = TRY(held->pair->Public());
    reference.public_key = TRY(half.Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo));
  } else {
    held->secret = TRY(SecretBytes::Random(wanted.bits / 8));
  }
  const ResidentReference made = reference;
  const MutexLock lock(mutex_);
  keys_.emplace(made.id, std::move(held));
  return made;
}

Result<void> MemoryResidentKeysForTest::Find(const ResidentReference& key) {
  TRY(Hold(key));
  return {};
}

Result<void> MemoryResidentKeysForTest::Remove(const ResidentReference& key) {
  if (unavailable_ || stuck_) return Error(Code::kUnavailable, "the token was pulled out");
  const MutexLock lock(mutex_);
  keys_.erase(key.id);
  return {};
}

Result<void> MemoryResidentKeysForTest::Remove(const ResidentEntry& key) {
  ResidentReference reference;
  reference.id = key.id;
  return Remove(reference);
}

Result<std::vector<ResidentEntry>> MemoryResidentKeysForTest::List(
    const std::string& label_prefix) {
  if (unavailable_) return Error(Code::kUnavailable, "the token was pulled out");
  std::vector<ResidentEntry> found;
  const MutexLock lock(mutex_);
  for (const auto& [id, held] : keys_) {
    if (held->label.starts_with(label_prefix)) found.push_back({held->label, "memory", "1", id});
  }
  return found;
}

Result<crypto::CipherOutput> MemoryResidentKeysForTest::Encrypt(
    const ResidentReference& key, const crypto::CipherRequest& request, ByteView plain) {
  const auto held = TRY(HoldFor(key, &ResidentRights::encrypt));
  crypto::CipherRequest with_key = request;
  with_key.key = held->secret.Reveal();
  return crypto::Encrypt(with_key, plain);
}

Result<WipingBytes> MemoryResidentKeysForTest::Decrypt(const ResidentReference& key,
                                                       const crypto::CipherRequest& request,
                                                       ByteView data, ByteView tag) {
  const auto held = TRY(HoldFor(key, &ResidentRights::decrypt));
  crypto::CipherRequest with_key = request;
  with_key.key = held->secret.Reveal();
  return crypto::Decrypt(with_key, data, tag);
}

Result<Bytes> MemoryResidentKeysForTest::WrapKey(const ResidentReference& key,
                                                 crypto::KeyWrapMode mode, ByteView plain) {
  const auto held = TRY(HoldFor(key, &ResidentRights::wrap));
  return crypto::WrapKey(mode, held->secret.Reveal(), plain);
}

Result<SecretBytes> MemoryResidentKeysForTest::UnwrapKey(const ResidentReference& key,
                                                         crypto::KeyWrapMode mode,
                                                         ByteView wrapped) {
  const auto held = TRY(HoldFor(key, &ResidentRights::unwrap));
  return crypto::UnwrapKey(mode, held->secret.Reveal(), wrapped);
}

Result<Bytes> MemoryResidentKeysForTest::Mac(const ResidentReference& key,
                                             const crypto::MacAlgorithm& algorithm, ByteView data) {
  const auto held = TRY(HoldFor(key, &ResidentRights::sign));
  return crypto::Mac(algorithm, held->secret.Reveal(), data);
}

Result<bool> MemoryResidentKeysForTest::VerifyMac(const ResidentReference& key,
                                                  const crypto::MacAlgorithm& algorithm,
                                                  ByteView data, ByteView code) {
  const auto held = TRY(HoldFor(key, &ResidentRights::verify));
  const Bytes expected = TRY(crypto::Mac(algorithm, held->secret.Reveal(), data));
  return crypto::MacMatches(expected, code, expected.size());
}

Result<Bytes> MemoryResidentKeysForTest::SignDigest(const ResidentReference& key,
                                                    const crypto::SignatureScheme& scheme,
                                                    ByteView digest) {
  const auto held = TRY(HoldFor(key, &ResidentRights::sign));
  return crypto::SignDigest(*held->pair, scheme, digest);
}

Result<WipingBytes> MemoryResidentKeysForTest::DecryptRsa(const ResidentReference& key,
                                                          const crypto::RsaScheme& scheme,
                                                          ByteView data) {
  const auto held = TRY(HoldFor(key, &ResidentRights::decrypt));
  return crypto::RsaDecrypt(*held->pair, scheme, data);
}

std::size_t MemoryResidentKeysForTest::count() const {
  const MutexLock lock(mutex_);
  return keys_.size();
}

std::optional<ResidentRights> MemoryResidentKeysForTest::RightsOf(const std::string& label) const {
  const MutexLock lock(mutex_);
  for (const auto& [id, held] : keys_) {
    if (held->label == label) return held->rights;
  }
  return std::nullopt;
}

std::string MemoryResidentKeysForTest::OnlyLabel() const {
  const MutexLock lock(mutex_);
  return keys_.size() == 1 ? keys_.begin()->second->label : std::string();
}

}  // namespace dare::hsm
