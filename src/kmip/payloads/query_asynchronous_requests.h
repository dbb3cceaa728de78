#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// Query Asynchronous Requests (kmip-2.1 6.1.41): what the asker began and has not fetched yet.
struct QueryAsynchronousRequestsRequest {
  static constexpr Operation kOperation = Operation::kQueryAsynchronousRequests;
  std::vector<Bytes> correlations;    // only these; empty: all
  std::vector<Operation> operations;  // only these; empty: all

  static Result<QueryAsynchronousRequestsRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct QueryAsynchronousRequestsResponse {
  struct Request {  // kmip-2.1 7.2
    Bytes correlation;
    Operation operation{};
    std::int64_t submitted = 0;  // microseconds since the epoch
    ProcessingStage stage{};
  };
  std::vector<Request> requests;

  static Result<QueryAsynchronousRequestsResponse> Decode(ttlv::Reader& in,
                                                          ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
