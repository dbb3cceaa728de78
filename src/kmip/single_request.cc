#include "kmip/single_request.h"

#include "kmip/message.h"
#include "kmip/tags.h"

namespace dare::kmip {

WipingBytes SingleRequest(Operation operation, ProtocolVersion version,
                          const std::function<void(ttlv::Writer&)>& payload) {
  ttlv::Writer out;
  out.Structure(Tag::kRequestMessage, [&] {
    RequestHeader header;
    header.version = version;
    header.batch_count = 1;
    WriteRequestHeader(out, header);
    out.Structure(Tag::kBatchItem, [&] {
      out.Enum(Tag::kOperation, operation);
      out.Structure(Tag::kRequestPayload, [&] { payload(out); });
    });
  });
  return out.Take();
}

}  // namespace dare::kmip
