#include "envelope/value.h"

#include <algorithm>

#include "envelope/message_opener.h"
#include "envelope/message_sealer.h"

namespace dare::envelope {
namespace {

// Readers take memory for a whole frame.
constexpr std::uint32_t kLeastFrame = 4096;

}  // namespace

Result<Bytes> SealValue(const WrappedDek& wrapped, const EncryptionContext& context,
                        ByteView plaintext) {
  if (plaintext.size() > kMostValueBytes) {
    return Error(Code::kTooLarge, "a value has at most 16 MiB; seal it as a stream");
  }
  MessageOptions options;
  options.context = context;
  options.frame_length = std::max(kLeastFrame, static_cast<std::uint32_t>(plaintext.size()));
  MessageSealer sealer = TRY(MessageSealer::CreateUnder(wrapped, options));
  return std::move(sealer).SealWhole(plaintext);
}

Result<WipingBytes> OpenValue(ByteView sealed, const EncryptionContext& context,
                              const Keyring& keks) {
  ReadOptions options;
  options.limits.frame_length = kMostValueBytes;
  options.limits.non_framed_bytes = kMostValueBytes;
  MemorySource in(sealed);
  const Result<MessageHeader> header = ReadHeader(in, options.limits);
  // Another context would not open either; this saves asking the key server.
  if (!header || header->context != context) return NotAuthentic();
  return OpenMessage(sealed, keks, options);
}

}  // namespace dare::envelope
