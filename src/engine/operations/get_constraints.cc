#include "engine/operations/get_constraints.h"

#include "engine/object_rules.h"

namespace dare::engine {

Result<kmip::GetConstraintsResponse> GetConstraints(const kmip::GetConstraintsRequest&,
                                                    OperationContext& context) {
  TRY(context.Authorise());
  kmip::GetConstraintsResponse response;
  response.constraints = TRY(LoadConstraints(context));
  return response;
}

}  // namespace dare::engine
