#include "envelope/keyring.h"

#include <openssl/rand.h>

#include <cstring>
#include <utility>

#include "crypto/aead.h"

namespace dare::envelope {
namespace {

using crypto::kGcmIvSize;
using crypto::kGcmTagSize;

constexpr std::uint32_t kTagBits = 128;
constexpr std::size_t kInfoTail = 4 + 4 + kGcmIvSize;

}  // namespace

std::vector<Result<EncryptedDataKey>> KeyWrapper::WrapMany(std::span<const DekToWrap> deks) {
  std::vector<Result<EncryptedDataKey>> wrapped;
  for (const DekToWrap& each : deks) wrapped.push_back(Wrap(*each.dek, each.aad));
  return wrapped;
}

std::vector<Result<std::optional<Dek>>> KeyWrapper::UnwrapMany(std::span<const EdkToUnwrap> edks) {
  std::vector<Result<std::optional<Dek>>> unwrapped;
  for (const EdkToUnwrap& each : edks) unwrapped.push_back(Unwrap(*each.edk, each.aad));
  return unwrapped;
}

Bytes EncodeAesProviderInfo(const AesProviderInfo& info) {
  Bytes out = ToBytes(AsBytes(info.name));
  std::uint8_t sizes[8];
  PutU32(sizes, kTagBits);
  PutU32(sizes + 4, kGcmIvSize);
  Append(out, sizes);
  Append(out, info.iv);
  return out;
}

std::optional<AesProviderInfo> ParseAesProviderInfo(ByteView bytes) {
  if (bytes.size() < kInfoTail) return std::nullopt;
  const ByteView name = bytes.first(bytes.size() - kInfoTail);
  const ByteView tail = bytes.subspan(name.size());
  if (GetU32(tail.data()) != kTagBits || GetU32(tail.data() + 4) != kGcmIvSize) return std::nullopt;
  return AesProviderInfo{std::string(AsText(name)), ToBytes(tail.subspan(8))};
}

Result<EncryptedDataKey> MakeAesEdk(const std::string& key_namespace, const std::string& key_name,
                                    ByteView iv, ByteView ciphertext, ByteView tag,
                                    std::size_t dek_size) {
  if (iv.size() != kGcmIvSize || tag.size() != kGcmTagSize || ciphertext.size() != dek_size) {
    return Error(Code::kUnsupported, "the key " + key_name +
                                         " wrapped the DEK with other sizes than AES-GCM with a "
                                         "12-byte IV and a 16-byte tag gives");
  }
  EncryptedDataKey edk{key_namespace, EncodeAesProviderInfo({key_name, ToBytes(iv)}),
                       ToBytes(ciphertext)};
  Append(edk.ciphertext, tag);
  return edk;
}

RawAesKeyWrapper::RawAesKeyWrapper(std::string key_namespace, std::string key_name,
                                   crypto::Aead key)
    : namespace_(std::move(key_namespace)), name_(std::move(key_name)), key_(std::move(key)) {}

Result<std::shared_ptr<RawAesKeyWrapper>> RawAesKeyWrapper::Create(std::string key_namespace,
                                                                   std::string key_name,
                                                                   SecretBytes key) {
  if (key_namespace.starts_with("aws-kms")) {
    return Error(Code::kInvalidArgument, "key namespaces starting with aws-kms are reserved");
  }
  if (key_namespace.size() > 0xFFFF || key_name.size() + kInfoTail > 0xFFFF) {
    return Error(Code::kInvalidArgument, "the key's namespace or name is too long");
  }
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) {
    return Error(Code::kInvalidArgument, "an AES key has 16, 24 or 32 bytes");
  }
  return std::shared_ptr<RawAesKeyWrapper>(
      new RawAesKeyWrapper(std::move(key_namespace), std::move(key_name),
                           TRY(crypto::Aead::CreateOnOpenSsl(key.Reveal()))));
}

Result<EncryptedDataKey> RawAesKeyWrapper::Wrap(const Dek& dek, ByteView aad) {
  // SP 800-38D 8.2.2: a random IV; at most 2^32 wraps under one key.
  std::uint8_t iv[kGcmIvSize];
  if (RAND_bytes(iv, sizeof iv) != 1) {
    return Error(Code::kUnavailable, "the random generator failed");
  }
  WipingBytes buffer(dek.Reveal().begin(), dek.Reveal().end());
  std::uint8_t tag[kGcmTagSize];
  {
    const MutexLock lock(mutex_);
    TRY(key_.SealInPlace(iv, aad, buffer, tag));
  }
  return MakeAesEdk(namespace_, name_, iv, buffer, tag, dek.size());
}

Result<std::optional<Dek>> RawAesKeyWrapper::Unwrap(const EncryptedDataKey& edk, ByteView aad) {
  std::optional<Dek> none;
  const auto info = ParseAesProviderInfo(edk.provider_info);
  if (edk.provider_id != namespace_ || !info || info->name != name_) return none;
  if (edk.ciphertext.size() <= kGcmTagSize) return none;
  const ByteView sealed(edk.ciphertext);
  const ByteView tag = sealed.last(kGcmTagSize);
  SecretBytes dek = TRY(SecretBytes::CopyOf(sealed.first(sealed.size() - kGcmTagSize)));
  const MutexLock lock(mutex_);
  TRY(key_.OpenInPlace(info->iv, aad, dek.RevealMutable(), tag));
  return std::optional<Dek>(Dek(std::move(dek)));
}

}  // namespace dare::envelope
