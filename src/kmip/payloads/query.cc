#include "kmip/payloads/query.h"

#include <string_view>
#include <utility>

#include "kmip/tags.h"

namespace dare::kmip {
namespace {

using ttlv::Reader;
using ttlv::Writer;

Result<std::string> OptionalString(Reader& in, Tag tag) {
  return std::string(TRY(in.OptionalText(tag)).value_or(std::string_view()));
}
void WriteOptionalString(Writer& out, Tag tag, const std::string& value) {
  if (!value.empty()) out.Text(tag, value);
}
template <typename E>
void WriteOptionalEnum(Writer& out, Tag tag, const std::optional<E>& value) {
  if (value) out.Enum(tag, *value);
}
void WriteOptionalBoolean(Writer& out, Tag tag, const std::optional<bool>& value) {
  if (value) out.Boolean(tag, *value);
}
void WriteOptionalInteger(Writer& out, Tag tag, const std::optional<std::int32_t>& value) {
  if (value) out.Integer(tag, *value);
}
template <typename E>
Result<std::vector<E>> ReadEnums(Reader& in, Tag tag) {
  std::vector<E> values;
  while (in.At(tag)) values.push_back(TRY(in.Enum<E>(tag)));
  return values;
}
Result<std::vector<std::string>> ReadTexts(Reader& in, Tag tag) {
  std::vector<std::string> values;
  while (in.At(tag)) values.emplace_back(TRY(in.Text(tag)));
  return values;
}

Result<std::vector<std::string>> ReadObjectGroups(Reader& in) {
  std::vector<std::string> groups;
  if (!in.At(Tag::kObjectGroups)) return groups;
  Reader members = TRY(in.Structure(Tag::kObjectGroups));
  groups = TRY(ReadTexts(members, Tag::kObjectGroup));
  TRY(members.End());
  return groups;
}
void WriteObjectGroups(Writer& out, const std::vector<std::string>& groups) {
  if (groups.empty()) return;
  out.Structure(Tag::kObjectGroups, [&] {
    for (const std::string& group : groups) out.Text(Tag::kObjectGroup, group);
  });
}

// kmip-2.1 7.37. In 1.x any content is skipped: only the vendor can read it.
Result<ServerInformation> ReadServerInformation(Reader& in, ProtocolVersion version) {
  Reader members = TRY(in.Structure(Tag::kServerInformation));
  ServerInformation information;
  if (IsVersion1(version)) return information;
  information.server_name = TRY(OptionalString(members, Tag::kServerName));
  information.server_serial_number = TRY(OptionalString(members, Tag::kServerSerialNumber));
  information.server_version = TRY(OptionalString(members, Tag::kServerVersion));
  information.server_load = TRY(OptionalString(members, Tag::kServerLoad));
  information.product_name = TRY(OptionalString(members, Tag::kProductName));
  information.build_level = TRY(OptionalString(members, Tag::kBuildLevel));
  information.build_date = TRY(OptionalString(members, Tag::kBuildDate));
  information.cluster_info = TRY(OptionalString(members, Tag::kClusterInfo));
  information.alternate_failover_endpoints =
      TRY(ReadTexts(members, Tag::kAlternateFailoverEndpoints));
  return information;  // vendor-specific members may follow
}

void WriteServerInformation(Writer& out, const ServerInformation& information,
                            ProtocolVersion version) {
  out.Structure(Tag::kServerInformation, [&] {
    if (IsVersion1(version)) return;
    WriteOptionalString(out, Tag::kServerName, information.server_name);
    WriteOptionalString(out, Tag::kServerSerialNumber, information.server_serial_number);
    WriteOptionalString(out, Tag::kServerVersion, information.server_version);
    WriteOptionalString(out, Tag::kServerLoad, information.server_load);
    WriteOptionalString(out, Tag::kProductName, information.product_name);
    WriteOptionalString(out, Tag::kBuildLevel, information.build_level);
    WriteOptionalString(out, Tag::kBuildDate, information.build_date);
    WriteOptionalString(out, Tag::kClusterInfo, information.cluster_info);
    for (const std::string& endpoint : information.alternate_failover_endpoints) {
      out.Text(Tag::kAlternateFailoverEndpoints, endpoint);
    }
  });
}

Result<ExtensionInformation> ReadExtension(Reader& in, ProtocolVersion version) {
  Reader members = TRY(in.Structure(Tag::kExtensionInformation));
  ExtensionInformation extension;
  extension.name = TRY(members.Text(Tag::kExtensionName));
  extension.tag = TRY(members.OptionalInteger(Tag::kExtensionTag));
  if (IsVersion1(version)) {
    const auto type = TRY(members.OptionalInteger(Tag::kExtensionType));
    if (type) extension.type = static_cast<std::uint32_t>(*type);
    TRY(members.End());
    return extension;
  }
  extension.type = TRY(members.OptionalEnumeration(Tag::kExtensionType));
  TRY(members.OptionalInteger(Tag::kExtensionEnumeration));
  TRY(members.OptionalBoolean(Tag::kExtensionAttribute));
  TRY(members.OptionalInteger(Tag::kExtensionParentStructureTag));
  TRY(members.OptionalText(Tag::kExtensionDescription));
  TRY(members.End());
  return extension;
}

void WriteExtension(Writer& out, const ExtensionInformation& extension, ProtocolVersion version) {
  out.Structure(Tag::kExtensionInformation, [&] {
    out.Text(Tag::kExtensionName, extension.name);
    WriteOptionalInteger(out, Tag::kExtensionTag, extension.tag);
    if (!extension.type) return;
    if (IsVersion1(version)) {
      out.Integer(Tag::kExtensionType, static_cast<std::int32_t>(*extension.type));
    } else {
      out.Enumeration(Tag::kExtensionType, *extension.type);
    }
  });
}

Result<ProfileInformation> ReadProfile(Reader& in, ProtocolVersion version) {
  Reader members = TRY(in.Structure(Tag::kProfileInformation));
  ProfileInformation profile;
  profile.name = TRY(members.Enum<ProfileName>(Tag::kProfileName));
  if (!IsVersion1(version) && members.At(Tag::kProfileVersion)) {
    Reader numbers = TRY(members.Structure(Tag::kProfileVersion));
    ProtocolVersion profile_version;
    profile_version.major = TRY(numbers.Integer(Tag::kProfileVersionMajor));
    profile_version.minor = TRY(numbers.Integer(Tag::kProfileVersionMinor));
    TRY(numbers.End());
    profile.version = profile_version;
  }
  profile.server_uri = TRY(OptionalString(members, Tag::kServerURI));
  profile.server_port = TRY(members.OptionalInteger(Tag::kServerPort));
  TRY(members.End());
  return profile;
}

void WriteProfile(Writer& out, const ProfileInformation& profile, ProtocolVersion version) {
  out.Structure(Tag::kProfileInformation, [&] {
    out.Enum(Tag::kProfileName, profile.name);
    if (!IsVersion1(version) && profile.version) {
      out.Structure(Tag::kProfileVersion, [&] {
        out.Integer(Tag::kProfileVersionMajor, profile.version->major);
        out.Integer(Tag::kProfileVersionMinor, profile.version->minor);
      });
    }
    WriteOptionalString(out, Tag::kServerURI, profile.server_uri);
    WriteOptionalInteger(out, Tag::kServerPort, profile.server_port);
  });
}

Result<ValidationInformation> ReadValidation(Reader& in) {
  Reader members = TRY(in.Structure(Tag::kValidationInformation));
  ValidationInformation v;
  v.authority = TRY(members.Enum<ValidationAuthorityType>(Tag::kValidationAuthorityType));
  v.authority_country = TRY(OptionalString(members, Tag::kValidationAuthorityCountry));
  v.authority_uri = TRY(OptionalString(members, Tag::kValidationAuthorityURI));
  v.version_major = TRY(members.Integer(Tag::kValidationVersionMajor));
  v.version_minor = TRY(members.OptionalInteger(Tag::kValidationVersionMinor));
  v.type = TRY(members.Enum<ValidationType>(Tag::kValidationType));
  v.level = TRY(members.Integer(Tag::kValidationLevel));
  v.certificate_identifier = TRY(OptionalString(members, Tag::kValidationCertificateIdentifier));
  v.certificate_uri = TRY(OptionalString(members, Tag::kValidationCertificateURI));
  v.vendor_uri = TRY(OptionalString(members, Tag::kValidationVendorURI));
  v.profiles = TRY(ReadTexts(members, Tag::kValidationProfile));
  TRY(members.End());
  return v;
}

void WriteValidation(Writer& out, const ValidationInformation& v) {
  out.Structure(Tag::kValidationInformation, [&] {
    out.Enum(Tag::kValidationAuthorityType, v.authority);
    WriteOptionalString(out, Tag::kValidationAuthorityCountry, v.authority_country);
    WriteOptionalString(out, Tag::kValidationAuthorityURI, v.authority_uri);
    out.Integer(Tag::kValidationVersionMajor, v.version_major);
    WriteOptionalInteger(out, Tag::kValidationVersionMinor, v.version_minor);
    out.Enum(Tag::kValidationType, v.type);
    out.Integer(Tag::kValidationLevel, v.level);
    WriteOptionalString(out, Tag::kValidationCertificateIdentifier, v.certificate_identifier);
    WriteOptionalString(out, Tag::kValidationCertificateURI, v.certificate_uri);
    WriteOptionalString(out, Tag::kValidationVendorURI, v.vendor_uri);
    for (const std::string& profile : v.profiles) out.Text(Tag::kValidationProfile, profile);
  });
}

Result<CapabilityInformation> ReadCapability(Reader& in, ProtocolVersion version) {
  Reader members = TRY(in.Structure(Tag::kCapabilityInformation));
  CapabilityInformation c;
  c.streaming = TRY(members.OptionalBoolean(Tag::kStreamingCapability));
  c.asynchronous = TRY(members.OptionalBoolean(Tag::kAsynchronousCapability));
  c.attestation = TRY(members.OptionalBoolean(Tag::kAttestationCapability));
  if (version >= kVersion1_4) {
    c.batch_undo = TRY(members.OptionalBoolean(Tag::kBatchUndoCapability));
    c.batch_continue = TRY(members.OptionalBoolean(Tag::kBatchContinueCapability));
  }
  c.unwrap_mode = TRY(members.OptionalEnum<UnwrapMode>(Tag::kUnwrapMode));
  c.destroy_action = TRY(members.OptionalEnum<DestroyAction>(Tag::kDestroyAction));
  c.shredding_algorithm = TRY(members.OptionalEnum<ShreddingAlgorithm>(Tag::kShreddingAlgorithm));
  c.rng_mode = TRY(members.OptionalEnum<RNGMode>(Tag::kRNGMode));
  if (!IsVersion1(version)) {
    c.quantum_safe = TRY(members.OptionalBoolean(Tag::kQuantumSafeCapability));
  }
  TRY(members.End());
  return c;
}

void WriteCapability(Writer& out, const CapabilityInformation& c, ProtocolVersion version) {
  out.Structure(Tag::kCapabilityInformation, [&] {
    WriteOptionalBoolean(out, Tag::kStreamingCapability, c.streaming);
    WriteOptionalBoolean(out, Tag::kAsynchronousCapability, c.asynchronous);
    WriteOptionalBoolean(out, Tag::kAttestationCapability, c.attestation);
    if (version >= kVersion1_4) {
      WriteOptionalBoolean(out, Tag::kBatchUndoCapability, c.batch_undo);
      WriteOptionalBoolean(out, Tag::kBatchContinueCapability, c.batch_continue);
    }
    WriteOptionalEnum(out, Tag::kUnwrapMode, c.unwrap_mode);
    WriteOptionalEnum(out, Tag::kDestroyAction, c.destroy_action);
    WriteOptionalEnum(out, Tag::kShreddingAlgorithm, c.shredding_algorithm);
    WriteOptionalEnum(out, Tag::kRNGMode, c.rng_mode);
    if (!IsVersion1(version)) {
      WriteOptionalBoolean(out, Tag::kQuantumSafeCapability, c.quantum_safe);
    }
  });
}

Result<ObjectDefaults> ReadObjectDefaults(Reader& in, ProtocolVersion version) {
  Reader members = TRY(in.Structure(Tag::kObjectDefaults));
  ObjectDefaults defaults;
  if (version >= kVersion2_1 && members.At(Tag::kObjectTypes)) {
    Reader types = TRY(members.Structure(Tag::kObjectTypes));
    defaults.object_types = TRY(ReadEnums<ObjectType>(types, Tag::kObjectType));
    TRY(types.End());
  } else {
    defaults.object_types.push_back(TRY(members.Enum<ObjectType>(Tag::kObjectType)));
  }
  defaults.attributes = TRY(ReadAttributes(members, version)).attributes;
  if (version >= kVersion2_1) defaults.object_groups = TRY(ReadObjectGroups(members));
  TRY(members.End());
  return defaults;
}

void WriteObjectDefaults(Writer& out, const ObjectDefaults& defaults, ProtocolVersion version) {
  out.Structure(Tag::kObjectDefaults, [&] {
    if (defaults.object_types.size() == 1 || version < kVersion2_1) {
      for (const ObjectType type : defaults.object_types) out.Enum(Tag::kObjectType, type);
    } else {
      out.Structure(Tag::kObjectTypes, [&] {
        for (const ObjectType type : defaults.object_types) out.Enum(Tag::kObjectType, type);
      });
    }
    WriteAttributes(out, version, defaults.attributes);
    if (version >= kVersion2_1) WriteObjectGroups(out, defaults.object_groups);
  });
}

Result<void> ReadSince20(Reader& in, QueryResponse& response, ProtocolVersion version) {
  if (in.At(Tag::kDefaultsInformation)) {
    response.defaults = TRY(ReadDefaultsInformation(in, version));
  }
  response.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  return {};
}

}  // namespace

Result<std::vector<ObjectDefaults>> ReadDefaultsInformation(Reader& in, ProtocolVersion version) {
  Reader members = TRY(in.Structure(Tag::kDefaultsInformation));
  std::vector<ObjectDefaults> defaults;
  while (!members.AtEnd()) defaults.push_back(TRY(ReadObjectDefaults(members, version)));
  return defaults;
}

void WriteDefaultsInformation(Writer& out, const std::vector<ObjectDefaults>& defaults,
                              ProtocolVersion version) {
  out.Structure(Tag::kDefaultsInformation, [&] {
    for (const ObjectDefaults& one : defaults) WriteObjectDefaults(out, one, version);
  });
}

Result<RngParameters> ReadRngParameters(Reader& in, Tag tag) {
  Reader members = TRY(in.Structure(tag));
  RngParameters p;
  p.algorithm = TRY(members.Enum<RNGAlgorithm>(Tag::kRNGAlgorithm));
  p.cryptographic_algorithm =
      TRY(members.OptionalEnum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm));
  p.cryptographic_length = TRY(members.OptionalInteger(Tag::kCryptographicLength));
  p.hashing_algorithm = TRY(members.OptionalEnum<HashingAlgorithm>(Tag::kHashingAlgorithm));
  p.drbg_algorithm = TRY(members.OptionalEnum<DRBGAlgorithm>(Tag::kDRBGAlgorithm));
  p.recommended_curve = TRY(members.OptionalEnum<RecommendedCurve>(Tag::kRecommendedCurve));
  p.fips186_variation = TRY(members.OptionalEnum<FIPS186Variation>(Tag::kFIPS186Variation));
  p.prediction_resistance = TRY(members.OptionalBoolean(Tag::kPredictionResistance));
  TRY(members.End());
  return p;
}

