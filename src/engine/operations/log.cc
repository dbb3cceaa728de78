#include "engine/operations/log.h"

#include "kmip/reject.h"

namespace dare::engine {
namespace {
constexpr std::size_t kMostMessageBytes = 512;  // what the audit log keeps of one text
}  // namespace

Result<kmip::LogResponse> Log(const kmip::LogRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  if (request.message.size() > kMostMessageBytes) {
    return kmip::Reject(kmip::ResultReason::kInvalidField, "a Log Message has 512 bytes at most");
  }
  context.Note(request.message);
  return kmip::LogResponse{};
}

}  // namespace dare::engine
