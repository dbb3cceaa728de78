#include "kmip/request_identity.h"

namespace dare::kmip {

Result<MessageExtension> ReadMessageExtension(ttlv::Reader& in) {
  ttlv::Reader members = TRY(in.Structure(Tag::kMessageExtension));
  const std::string_view vendor = TRY(members.Text(Tag::kVendorIdentification));
  const bool critical = TRY(members.Boolean(Tag::kCriticalityIndicator));
  MessageExtension extension{.critical = critical, .identity = std::nullopt};
  if (vendor != kVendor || !members.At(Tag::kVendorExtension)) return extension;
  ttlv::Reader ours = TRY(members.Structure(Tag::kVendorExtension));
  if (!ours.At(kRequestIdentity)) return extension;
  extension.identity = TRY(ours.ByteString(kRequestIdentity));
  TRY(ours.End());
  TRY(members.End());
  const std::size_t size = extension.identity->size();
  if (size < kLeastRequestIdentity || size > kMostRequestIdentity) {
    return Error(Code::kMalformed, "a request identity has 16 to 64 bytes");
  }
  extension.critical = false;  // we do understand it
  return extension;
}

void WriteRequestIdentity(ttlv::Writer& out, ByteView identity, bool critical) {
  out.Structure(Tag::kMessageExtension, [&] {
    out.Text(Tag::kVendorIdentification, kVendor);
    out.Boolean(Tag::kCriticalityIndicator, critical);
    out.Structure(Tag::kVendorExtension, [&] { out.ByteString(kRequestIdentity, identity); });
  });
}

}  // namespace dare::kmip
