#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/mutex.h"
#include "base/secret_bytes.h"
#include "crypto/aead.h"

namespace dare::envelope {

// One wrapped copy of a message's DEK ("EDK"), as it stands in the header. Public bytes.
struct EncryptedDataKey {
  std::string provider_id;  // the key namespace
  Bytes provider_info;      // the key name and, for AES keys, what section 5.1 of the format adds
  Bytes ciphertext;

  friend bool operator==(const EncryptedDataKey&, const EncryptedDataKey&) = default;
};

// A key as the copies that it makes name it.
struct NamedKey {
  std::string provider_id;
  std::string key_name;

  friend bool operator==(const NamedKey&, const NamedKey&) = default;
  friend auto operator<=>(const NamedKey&, const NamedKey&) = default;
};

// One of several that are wrapped or unwrapped together. Borrowed.
struct DekToWrap {
  const Dek* dek = nullptr;
  ByteView aad;
};
struct EdkToUnwrap {
  const EncryptedDataKey* edk = nullptr;
  ByteView aad;
};

// Wraps and unwraps DEKs under one key, or under the keys of one KMS. `aad` is the serialised full
// encryption context (maybe empty) and must be bound into the wrapping.
// Used by one thread at a time; may wait for a network.
class KeyWrapper {
 public:
  virtual ~KeyWrapper() = default;
  virtual Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) = 0;
  // False for the public half of a key pair, whose wraps cannot be tried.
  virtual bool can_unwrap() const { return true; }
  // nullopt: not mine (other namespace, name, sizes), look further. kDamaged: mine, but it does not
  // authenticate; the reader looks further too. Any other error (denied, unavailable) also lets the
  // reader try the remaining copies, and is what the caller gets, unchanged, when none of them
  // opens.
  virtual Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) = 0;

  // Many, each with an answer of its own, in their order: in few messages where a network lies
  // between. As they are here, one after the other.
  virtual std::vector<Result<EncryptedDataKey>> WrapMany(std::span<const DekToWrap> deks);
  virtual std::vector<Result<std::optional<Dek>>> UnwrapMany(std::span<const EdkToUnwrap> edks);

  // The key it wraps under; nullopt where it does not wrap, or cannot tell before it does.
  virtual std::optional<NamedKey> named_key() const { return std::nullopt; }
};

// Writers wrap the DEK once with each, in this order; readers ask each for every copy.
using Keyring = std::vector<std::shared_ptr<KeyWrapper>>;

// The provider info of an AES-GCM wrapped DEK: name, u32 tag bits (128), u32 IV bytes (12), IV.
// A KMS that encrypts AES-GCM makes the same (section 5.3 of the format).
struct AesProviderInfo {
  std::string name;
  Bytes iv;  // 12 bytes
};
Bytes EncodeAesProviderInfo(const AesProviderInfo& info);
// nullopt when the bytes are not of that form.
std::optional<AesProviderInfo> ParseAesProviderInfo(ByteView bytes);

// Checks what section 5.3 asks of a remote wrapping and joins it: `ciphertext` as long as the DEK,
// `tag` 16 bytes, `iv` 12 bytes. kUnsupported when the server used other sizes.
Result<EncryptedDataKey> MakeAesEdk(const std::string& key_namespace, const std::string& key_name,
                                    ByteView iv, ByteView ciphertext, ByteView tag,
                                    std::size_t dek_size);

// Raw AES keyring: AES-GCM under a key this process holds. Namespaces starting with "aws-kms" are
// refused. Owns its key. Thread-safe.
class RawAesKeyWrapper final : public KeyWrapper {
 public:
  // `key` has 16, 24 or 32 bytes; kInvalidArgument otherwise.
  static Result<std::shared_ptr<RawAesKeyWrapper>> Create(std::string key_namespace,
                                                          std::string key_name, SecretBytes key);

  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override;
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) override;
  std::optional<NamedKey> named_key() const override { return NamedKey{namespace_, name_}; }

 private:
  RawAesKeyWrapper(std::string key_namespace, std::string key_name, crypto::Aead key);

  const std::string namespace_;
  const std::string name_;
  Mutex mutex_;
  crypto::Aead key_ GUARDED_BY(mutex_);  // kept: its schedule costs more than a wrap
};

}  // namespace dare::envelope
