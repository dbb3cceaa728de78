#pragma once

#include <memory>
#include <string>

#include "client/kms_client.h"
#include "envelope/keyring.h"

namespace dare::kmip {
struct EncryptRequest;
struct EncryptResponse;
}  // namespace dare::kmip

namespace dare::envelope {

// Wraps and unwraps DEKs by asking a key server to encrypt them with AES-256-GCM (KMIP Encrypt and
// Decrypt with associated data, format section 5.3): the KEK never comes here. What it makes is a
// raw AES wrapped key, so whoever has the KEK's bytes can open the file with stock libraries.
//
// The provider id is Config::key_namespace, the key name in the provider info the KEK's Unique
// Identifier, which names the exact version of the key. Borrows the client. Thread-safe where the
// client is.
class KmsKeyWrapper final : public KeyWrapper {
 public:
  // To wrap under the key `key_id`; it also unwraps.
  KmsKeyWrapper(client::KmsClient& client, std::string key_id)
      : client_(client), key_id_(std::move(key_id)) {}
  // To unwrap only: whatever key a wrapped DEK names.
  explicit KmsKeyWrapper(client::KmsClient& client) : client_(client) {}

  // kUnsupported when the server speaks a KMIP older than 1.4, which has no associated data, or
  // returns other sizes than asked for; the server's refusals otherwise.
  Result<EncryptedDataKey> Wrap(const Dek& dek, ByteView aad) override;
  // kDamaged when the server says that it does not authenticate.
  Result<std::optional<Dek>> Unwrap(const EncryptedDataKey& edk, ByteView aad) override;

  // In messages of up to KmsClient::kMostBatchItems.
  std::vector<Result<EncryptedDataKey>> WrapMany(std::span<const DekToWrap> deks) override;
  std::vector<Result<std::optional<Dek>>> UnwrapMany(std::span<const EdkToUnwrap> edks) override;

  std::optional<NamedKey> named_key() const override;

 private:
  Result<void> CheckWraps() const;
  kmip::EncryptRequest WrapRequest(const DekToWrap& dek) const;
  Result<EncryptedDataKey> WrappedBy(const Result<kmip::EncryptResponse>& response,
                                     std::size_t dek_size) const;
  // nullopt: not a copy of ours.
  std::optional<AesProviderInfo> InfoOf(const EncryptedDataKey& edk) const;

  client::KmsClient& client_;
  const std::string key_id_;  // empty: unwraps only
};

}  // namespace dare::envelope
