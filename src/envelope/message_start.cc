#include "envelope/message_start.h"

#include <utility>

namespace dare::envelope {
Result<SealedStart> StartSealedFile(const Keyring& keks, const MessageOptions& message) {
  const KeyBlock block = TRY(KeyBlock::New());
  Bytes bytes = TRY(SealKeyBlock(block, keks, message.verify_wraps));
  const Bytes slot = bytes;  // both slots start out with the same message
  Append(bytes, slot);
  const Keyring data_keyring = TRY(block.DataKeyring());
  MessageOptions data = message;
  data.verify_wraps = true;
  MessageSealer sealer = TRY(MessageSealer::Create(data_keyring, data));
  Append(bytes, sealer.header());
  return SealedStart{std::move(bytes), block.id, std::move(sealer)};
}

Result<SealedStart> StartMessage(const Keyring& keyring, const MessageOptions& message) {
  MessageSealer sealer = TRY(MessageSealer::Create(keyring, message));
  Bytes bytes = ToBytes(sealer.header());
  return SealedStart{std::move(bytes), std::string(), std::move(sealer)};
}

Result<OpenedStart> StartOpeningSealed(ByteSource& in, const Keyring& keks,
                                       const ReadOptions& options) {
  Bytes area(kKeyBlockAreaSize);
  area.resize(TRY(in.Read(area)));
  if (!LooksSealed(area)) return Error(Code::kDamaged, std::string(kNotSealed));
  if (area.size() != kKeyBlockAreaSize) return NotAuthentic();
  const OpenedSlot slot =
      TRY(OpenKeyBlockArea(area, keks, SlotTolerance::kStrict, options.limits.edks));
  MessageHeader header = TRY(ReadHeader(in, options.limits));
  ReadOptions committed = options;
  committed.commitment = CommitmentPolicy::kRequire;
  // The keyring answers only to this block's id, so a foreign data message finds no key.
  const Keyring data_keyring = TRY(slot.block.DataKeyring());
  // Not inside the braces below: GCC does not destroy members made before a TRY that returns.
  AuthenticHeader message = TRY(AuthenticateHeader(std::move(header), data_keyring, committed));
  return OpenedStart{slot.block.id, std::move(message)};
}

Result<OpenedStart> StartOpeningMessage(ByteSource& in, const Keyring& keyring,
                                        const ReadOptions& options) {
  MessageHeader header = TRY(ReadHeader(in, options.limits));
  AuthenticHeader message = TRY(AuthenticateHeader(std::move(header), keyring, options));
  return OpenedStart{std::string(), std::move(message)};
}

}  // namespace dare::envelope
