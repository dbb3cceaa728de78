#include "engine/operations/query_asynchronous_requests.h"

#include <algorithm>

#include "engine/sessions.h"

namespace dare::engine {

Result<kmip::QueryAsynchronousRequestsResponse> QueryAsynchronousRequests(
    const kmip::QueryAsynchronousRequestsRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  kmip::QueryAsynchronousRequestsResponse response;
  const auto wanted = [](const auto& list, const auto& value) {
    return list.empty() || std::ranges::find(list, value) != list.end();
  };
  for (auto& found : context.sessions().asynchronous.List(OwnerOf(context.caller()))) {
    if (wanted(request.correlations, found.correlation) &&
        wanted(request.operations, found.operation)) {
      response.requests.push_back(std::move(found));
    }
  }
  return response;
}

}  // namespace dare::engine
