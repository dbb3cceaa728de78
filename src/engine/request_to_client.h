#pragma once

#include "base/secret_bytes.h"
#include "kmip/message.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::engine {

// A Request Message of one item, as the server sends it to a client that took its role.
template <typename Request>
WipingBytes RequestToClient(const Request& request, kmip::ProtocolVersion version) {
  ttlv::Writer out;
  out.Structure(kmip::Tag::kRequestMessage, [&] {
    kmip::RequestHeader header;
    header.version = version;
    header.batch_count = 1;
    kmip::WriteRequestHeader(out, header);
    out.Structure(kmip::Tag::kBatchItem, [&] {
      out.Enum(kmip::Tag::kOperation, Request::kOperation);
      out.Structure(kmip::Tag::kRequestPayload, [&] { request.Encode(out, version); });
    });
  });
  return out.Take();
}

}  // namespace dare::engine
