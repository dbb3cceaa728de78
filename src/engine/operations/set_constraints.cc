#include "engine/operations/set_constraints.h"

#include "engine/object_rules.h"

namespace dare::engine {

Result<kmip::SetConstraintsResponse> SetConstraints(const kmip::SetConstraintsRequest& request,
                                                    OperationContext& context) {
  TRY(context.Authorise());
  TRY(SaveConstraints(request.constraints, context));
  return kmip::SetConstraintsResponse{};
}

}  // namespace dare::engine
