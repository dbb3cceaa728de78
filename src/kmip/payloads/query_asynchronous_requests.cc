#include "kmip/payloads/query_asynchronous_requests.h"

#include <utility>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

Result<Bytes> ReadCorrelation(ttlv::Reader& in) {
  const ByteView value = TRY(in.ByteString(Tag::kAsynchronousCorrelationValue));
  return Bytes(value.begin(), value.end());
}

}  // namespace

Result<QueryAsynchronousRequestsRequest> QueryAsynchronousRequestsRequest::Decode(ttlv::Reader& in,
                                                                                  ProtocolVersion) {
  QueryAsynchronousRequestsRequest request;
  if (in.At(Tag::kAsynchronousCorrelationValues)) {
    ttlv::Reader values = TRY(in.Structure(Tag::kAsynchronousCorrelationValues));
    while (!values.AtEnd()) request.correlations.push_back(TRY(ReadCorrelation(values)));
  }
  if (in.At(Tag::kOperations)) {
    ttlv::Reader values = TRY(in.Structure(Tag::kOperations));
    while (!values.AtEnd()) {
      request.operations.push_back(TRY(values.Enum<Operation>(Tag::kOperation)));
    }
  }
  TRY(in.End());
  return request;
}

void QueryAsynchronousRequestsRequest::Encode(ttlv::Writer& out, ProtocolVersion) const {
  if (!correlations.empty()) {
    out.Structure(Tag::kAsynchronousCorrelationValues, [&] {
      for (const Bytes& value : correlations) {
        out.ByteString(Tag::kAsynchronousCorrelationValue, value);
      }
    });
  }
  if (operations.empty()) return;
  out.Structure(Tag::kOperations, [&] {
    for (const Operation operation : operations) out.Enum(Tag::kOperation, operation);
  });
}

Result<QueryAsynchronousRequestsResponse> QueryAsynchronousRequestsResponse::Decode(
    ttlv::Reader& in, ProtocolVersion) {
  QueryAsynchronousRequestsResponse response;
  while (!in.AtEnd()) {
    ttlv::Reader members = TRY(in.Structure(Tag::kAsynchronousRequest));
    Request request;
    request.correlation = TRY(ReadCorrelation(members));
    request.operation = TRY(members.Enum<Operation>(Tag::kOperation));
    request.submitted = TRY(members.DateTimeExtended(Tag::kSubmissionDate));
    request.stage = TRY(members.Enum<ProcessingStage>(Tag::kProcessingStage));
    TRY(members.End());
    response.requests.push_back(std::move(request));
  }
  return response;
}

void QueryAsynchronousRequestsResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  for (const Request& request : requests) {
    out.Structure(Tag::kAsynchronousRequest, [&] {
      out.ByteString(Tag::kAsynchronousCorrelationValue, request.correlation);
      out.Enum(Tag::kOperation, request.operation);
      out.DateTimeExtended(Tag::kSubmissionDate, request.submitted);
      out.Enum(Tag::kProcessingStage, request.stage);
    });
  }
}

}  // namespace dare::kmip
