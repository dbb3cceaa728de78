#include "engine/operations/delegated_login.h"

#include <utility>

#include "engine/sessions.h"
#include "kmip/reject.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;

Result<std::optional<std::int64_t>> LimitOf(const kmip::TicketRight& right) {
  if (!right.usage_limits) return std::optional<std::int64_t>();
  const kmip::OperationLimit& limit = *right.usage_limits;
  if (limit.unit != kmip::UsageLimitsUnit::kObject || limit.count < 0) {
    return Reject(ResultReason::kInvalidField, "a right's Usage Limits count operations (Object)");
  }
  return std::optional<std::int64_t>(limit.count);
}

}  // namespace

Result<kmip::DelegatedLoginResponse> DelegatedLogin(const kmip::DelegatedLoginRequest& request,
                                                    OperationContext& context) {
  TRY(context.Authorise());
  if (context.caller().ticket != nullptr) {
    return Reject(ResultReason::kPermissionDenied, "a ticket gives no further ticket");
  }
  TicketGrant grant;
  grant.principal = context.principal();
  // The role oversees what belongs to others; nobody can pass that on.
  grant.principal.administrator = false;
  grant.certificate = context.caller().certificate;
  grant.delegated = true;
  grant.terms = request.terms;
  //= kmip-2.1 6.1.12 Delegated Login
  //# Requests using the ticket MUST only be permitted to perform the operations specified in the
  //# Rights section.
  std::vector<policy::Right> rights;
  for (const kmip::TicketRight& right : request.rights) {
    grant.right_limits.push_back(TRY(LimitOf(right)));
    rights.push_back({right.operations, right.objects, right.groups});
  }
  grant.principal.rights = std::move(rights);
  kmip::DelegatedLoginResponse response;
  response.ticket = TRY(context.sessions().tickets.Issue(std::move(grant)));
  return response;
}

}  // namespace dare::engine