void WriteRngParameters(Writer& out, Tag tag, const RngParameters& p) {
  out.Structure(tag, [&] {
    out.Enum(Tag::kRNGAlgorithm, p.algorithm);
    WriteOptionalEnum(out, Tag::kCryptographicAlgorithm, p.cryptographic_algorithm);
    WriteOptionalInteger(out, Tag::kCryptographicLength, p.cryptographic_length);
    WriteOptionalEnum(out, Tag::kHashingAlgorithm, p.hashing_algorithm);
    WriteOptionalEnum(out, Tag::kDRBGAlgorithm, p.drbg_algorithm);
    WriteOptionalEnum(out, Tag::kRecommendedCurve, p.recommended_curve);
    WriteOptionalEnum(out, Tag::kFIPS186Variation, p.fips186_variation);
    WriteOptionalBoolean(out, Tag::kPredictionResistance, p.prediction_resistance);
  });
}

Result<QueryRequest> QueryRequest::Decode(Reader& in, ProtocolVersion version) {
  QueryRequest request;
  request.functions.push_back(TRY(in.Enum<QueryFunction>(Tag::kQueryFunction)));
  while (in.At(Tag::kQueryFunction)) {
    request.functions.push_back(TRY(in.Enum<QueryFunction>(Tag::kQueryFunction)));
  }
  if (version >= kVersion2_1) request.object_groups = TRY(ReadObjectGroups(in));
  TRY(in.End());
  return request;
}

