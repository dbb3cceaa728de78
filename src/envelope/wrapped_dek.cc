#include "envelope/wrapped_dek.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kDekSize = 32;

// Section 5.3 of the format: "decrypt once before the DEK is used".
Result<void> VerifyWrap(KeyWrapper& wrapper, const EncryptedDataKey& edk, ByteView aad,
                        const Dek& dek) {
  const std::optional<Dek> unwrapped = TRY(wrapper.Unwrap(edk, aad));
  if (!unwrapped || !EqualInConstantTime(unwrapped->Reveal(), dek.Reveal())) {
    return Error(Code::kInternal, "the key of " + edk.provider_id +
                                      " wrapped the DEK into something that does not unwrap");
  }
  return {};
}

}  // namespace

Result<WrappedDek> MakeWrappedDek(const Keyring& keyring, ByteView aad, bool verify) {
  WrappedDek wrapped{.dek = Dek(TRY(SecretBytes::Random(kDekSize))), .edks = {}};
  for (const std::shared_ptr<KeyWrapper>& wrapper : keyring) {
    EncryptedDataKey edk = TRY(wrapper->Wrap(wrapped.dek, aad));
    if (verify && wrapper->can_unwrap()) TRY(VerifyWrap(*wrapper, edk, aad, wrapped.dek));
    wrapped.edks.push_back(std::move(edk));
  }
  return wrapped;
}

}  // namespace dare::envelope
