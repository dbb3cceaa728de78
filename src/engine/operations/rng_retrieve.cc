#include "engine/operations/rng_retrieve.h"

#include "kmip/reject.h"

namespace dare::engine {
namespace {
// More than any key needs; keeps one request from draining time and memory.
constexpr std::int32_t kMostBytes = 64 << 10;
}  // namespace

Result<kmip::RngRetrieveResponse> RngRetrieve(const kmip::RngRetrieveRequest& request,
                                              OperationContext& context) {
  TRY(context.Authorise());
  if (request.length < 1 || request.length > kMostBytes) {
    return kmip::Reject(kmip::ResultReason::kInvalidField, "Data Length must be 1 to 65536");
  }
  kmip::RngRetrieveResponse response;
  response.data.resize(static_cast<std::size_t>(request.length));
  TRY(context.random().Fill(response.data));
  return response;
}

}  // namespace dare::engine
