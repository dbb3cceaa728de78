#include "engine/operations/query.h"

#include <algorithm>

#include "engine/object_policy.h"
#include "engine/object_rules.h"
#include "engine/operation_table.h"
#include "engine/profiles.h"
#include "engine/protection_storage.h"
#include "engine/server_rng.h"
#include "kmip/names.h"
#include "kmip/operation_table.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::ObjectType;
using kmip::QueryFunction;
using kmip::QueryResponse;

constexpr char kVendor[] = "OpenDaRE";
constexpr ObjectType kObjectTypes[] = {ObjectType::kCertificate, ObjectType::kSymmetricKey,
                                       ObjectType::kSecretData,  ObjectType::kOpaqueObject,
                                       ObjectType::kPGPKey,      ObjectType::kCertificateRequest,
                                       ObjectType::kTemplate,    ObjectType::kPrivateKey,
                                       ObjectType::kPublicKey,   ObjectType::kSplitKey};

std::vector<ObjectType> ObjectTypes(kmip::ProtocolVersion version) {
  std::vector<ObjectType> types;
  for (const ObjectType type : kObjectTypes) {
    if (kmip::EnumExists(kmip::Tag::kObjectType, static_cast<std::uint32_t>(type), version)) {
      types.push_back(type);
    }
  }
  return types;
}

std::vector<kmip::Operation> Operations(kmip::ProtocolVersion version, bool interop) {
  std::vector<kmip::Operation> operations;
  for (const OperationHandler& handler : OperationHandlers()) {
    const kmip::OperationRow* row = kmip::FindClientOperation(handler.operation);
    if (row == nullptr || !row->ExistsIn(version)) continue;
    if (IsOffered(handler.operation, interop)) operations.push_back(handler.operation);
  }
  // The published answers name what a server sends, too.
  for (const kmip::OperationRow& row : kmip::ServerOperations()) {
    const bool sent =
        row.operation == kmip::Operation::kNotify || row.operation == kmip::Operation::kPut;
    if (sent && row.ExistsIn(version)) operations.push_back(row.operation);
  }
  return operations;
}

// kmip-2.1 7.5 (kmip-1.4 2.1.21).
kmip::CapabilityInformation Capabilities(kmip::ProtocolVersion version) {
  kmip::CapabilityInformation capabilities;
  // Init and Final Indicator work wherever a method can work in parts; CCM, XTS, key wrap, one-time
  // pads and Ed25519 cannot.
  capabilities.streaming = true;
  capabilities.asynchronous = true;
  capabilities.attestation = false;
  capabilities.batch_undo = true;
  capabilities.batch_continue = true;
  capabilities.unwrap_mode = kmip::UnwrapMode::kNotProcessed;  // a wrapped key is kept as it came
  capabilities.destroy_action = kmip::DestroyAction::kKeyMaterialDeleted;
  capabilities.shredding_algorithm = kmip::ShreddingAlgorithm::kUnsupported;
  capabilities.rng_mode = kmip::RNGMode::kSharedInstantiation;
  // 2.0 has the field, too, but PyKMIP, which speaks 2.0 and no later version, cannot read it.
  if (version >= kmip::kVersion2_1) capabilities.quantum_safe = false;
  return capabilities;
}

// Functions without a case have nothing to tell here: no extensions, attestation or validations.
void Answer(QueryFunction function, const OperationContext& context, QueryResponse& response) {
  const kmip::ProtocolVersion version = context.version();
  const ServerFacts& facts = context.facts();
  switch (function) {
    case QueryFunction::kQueryOperations:
      response.operations = Operations(version, facts.interop);
      return;
    case QueryFunction::kQueryObjects:
      response.object_types = ObjectTypes(version);
      return;
    case QueryFunction::kQueryApplicationNamespaces:
      response.application_namespaces = context.objects().application_namespaces;
      return;
    case QueryFunction::kQueryServerInformation:
      response.vendor_identification = kVendor;
      response.server_information = kmip::ServerInformation{.product_name = facts.product_name};
      return;
    case QueryFunction::kQueryRNGs:
      response.rngs = {ServerRng(context.random())};
      return;
    case QueryFunction::kQueryProfiles:
      response.profiles = ClaimedProfiles(context);
      return;
    case QueryFunction::kQueryCapabilities:
      response.capabilities = {Capabilities(version)};
      return;
    case QueryFunction::kQueryClientRegistrationMethods:
      // kmip-1.4 9.1.3.2.47: the client makes its key pair, enrolment certifies it.
      response.client_registration_methods = {kmip::ClientRegistrationMethod::kClientGenerated};
      return;
    case QueryFunction::kQueryDefaultsInformation:
      return;  // in Query: they are the asker's own
    case QueryFunction::kQueryStorageProtectionMasks:
      response.protection_storage_masks = OfferedStorage(context);
      return;
    default:
      return;
  }
}

}  // namespace

Result<kmip::QueryResponse> Query(const kmip::QueryRequest& request, OperationContext& context) {
  TRY(context.Authorise());
  QueryResponse response;
  for (const QueryFunction function : request.functions) {
    Answer(function, context, response);
    if (function == QueryFunction::kQueryDefaultsInformation) {
      response.defaults = TRY(LoadDefaults(context));
    }
  }
  if (context.issuer() == nullptr) {
    std::erase_if(response.operations, [](kmip::Operation operation) {
      return operation == kmip::Operation::kCertify || operation == kmip::Operation::kReCertify;
    });
  }
  return response;
}

}  // namespace dare::engine
