#pragma once

#include <functional>

#include "base/secret_bytes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// A Request Message of one item with this payload: as a server sends it to a client that took its
// role, or to itself.
WipingBytes SingleRequest(Operation operation, ProtocolVersion version,
                          const std::function<void(ttlv::Writer&)>& payload);

template <typename Request>
WipingBytes SingleRequest(const Request& request, ProtocolVersion version) {
  return SingleRequest(Request::kOperation, version,
                       [&](ttlv::Writer& out) { request.Encode(out, version); });
}

}  // namespace dare::kmip