void QueryRequest::Encode(Writer& out, ProtocolVersion version) const {
  for (const QueryFunction function : functions) out.Enum(Tag::kQueryFunction, function);
  if (version >= kVersion2_1) WriteObjectGroups(out, object_groups);
}

Result<QueryResponse> QueryResponse::Decode(Reader& in, ProtocolVersion version) {
  QueryResponse response;
  response.operations = TRY(ReadEnums<Operation>(in, Tag::kOperation));
  response.object_types = TRY(ReadEnums<ObjectType>(in, Tag::kObjectType));
  if (const auto vendor = TRY(in.OptionalText(Tag::kVendorIdentification))) {
    response.vendor_identification = std::string(*vendor);
  }
  if (in.At(Tag::kServerInformation)) {
    response.server_information = TRY(ReadServerInformation(in, version));
  }
  response.application_namespaces = TRY(ReadTexts(in, Tag::kApplicationNamespace));
  if (version >= kVersion1_1) {
    while (in.At(Tag::kExtensionInformation)) {
      response.extensions.push_back(TRY(ReadExtension(in, version)));
    }
  }
  if (version >= kVersion1_2) {
    response.attestation_types = TRY(ReadEnums<AttestationType>(in, Tag::kAttestationType));
  }
  if (version >= kVersion1_3) {
    while (in.At(Tag::kRNGParameters)) {
      response.rngs.push_back(TRY(ReadRngParameters(in, Tag::kRNGParameters)));
    }
    while (in.At(Tag::kProfileInformation)) {
      response.profiles.push_back(TRY(ReadProfile(in, version)));
    }
    while (in.At(Tag::kValidationInformation)) {
      response.validations.push_back(TRY(ReadValidation(in)));
    }
    while (in.At(Tag::kCapabilityInformation)) {
      response.capabilities.push_back(TRY(ReadCapability(in, version)));
    }
    response.client_registration_methods =
        TRY(ReadEnums<ClientRegistrationMethod>(in, Tag::kClientRegistrationMethod));
  }
  if (!IsVersion1(version)) TRY(ReadSince20(in, response, version));
  TRY(in.End());
  return response;
}

