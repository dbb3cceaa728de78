#include "envelope/message_sealer.h"

#include <openssl/rand.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "envelope/algorithm_suite.h"
#include "envelope/message_header.h"
#include "envelope/wrapped_dek.h"

namespace dare::envelope {
namespace {

Result<void> CheckOptions(std::size_t keys, const MessageOptions& options) {
  if (keys == 0) return Error(Code::kInvalidArgument, "no key to seal under");
  if (keys > MessageLimits{}.edks) {
    return Error(Code::kTooLarge, "a message is sealed under at most " +
                                      std::to_string(MessageLimits{}.edks) + " keys");
  }
  if (options.frame_length == 0 || options.frame_length > kMostFrameLength) {
    return Error(Code::kInvalidArgument, "the frame length must be 1 byte to 64 MiB");
  }
  if (options.suite != kSuiteWritten && options.suite != kSuiteWrittenSigned) {
    return Error(Code::kInvalidArgument, "only the suites 0x0478 and 0x0578 are ever written");
  }
  return {};
}

}  // namespace

Result<MessageSealer> MessageSealer::Create(const Keyring& keyring, const MessageOptions& options) {
  TRY(CheckOptions(keyring.size(), options));
  MessageOptions complete = options;
  std::optional<SignatureMaker> signature;
  if (FindSuite(options.suite)->signature != FooterSignature::kNone) {
    signature = TRY(SignatureMaker::Create());
    TRY(complete.context.AddPublicKey(signature->public_key()));
  }
  const Bytes aad = complete.context.Serialize();
  const WrappedDek wrapped = TRY(MakeWrappedDek(keyring, aad, options.verify_wraps));
  return Make(wrapped, complete, std::move(signature));
}

Result<MessageSealer> MessageSealer::CreateUnder(const WrappedDek& wrapped,
                                                 const MessageOptions& options) {
  TRY(CheckOptions(wrapped.edks.size(), options));
  if (FindSuite(options.suite)->signature != FooterSignature::kNone) {
    return Error(Code::kUnsupported, "each signed message needs a DEK of its own");
  }
  return Make(wrapped, options, std::nullopt);
}

Result<MessageSealer> MessageSealer::Make(const WrappedDek& wrapped, const MessageOptions& options,
                                          std::optional<SignatureMaker> signature) {
  MessageHeader header;
  header.suite = FindSuite(options.suite);
  header.message_id.resize(header.suite->message_id_size());
  if (RAND_bytes(header.message_id.data(), static_cast<int>(header.message_id.size())) != 1) {
    return Error(Code::kUnavailable, "the random generator failed");
  }
  header.context = options.context;
  header.frame_length = options.frame_length;
  header.edks = wrapped.edks;

  const MessageKeys keys = TRY(DeriveMessageKeys(*header.suite, header.message_id, wrapped.dek));
  header.commitment = keys.commitment;
  Bytes bytes = TRY(EncodeHeaderBody(header));
  if (bytes.size() > MessageLimits{}.header_bytes) {
    return Error(Code::kTooLarge, "the message header would exceed what readers accept");
  }
  // Header tag: IV zero, no plaintext, the header body as associated data.
  crypto::Aead aead = TRY(crypto::Aead::CreateOnOpenSsl(keys.data_key.Reveal()));
  TRY(aead.SealInPlace(header.iv, bytes, {}, header.tag));
  Append(bytes, header.tag);
  FrameCipher cipher = TRY(FrameCipher::Create(keys.data_key.Reveal(), header.message_id));
  if (signature) TRY(signature->Update(bytes));
  MessageSealer sealer(std::move(cipher), std::move(bytes), options.frame_length);
  sealer.signature_ = std::move(signature);
  return sealer;
}

Result<void> MessageSealer::Sign(ByteView frame) {
  if (!signature_) return {};
  return signature_->Update(frame);
}

Result<Bytes> MessageSealer::Finish() {
  if (!signature_) return Bytes();
  Bytes footer = TRY(signature_->Footer());
  footer_size_ = footer.size();
  return footer;
}

Result<FrameTicket> MessageSealer::NextFrame(bool final) {
  if (finished_) return Error(Code::kInternal, "the final frame was already taken");
  if (sequence_ == kMostFrames) {
    return Error(Code::kTooLarge,
                 "too large for this frame length: a message has at most 2^32-1 "
                 "frames");
  }
  finished_ = final;
  return FrameTicket(static_cast<std::uint32_t>(++sequence_), final);
}

Result<Bytes> MessageSealer::SealWhole(ByteView plaintext) && {
  CHECK(plaintext.size() <= frame_length_);
  WipingBytes frame(24 + plaintext.size() + crypto::kGcmTagSize);
  std::copy(plaintext.begin(), plaintext.end(), frame.begin() + 24);
  FrameTicket ticket = TRY(NextFrame(true));
  const ByteView sealed =
      TRY(cipher_.Seal(std::move(ticket), MutableBytes(frame).subspan(24, plaintext.size())));
  TRY(Sign(sealed));
  Bytes message = std::move(header_);
  Append(message, sealed);
  const Bytes footer = TRY(Finish());
  Append(message, footer);
  return message;
}

}  // namespace dare::envelope
