#include "server/framing.h"

#include "kmip/tags.h"
#include "ttlv/validate.h"

namespace dare::server {

Result<std::size_t> KmipFraming::MessageSize(ByteView bytes, const Peer& /*peer*/) const {
  constexpr std::size_t kHeaderBytes = 8;
  if (bytes.size() < kHeaderBytes) return std::size_t{0};
  ttlv::Limits limits;
  limits.max_message_bytes = limit_;
  return ttlv::MessageLength(bytes.first(kHeaderBytes), kmip::Tag::kRequestMessage, limits);
}

}  // namespace dare::server
