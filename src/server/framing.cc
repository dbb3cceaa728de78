#include "server/framing.h"

#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::server {

Result<std::size_t> KmipFraming::MessageSize(ByteView bytes, const Peer& /*peer*/) const {
  constexpr std::size_t kHeaderBytes = 8;
  if (bytes.size() < kHeaderBytes) return std::size_t{0};
  ttlv::Limits limits;
  limits.max_message_bytes = limit_;
  // A client that took the server's role answers; whether it did is for the handler to know.
  const bool answer = GetU32(bytes.data()) >> 8 == ttlv::TagNumber(kmip::Tag::kResponseMessage);
  const kmip::Tag tag = answer ? kmip::Tag::kResponseMessage : kmip::Tag::kRequestMessage;
  return ttlv::MessageLength(bytes.first(kHeaderBytes), tag, limits);
}

}  // namespace dare::server
