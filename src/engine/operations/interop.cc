#include "engine/operations/interop.h"

#include "kmip/reject.h"

namespace dare::engine {

Result<kmip::InteropResponse> Interop(const kmip::InteropRequest& request,
                                      OperationContext& context) {
  TRY(context.Authorise());
  switch (request.function) {
    case kmip::InteropFunction::kBegin:
    case kmip::InteropFunction::kEnd:
      return kmip::InteropResponse{};
    case kmip::InteropFunction::kReset:
      TRY(context.RemoveAllOfPrincipal());
      return kmip::InteropResponse{};
  }
  return kmip::Reject(kmip::ResultReason::kInvalidField, "unknown Interop Function");
}

}  // namespace dare::engine
