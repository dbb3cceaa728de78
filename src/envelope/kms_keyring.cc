#include "envelope/kms_keyring.h"

#include "kmip/payloads/decrypt.h"
#include "kmip/payloads/encrypt.h"

namespace dare::envelope {
namespace {

constexpr std::int32_t kIvBytes = 12;
constexpr std::int32_t kTagBytes = 16;

kmip::CryptographicParameters GcmParameters() {
  kmip::CryptographicParameters parameters;
  parameters.block_cipher_mode = kmip::BlockCipherMode::kGCM;
  parameters.cryptographic_algorithm = kmip::CryptographicAlgorithm::kAES;
  parameters.iv_length = kIvBytes;
  parameters.tag_length = kTagBytes;
  return parameters;
}

Result<void> CheckVersion(const client::KmsClient& client) {
  if (client.version() >= kmip::kVersion1_4) return {};
  return Error(Code::kUnsupported, "sealed files need KMIP 1.4 or later (kmip_version)");
}

}  // namespace

Result<EncryptedDataKey> KmsKeyWrapper::Wrap(const Dek& dek, ByteView aad) {
  if (key_id_.empty()) return Error(Code::kInternal, "this keyring only unwraps");
  TRY(CheckVersion(client_));
  kmip::EncryptRequest request;
  request.id = kmip::Identifier(key_id_);
  request.parameters = GcmParameters();
  request.parameters->random_iv = true;  // the server makes the IV
  request.data = dek.Reveal();
  if (!aad.empty()) request.aad = aad;
  const auto response = TRY(client_.Call<kmip::EncryptResponse>(request));
  return MakeAesEdk(client_.config().key_namespace, key_id_, response.iv.value_or(Bytes()),
                    response.data.value_or(Bytes()), response.tag.value_or(Bytes()), dek.size());
}

Result<std::optional<Dek>> KmsKeyWrapper::Unwrap(const EncryptedDataKey& edk, ByteView aad) {
  if (edk.provider_id != client_.config().key_namespace) return std::optional<Dek>();
  const std::optional<AesProviderInfo> info = ParseAesProviderInfo(edk.provider_info);
  if (!info || info->name.empty() || !IsValidUtf8(AsBytes(info->name)) ||
      edk.ciphertext.size() <= kTagBytes)
    return std::optional<Dek>();
  TRY(CheckVersion(client_));
  const std::size_t size = edk.ciphertext.size() - kTagBytes;
  const ByteView ciphertext(edk.ciphertext);
  kmip::DecryptRequest request;
  request.id = kmip::Identifier(info->name);
  request.parameters = GcmParameters();
  request.data = ciphertext.first(size);
  request.iv = info->iv;
  if (!aad.empty()) request.aad = aad;
  request.tag = ciphertext.last(kTagBytes);
  const auto response = client_.Call<kmip::DecryptResponse>(request);
  if (!response) {
    const auto reason = static_cast<kmip::ResultReason>(response.error().detail);
    if (response.error().code == Code::kRejected &&
        reason == kmip::ResultReason::kCryptographicFailure) {
      return Error(Code::kDamaged, "a wrapped key does not authenticate");
    }
    return response.error();
  }
  if (!response->data || response->data->size() != size) {
    return Error(Code::kUnsupported, "the key server returned a key of another size");
  }
  return std::optional<Dek>(Dek(TRY(SecretBytes::CopyOf(*response->data))));
}

}  // namespace dare::envelope
