#include "envelope/data_key.h"

#include <string>

#include "envelope/message_opener.h"
#include "envelope/value.h"

namespace dare::envelope {
namespace {

constexpr std::string_view kDataKeyPair = "dare-data-key";
constexpr std::string_view kDataKeyVersion = "1";

bool IsDataKeySize(std::size_t size) {
  return size >= kLeastDataKeyBytes && size <= kMostDataKeyBytes;
}

}  // namespace

Result<EncryptionContext> DataKeyContext(const EncryptionContext& context) {
  for (const auto& [name, value] : context.pairs()) {
    if (!name.starts_with(kReservedPairPrefix)) continue;
    return Error(Code::kInvalidArgument, "context names starting with dare- are reserved");
  }
  EncryptionContext full = context;
  TRY(full.AddPortable(std::string(kDataKeyPair), std::string(kDataKeyVersion)));
  return full;
}

Result<Bytes> WrapDataKey(const WrappedDek& wrapped, const EncryptionContext& data_key_context,
                          const SecretBytes& key) {
  if (!IsDataKeySize(key.size())) {
    return Error(Code::kInvalidArgument, "a data key has 16 to 1024 bytes");
  }
  return SealValue(wrapped, data_key_context, key.Reveal());
}

Result<SecretBytes> UnwrapDataKey(ByteView wrapped, const EncryptionContext& data_key_context,
                                  const Keyring& keks) {
  const WipingBytes key = TRY(OpenValue(wrapped, data_key_context, keks));
  if (!IsDataKeySize(key.size())) return NotAuthentic();
  return SecretBytes::CopyOf(key);
}

}  // namespace dare::envelope
