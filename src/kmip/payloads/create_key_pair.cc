#include "kmip/payloads/create_key_pair.h"

namespace dare::kmip {

Result<CreateKeyPairRequest> CreateKeyPairRequest::Decode(ttlv::Reader& in,
                                                          ProtocolVersion version) {
  CreateKeyPairRequest request;
  request.attributes = TRY(ReadKeyPairAttributes(in, version));
  TRY(in.End());
  return request;
}

void CreateKeyPairRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  WriteKeyPairAttributes(out, version, attributes);
}

}  // namespace dare::kmip
