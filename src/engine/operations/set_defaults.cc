#include "engine/operations/set_defaults.h"

#include "engine/object_rules.h"

namespace dare::engine {

Result<kmip::SetDefaultsResponse> SetDefaults(const kmip::SetDefaultsRequest& request,
                                              OperationContext& context) {
  TRY(context.Authorise());
  TRY(SaveDefaults(request.defaults, context));
  return kmip::SetDefaultsResponse{};
}

}  // namespace dare::engine
