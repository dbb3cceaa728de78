#include "engine/operations/ping.h"

namespace dare::engine {

Result<kmip::PingResponse> Ping(const kmip::PingRequest&, OperationContext& context) {
  TRY(context.Authorise());
  return kmip::PingResponse{};
}

}  // namespace dare::engine
