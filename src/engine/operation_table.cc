#include "engine/operation_table.h"

#include "engine/operations/activate.h"
#include "engine/operations/decrypt.h"
#include "engine/operations/encrypt.h"
#include "engine/operations/get.h"
#include "engine/operations/mac.h"
#include "engine/operations/rng_retrieve.h"

namespace dare::engine {
namespace {

template <typename Request, auto Run>
Result<void> Handle(ttlv::Reader& payload, OperationContext& context, ttlv::Writer& out) {
  const Request request = TRY(Request::Decode(payload, context.version()));
  const auto response = TRY(Run(request, context));
  response.Encode(out, context.version());
  return {};
}

template <typename Request, auto Run>
constexpr OperationHandler Reads() {
  return {Request::kOperation, false, &Handle<Request, Run>};
}
template <typename Request, auto Run>
constexpr OperationHandler Changes() {
  return {Request::kOperation, true, &Handle<Request, Run>};
}

constexpr OperationHandler kHandlers[] = {
    Changes<kmip::ActivateRequest, Activate>(),
    Reads<kmip::DecryptRequest, Decrypt>(),
    Reads<kmip::EncryptRequest, Encrypt>(),
    Reads<kmip::GetRequest, Get>(),
    Reads<kmip::MacRequest, Mac>(),
    Reads<kmip::RngRetrieveRequest, RngRetrieve>(),
};

}  // namespace

std::span<const OperationHandler> OperationHandlers() { return kHandlers; }

const OperationHandler* FindOperationHandler(kmip::Operation operation) {
  for (const OperationHandler& handler : kHandlers) {
    if (handler.operation == operation) return &handler;
  }
  return nullptr;
}

}  // namespace dare::engine
