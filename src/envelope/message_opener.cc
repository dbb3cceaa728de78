#include "envelope/message_opener.h"

#include <utility>

namespace dare::envelope {
namespace {

// The first copy that opens to a DEK of the suite's length. When none does: an error other than
// "does not authenticate" passes up, because then a key that might fit could not be used.
Result<Dek> UnwrapDek(const MessageHeader& header, const Keyring& keyring, ByteView aad) {
  std::optional<Error> obstacle;
  for (const EncryptedDataKey& edk : header.edks) {
    for (const std::shared_ptr<KeyWrapper>& wrapper : keyring) {
      Result<std::optional<Dek>> dek = wrapper->Unwrap(edk, aad);
      if (dek && *dek && (*dek)->size() == header.suite->key_length) return *std::move(*dek);
      if (!dek && dek.error().code != Code::kDamaged && !obstacle) obstacle = dek.error();
    }
  }
  if (obstacle) return *std::move(obstacle);
  return NotAuthentic();
}

Result<FrameCipher> CheckHeader(const MessageHeader& header, const Dek& dek,
                                const EncryptionContext& required) {
  const MessageKeys keys = TRY(DeriveMessageKeys(*header.suite, header.message_id, dek));
  // Before anything else is done with the key: the message must be bound to it.
  if (!EqualInConstantTime(keys.commitment, header.commitment)) return NotAuthentic();
  Bytes aad = header.body;
  Append(aad, required.Serialize());
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(keys.data_key.Reveal()));
  if (!aead.OpenInPlace(header.iv, aad, {}, header.tag)) return NotAuthentic();
  return FrameCipher::Create(keys.data_key.Reveal(), header.message_id);
}

}  // namespace

Error NotAuthentic() { return Error(Code::kDamaged, "authentication failed"); }

Result<void> CheckCommitment(const MessageHeader& header, const ReadOptions& options) {
  if (header.suite->commits || options.commitment == CommitmentPolicy::kInsecureAllow) return {};
  return Error(Code::kDamaged, "the message does not commit to its key, which is required");
}

Result<AuthenticHeader> AuthenticateHeader(MessageHeader header, const Keyring& keyring,
                                           const ReadOptions& options) {
  TRY(CheckCommitment(header, options));
  // What is not stored was required: it joins the context that wraps the DEK and the header's tag.
  const EncryptionContext full = TRY(header.context.MergedWith(options.reproduced_context));
  const EncryptionContext required = header.context.MissingFrom(options.reproduced_context);
  const Dek dek = TRY(UnwrapDek(header, keyring, full.Serialize()));
  FrameCipher cipher = TRY(CheckHeader(header, dek, required));
  return AuthenticHeader{std::move(header), std::move(cipher)};
}

Result<WipingBytes> OpenMessage(ByteView message, const Keyring& keyring,
                                const ReadOptions& options) {
  MemorySource in(message);
  MessageHeader header = TRY(ReadHeader(in, options.limits));
  AuthenticHeader authentic = TRY(AuthenticateHeader(std::move(header), keyring, options));
  MemorySink out;
  FlowOptions flow;
  flow.workers = 1;
  TRY(OpenBodyStream(std::move(authentic), in, out, options.limits, flow));
  return std::move(out.bytes());
}

}  // namespace dare::envelope
