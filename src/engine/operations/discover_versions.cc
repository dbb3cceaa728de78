#include "engine/operations/discover_versions.h"

#include <algorithm>

#include "engine/versions.h"

namespace dare::engine {

Result<kmip::DiscoverVersionsResponse> DiscoverVersions(
    const kmip::DiscoverVersionsRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  kmip::DiscoverVersionsResponse response;
  for (const kmip::ProtocolVersion& version : SupportedVersions(context.facts().newest_version)) {
    //= kmip-1.4 4.26 Discover Versions
    //# the server SHALL return only the protocol versions that are supported by both the client
    //# and server
    const bool wanted = request.versions.empty() ||
                        std::ranges::find(request.versions, version) != request.versions.end();
    if (wanted) response.versions.push_back(version);
  }
  return response;
}

}  // namespace dare::engine
