// A file of exported keys (envelope/keys_file.h): any bytes. What is accepted has keys, and those
// for AES open what they wrap; what is refused says why.
#include "envelope/keys_file.h"

#include "base/check.h"

namespace dare::envelope {
namespace {

constexpr std::size_t kAesWrappedSize = 32 + 16;  // smaller than any RSA key's

void Read(ByteView bytes) {
  MemorySource source(bytes);
  const Result<Keyring> keys = ReadKeys(source);
  if (!keys) {
    const Code code = keys.error().code;
    CHECK(code == Code::kInvalidArgument || code == Code::kExhausted);
    CHECK(!keys.error().message.empty());
    return;
  }
  CHECK(!keys->empty());
  const Dek dek(SecretBytes::Random(32).value());
  for (const auto& key : *keys) {
    const Result<EncryptedDataKey> wrapped = key->Wrap(dek, {});
    if (!wrapped) continue;  // keys for reading only
    const auto unwrapped = key->Unwrap(*wrapped, {});
    // The halves of a crafted RSA key need not fit each other.
    if (wrapped->ciphertext.size() == kAesWrappedSize) CHECK(unwrapped && *unwrapped);
  }
}

}  // namespace
}  // namespace dare::envelope

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::envelope::Read({data, size});
  return 0;
}
