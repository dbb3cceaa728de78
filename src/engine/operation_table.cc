#include "engine/operation_table.h"

#include "engine/operations/activate.h"
#include "engine/operations/add_attribute.h"
#include "engine/operations/adjust_attribute.h"
#include "engine/operations/archive.h"
#include "engine/operations/cancel.h"
#include "engine/operations/certify.h"
#include "engine/operations/check.h"
#include "engine/operations/create.h"
#include "engine/operations/create_key_pair.h"
#include "engine/operations/create_split_key.h"
#include "engine/operations/decrypt.h"
#include "engine/operations/delegated_login.h"
#include "engine/operations/delete_attribute.h"
#include "engine/operations/derive_key.h"
#include "engine/operations/destroy.h"
#include "engine/operations/discover_versions.h"
#include "engine/operations/encrypt.h"
#include "engine/operations/export.h"
#include "engine/operations/get.h"
#include "engine/operations/get_attribute_list.h"
#include "engine/operations/get_attributes.h"
#include "engine/operations/get_constraints.h"
#include "engine/operations/get_usage_allocation.h"
#include "engine/operations/hash.h"
#include "engine/operations/import.h"
#include "engine/operations/interop.h"
#include "engine/operations/join_split_key.h"
#include "engine/operations/locate.h"
#include "engine/operations/log.h"
#include "engine/operations/login.h"
#include "engine/operations/logout.h"
#include "engine/operations/mac.h"
#include "engine/operations/mac_verify.h"
#include "engine/operations/modify_attribute.h"
#include "engine/operations/obtain_lease.h"
#include "engine/operations/ping.h"
#include "engine/operations/pkcs11.h"
#include "engine/operations/process.h"
#include "engine/operations/query.h"
#include "engine/operations/query_asynchronous_requests.h"
#include "engine/operations/re_certify.h"
#include "engine/operations/re_key.h"
#include "engine/operations/re_key_key_pair.h"
#include "engine/operations/recover.h"
#include "engine/operations/register.h"
#include "engine/operations/revoke.h"
#include "engine/operations/rng_retrieve.h"
#include "engine/operations/rng_seed.h"
#include "engine/operations/set_attribute.h"
#include "engine/operations/set_constraints.h"
#include "engine/operations/set_defaults.h"
#include "engine/operations/set_endpoint_role.h"
#include "engine/operations/sign.h"
#include "engine/operations/signature_verify.h"
#include "engine/operations/validate.h"
#include "kmip/payloads/poll.h"

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

template <typename Request, auto Run>
constexpr OperationHandler Makes() {
  return {Request::kOperation, true, &Handle<Request, Run>, true};
}

// Poll gives back the Batch Item of another operation, so the batch answers it itself.
Result<void> AnsweredByBatch(ttlv::Reader&, OperationContext&, ttlv::Writer&) {
  return Error(Code::kInternal, "the batch answers this operation");
}

constexpr OperationHandler kHandlers[] = {
    Changes<kmip::ActivateRequest, Activate>(),
    Changes<kmip::AddAttributeRequest, AddAttribute>(),
    Changes<kmip::AdjustAttributeRequest, AdjustAttribute>(),
    Changes<kmip::ArchiveRequest, Archive>(),
    Changes<kmip::CertifyRequest, Certify>(),
    Reads<kmip::CancelRequest, Cancel>(),
    Reads<kmip::CheckRequest, Check>(),
    Makes<kmip::CreateRequest, Create>(),
    Makes<kmip::CreateKeyPairRequest, CreateKeyPair>(),
    Changes<kmip::CreateSplitKeyRequest, CreateSplitKey>(),
    Reads<kmip::DecryptRequest, Decrypt>(),
    Reads<kmip::DelegatedLoginRequest, DelegatedLogin>(),
    Changes<kmip::DeleteAttributeRequest, DeleteAttribute>(),
    Changes<kmip::DeriveKeyRequest, DeriveKey>(),
    Changes<kmip::DestroyRequest, Destroy>(),
    Reads<kmip::DiscoverVersionsRequest, DiscoverVersions>(),
    Reads<kmip::EncryptRequest, Encrypt>(),
    Reads<kmip::ExportRequest, Export>(),
    Reads<kmip::GetRequest, Get>(),
    Reads<kmip::GetAttributeListRequest, GetAttributeList>(),
    Reads<kmip::GetConstraintsRequest, GetConstraints>(),
    Reads<kmip::GetAttributesRequest, GetAttributes>(),
    Reads<kmip::HashRequest, Hash>(),
    Changes<kmip::GetUsageAllocationRequest, GetUsageAllocation>(),
    Changes<kmip::ImportRequest, Import>(),
    Changes<kmip::InteropRequest, Interop>(),
    Changes<kmip::JoinSplitKeyRequest, JoinSplitKey>(),
    Reads<kmip::LocateRequest, Locate>(),
    Reads<kmip::LogRequest, Log>(),
    Reads<kmip::LoginRequest, Login>(),
    Reads<kmip::LogoutRequest, Logout>(),
    Reads<kmip::MacRequest, Mac>(),
    Reads<kmip::MacVerifyRequest, MacVerify>(),
    Changes<kmip::ModifyAttributeRequest, ModifyAttribute>(),
    Reads<kmip::PingRequest, Ping>(),
    Reads<kmip::Pkcs11Request, Pkcs11>(),
    Reads<kmip::ObtainLeaseRequest, ObtainLease>(),
    {kmip::PollRequest::kOperation, false, &AnsweredByBatch},
    Changes<kmip::ProcessRequest, Process>(),
    Reads<kmip::QueryAsynchronousRequestsRequest, QueryAsynchronousRequests>(),
    Reads<kmip::QueryRequest, Query>(),
    Changes<kmip::ReCertifyRequest, ReCertify>(),
    Changes<kmip::ReKeyRequest, ReKey>(),
    Changes<kmip::ReKeyKeyPairRequest, ReKeyKeyPair>(),
    Changes<kmip::RecoverRequest, Recover>(),
    Changes<kmip::RegisterRequest, Register>(),
    Changes<kmip::RevokeRequest, Revoke>(),
    Reads<kmip::RngRetrieveRequest, RngRetrieve>(),
    Reads<kmip::RngSeedRequest, RngSeed>(),
    Changes<kmip::SetAttributeRequest, SetAttribute>(),
    Changes<kmip::SetConstraintsRequest, SetConstraints>(),
    Changes<kmip::SetDefaultsRequest, SetDefaults>(),
    Reads<kmip::SetEndpointRoleRequest, SetEndpointRole>(),
    Reads<kmip::SignRequest, Sign>(),
    Reads<kmip::SignatureVerifyRequest, SignatureVerify>(),
    Reads<kmip::ValidateRequest, Validate>(),
};

}  // namespace

std::span<const OperationHandler> OperationHandlers() { return kHandlers; }

bool IsOffered(kmip::Operation operation, bool interop) {
  return interop || operation != kmip::Operation::kInterop;
}

const OperationHandler* FindOperationHandler(kmip::Operation operation) {
  for (const OperationHandler& handler : kHandlers) {
    if (handler.operation == operation) return &handler;
  }
  return nullptr;
}

}  // namespace dare::engine
