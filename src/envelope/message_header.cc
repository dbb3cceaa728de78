#include "envelope/message_header.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/aead.h"

namespace dare::envelope {
namespace {

constexpr std::uint8_t kTypeOfVersion1 = 0x80;

Error Bad(std::string_view what) {
  return Error(Code::kDamaged, "message header: " + std::string(what));
}

// Takes bytes off a source and keeps them, because the tag covers them.
class Taker {
 public:
  Taker(ByteSource& in, std::size_t limit) : in_(in), limit_(limit) {}

  // The view lives until the next Take.
  Result<ByteView> Take(std::size_t n) {
    if (n > limit_ - taken_.size()) return Bad("longer than the limit");
    const std::size_t start = taken_.size();
    taken_.resize(start + n);
    const std::size_t have = TRY(in_.Read(MutableBytes(taken_).subspan(start)));
    if (have != n) return Bad("the input ends inside it");
    return ByteView(taken_).subspan(start);
  }
  Result<std::uint8_t> TakeU8() { return TRY(Take(1))[0]; }
  Result<std::uint16_t> TakeU16() { return GetU16(TRY(Take(2)).data()); }
  Result<std::uint32_t> TakeU32() { return GetU32(TRY(Take(4)).data()); }
  // A field with a u16 length before it.
  Result<ByteView> TakeField() {
    const std::size_t length = TRY(TakeU16());
    return Take(length);
  }
  Bytes Finish() { return std::move(taken_); }

 private:
  ByteSource& in_;
  const std::size_t limit_;
  Bytes taken_;
};

Result<void> ReadVersionAndSuite(Taker& in, MessageHeader& header) {
  const std::uint8_t version = TRY(in.TakeU8());
  if (version == 'A') return Bad("unknown version; this looks like base64 text, decode it first");
  if (version != 1 && version != 2) return Bad("unknown version");
  if (version == 1 && TRY(in.TakeU8()) != kTypeOfVersion1) return Bad("unknown message type");
  header.suite = FindSuite(TRY(in.TakeU16()));
  if (header.suite == nullptr) return Bad("unknown algorithm suite");
  if (header.suite->header_version != version) return Bad("suite of another header version");
  header.message_id = ToBytes(TRY(in.Take(header.suite->message_id_size())));
  return {};
}

Result<void> ReadContext(Taker& in, MessageHeader& header) {
  const ByteView bytes = TRY(in.TakeField());
  header.context = TRY(EncryptionContext::Parse(bytes));
  const bool has_public_key = header.context.Find(EncryptionContext::kPublicKey) != nullptr;
  if (has_public_key != (header.suite->signature != FooterSignature::kNone)) {
    return Bad("a public key belongs to signed suites, and only to them");
  }
  return {};
}

Result<void> ReadEdks(Taker& in, MessageHeader& header, const MessageLimits& limits) {
  const std::size_t count = TRY(in.TakeU16());
  if (count == 0) return Bad("no wrapped data key");
  if (count > limits.edks) return Bad("more wrapped data keys than the limit");
  for (std::size_t i = 0; i < count; ++i) {
    EncryptedDataKey edk;
    const ByteView id = TRY(in.TakeField());
    if (!IsValidUtf8(id)) return Bad("a key namespace is not UTF-8");
    edk.provider_id = AsText(id);
    edk.provider_info = ToBytes(TRY(in.TakeField()));
    edk.ciphertext = ToBytes(TRY(in.TakeField()));
    header.edks.push_back(std::move(edk));
  }
  return {};
}

Result<void> ReadContentType(Taker& in, MessageHeader& header, const MessageLimits& limits) {
  const std::uint8_t type = TRY(in.TakeU8());
  if (type != 1 && type != 2) return Bad("unknown content type");
  header.content_type = static_cast<ContentType>(type);
  if (header.suite->header_version == 1) {
    if (TRY(in.TakeU32()) != 0) return Bad("reserved bytes are not zero");
    if (TRY(in.TakeU8()) != crypto::kGcmIvSize) return Bad("wrong IV length");
  }
  header.frame_length = TRY(in.TakeU32());
  const bool framed = header.content_type == ContentType::kFramed;
  if (framed != (header.frame_length != 0)) return Bad("wrong frame length");
  if (header.frame_length > limits.frame_length) return Bad("frames longer than the limit");
  return {};
}

// Behind the header body: the tag, in version 1 with its IV before it. Not covered by the tag.
Result<void> ReadAuthentication(ByteSource& in, MessageHeader& header) {
  const bool stores_iv = header.suite->header_version == 1;
  const std::size_t have_iv = stores_iv ? TRY(in.Read(header.iv)) : header.iv.size();
  const std::size_t have_tag = TRY(in.Read(header.tag));
  if (have_iv != header.iv.size() || have_tag != header.tag.size()) {
    return Bad("the input ends inside it");
  }
  return {};
}

void AppendU16(Bytes& out, std::size_t value) {
  std::uint8_t bytes[2];
  PutU16(bytes, static_cast<std::uint16_t>(value));
  Append(out, bytes);
}

Result<void> AppendField(Bytes& out, ByteView field) {
  if (field.size() > 0xFFFF) return Error(Code::kTooLarge, "a header field exceeds 65,535 bytes");
  AppendU16(out, field.size());
  Append(out, field);
  return {};
}

}  // namespace

Result<MessageHeader> ReadHeader(ByteSource& in, const MessageLimits& limits) {
  Taker taker(in, limits.header_bytes);
  MessageHeader header;
  TRY(ReadVersionAndSuite(taker, header));
  TRY(ReadContext(taker, header));
  TRY(ReadEdks(taker, header, limits));
  TRY(ReadContentType(taker, header, limits));
  if (header.suite->commits) header.commitment = ToBytes(TRY(taker.Take(32)));
  header.body = taker.Finish();
  TRY(ReadAuthentication(in, header));
  return header;
}

Result<Bytes> EncodeHeaderBody(const MessageHeader& header) {
  Bytes out;
  out.push_back(2);
  AppendU16(out, header.suite->id);
  Append(out, header.message_id);
  TRY(AppendField(out, header.context.Serialize()));
  if (header.edks.empty() || header.edks.size() > 0xFFFF) {
    return Error(Code::kInvalidArgument, "a message needs 1 to 65,535 wrapped data keys");
  }
  AppendU16(out, header.edks.size());
  for (const EncryptedDataKey& edk : header.edks) {
    TRY(AppendField(out, AsBytes(edk.provider_id)));
    TRY(AppendField(out, edk.provider_info));
    TRY(AppendField(out, edk.ciphertext));
  }
  out.push_back(static_cast<std::uint8_t>(header.content_type));
  std::uint8_t frame_length[4];
  PutU32(frame_length, header.frame_length);
  Append(out, frame_length);
  Append(out, header.commitment);
  return out;
}

}  // namespace dare::envelope
