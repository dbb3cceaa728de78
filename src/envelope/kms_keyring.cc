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

// Borrows all three.
kmip::DecryptRequest UnwrapRequest(const EncryptedDataKey& edk, const AesProviderInfo& info,
                                   ByteView aad) {
  const std::size_t size = edk.ciphertext.size() - kTagBytes;
  const ByteView ciphertext(edk.ciphertext);
  kmip::DecryptRequest request;
  request.id = kmip::Identifier(info.name);
  request.parameters = GcmParameters();
  request.data = ciphertext.first(size);
  request.iv = info.iv;
  if (!aad.empty()) request.aad = aad;
  request.tag = ciphertext.last(kTagBytes);
  return request;
}

Result<std::optional<Dek>> UnwrappedBy(const Result<kmip::DecryptResponse>& response,
                                       const EncryptedDataKey& edk) {
  if (!response) {
    const auto reason = static_cast<kmip::ResultReason>(response.error().detail);
    if (response.error().code == Code::kRejected &&
        reason == kmip::ResultReason::kCryptographicFailure) {
      return Error(Code::kDamaged, "a wrapped key does not authenticate");
    }
    return response.error();
  }
  if (!response->data || response->data->size() != edk.ciphertext.size() - kTagBytes) {
    return Error(Code::kUnsupported, "the key server returned a key of another size");
  }
  return std::optional<Dek>(Dek(TRY(SecretBytes::CopyOf(*response->data))));
}

}  // namespace

Result<void> KmsKeyWrapper::CheckWraps() const {
  if (key_id_.empty()) return Error(Code::kInternal, "this keyring only unwraps");
  return CheckVersion(client_);
}

kmip::EncryptRequest KmsKeyWrapper::WrapRequest(const DekToWrap& dek) const {
  kmip::EncryptRequest request;
  request.id = kmip::Identifier(key_id_);
  request.parameters = GcmParameters();
  request.parameters->random_iv = true;  // the server makes the IV
  request.data = dek.dek->Reveal();
  if (!dek.aad.empty()) request.aad = dek.aad;
  return request;
}

Result<EncryptedDataKey> KmsKeyWrapper::WrappedBy(const Result<kmip::EncryptResponse>& response,
                                                  std::size_t dek_size) const {
  if (!response) return response.error();
  return MakeAesEdk(client_.config().key_namespace, key_id_, response->iv.value_or(Bytes()),
                    response->data.value_or(Bytes()), response->tag.value_or(Bytes()), dek_size);
}

std::optional<AesProviderInfo> KmsKeyWrapper::InfoOf(const EncryptedDataKey& edk) const {
  if (edk.provider_id != client_.config().key_namespace) return std::nullopt;
  std::optional<AesProviderInfo> info = ParseAesProviderInfo(edk.provider_info);
  if (!info || info->name.empty() || !IsValidUtf8(AsBytes(info->name)) ||
      edk.ciphertext.size() <= kTagBytes) {
    return std::nullopt;
  }
  return info;
}

Result<EncryptedDataKey> KmsKeyWrapper::Wrap(const Dek& dek, ByteView aad) {
  TRY(CheckWraps());
  return WrappedBy(client_.Call<kmip::EncryptResponse>(WrapRequest({&dek, aad})), dek.size());
}

Result<std::optional<Dek>> KmsKeyWrapper::Unwrap(const EncryptedDataKey& edk, ByteView aad) {
  const std::optional<AesProviderInfo> info = InfoOf(edk);
  if (!info) return std::optional<Dek>();
  TRY(CheckVersion(client_));
  return UnwrappedBy(client_.Call<kmip::DecryptResponse>(UnwrapRequest(edk, *info, aad)), edk);
}

std::vector<Result<EncryptedDataKey>> KmsKeyWrapper::WrapMany(std::span<const DekToWrap> deks) {
  std::vector<Result<EncryptedDataKey>> wrapped;
  if (Result<void> able = CheckWraps(); !able) {
    for (std::size_t i = 0; i < deks.size(); ++i) wrapped.emplace_back(able.error());
    return wrapped;
  }
  std::vector<kmip::EncryptRequest> requests;
  for (const DekToWrap& dek : deks) requests.push_back(WrapRequest(dek));
  const auto responses =
      client_.CallMany<kmip::EncryptResponse>(std::span<const kmip::EncryptRequest>(requests));
  for (std::size_t i = 0; i < deks.size(); ++i) {
    wrapped.push_back(WrappedBy(responses[i], deks[i].dek->size()));
  }
  return wrapped;
}

std::vector<Result<std::optional<Dek>>> KmsKeyWrapper::UnwrapMany(
    std::span<const EdkToUnwrap> edks) {
  std::vector<Result<std::optional<Dek>>> unwrapped;
  std::vector<std::size_t> ours;
  std::vector<AesProviderInfo> infos;
  const Result<void> able = CheckVersion(client_);
  for (std::size_t i = 0; i < edks.size(); ++i) {
    unwrapped.emplace_back(std::optional<Dek>());
    std::optional<AesProviderInfo> info = InfoOf(*edks[i].edk);
    if (!info) continue;
    if (!able) unwrapped.back() = able.error();
    if (!able) continue;
    ours.push_back(i);
    infos.push_back(*std::move(info));
  }
  std::vector<kmip::DecryptRequest> requests;
  for (std::size_t n = 0; n < ours.size(); ++n) {
    requests.push_back(UnwrapRequest(*edks[ours[n]].edk, infos[n], edks[ours[n]].aad));
  }
  const auto responses =
      client_.CallMany<kmip::DecryptResponse>(std::span<const kmip::DecryptRequest>(requests));
  for (std::size_t n = 0; n < ours.size(); ++n) {
    unwrapped[ours[n]] = UnwrappedBy(responses[n], *edks[ours[n]].edk);
  }
  return unwrapped;
}

std::optional<NamedKey> KmsKeyWrapper::named_key() const {
  if (key_id_.empty()) return std::nullopt;
  return NamedKey{client_.config().key_namespace, key_id_};
}

}  // namespace dare::envelope