void QueryResponse::Encode(Writer& out, ProtocolVersion version) const {
  for (const Operation operation : operations) out.Enum(Tag::kOperation, operation);
  for (const ObjectType type : object_types) out.Enum(Tag::kObjectType, type);
  if (vendor_identification) out.Text(Tag::kVendorIdentification, *vendor_identification);
  if (server_information) WriteServerInformation(out, *server_information, version);
  for (const std::string& name : application_namespaces) {
    out.Text(Tag::kApplicationNamespace, name);
  }
  if (version >= kVersion1_1) {
    for (const ExtensionInformation& extension : extensions) {
      WriteExtension(out, extension, version);
    }
  }
  if (version >= kVersion1_2) {
    for (const AttestationType type : attestation_types) out.Enum(Tag::kAttestationType, type);
  }
  if (version >= kVersion1_3) {
    for (const RngParameters& rng : rngs) WriteRngParameters(out, Tag::kRNGParameters, rng);
    for (const ProfileInformation& profile : profiles) WriteProfile(out, profile, version);
    for (const ValidationInformation& validation : validations) WriteValidation(out, validation);
    for (const CapabilityInformation& capability : capabilities) {
      WriteCapability(out, capability, version);
    }
    for (const ClientRegistrationMethod method : client_registration_methods) {
      out.Enum(Tag::kClientRegistrationMethod, method);
    }
  }
  if (IsVersion1(version)) return;
  if (defaults) {
    out.Structure(Tag::kDefaultsInformation, [&] {
      for (const ObjectDefaults& object : *defaults) WriteObjectDefaults(out, object, version);
    });
  }
  if (protection_storage_masks) WriteProtectionStorageMasks(out, *protection_storage_masks);
}

}  // namespace dare::kmip
