#include "backup/hsm_keyring.h"

#include <utility>

namespace dare::backup {
namespace {

constexpr char kProvider[] = "dare-hsm";
constexpr std::string_view kPurpose = "dare-backup-key-1";

Bytes Bound(ByteView aad) {
  Bytes bound = ToBytes(AsBytes(kPurpose));
  Append(bound, aad);
  return bound;
}

}  // namespace

Result<envelope::EncryptedDataKey> HsmKeyWrapper::Wrap(const Dek& dek, ByteView aad) {
  envelope::EncryptedDataKey edk;
  edk.provider_id = kProvider;
  edk.provider_info = sealer_.info().key_id;
  edk.ciphertext = TRY(sealer_.Seal(Bound(aad), dek.Reveal()));
  return edk;
}

Result<std::optional<Dek>> HsmKeyWrapper::Unwrap(const envelope::EncryptedDataKey& edk,
                                                 ByteView aad) {
  if (edk.provider_id != kProvider) return std::optional<Dek>();
  Result<SecretBytes> opened = sealer_.Open(Bound(aad), edk.ciphertext);
  if (opened) return std::optional<Dek>(Dek(std::move(*opened)));
  if (opened.error().code != Code::kNotFound) return opened.error();
  return Error(Code::kNotFound,
               "it was sealed under master key " + ToHex(edk.provider_info) +
                   ", which this HSM does not have; restore that key first (dare-kms hsm restore)");
}

}  // namespace dare::backup
