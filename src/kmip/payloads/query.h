#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kmip/dialect.h"
#include "kmip/enums.h"
#include "kmip/protection_storage_masks.h"

// Query (kmip-2.1 6.1.40, 7.*; kmip-1.4 4.25, 2.1.18 to 2.1.22): what the server is and can do.
namespace dare::kmip {

struct QueryRequest {
  static constexpr Operation kOperation = Operation::kQuery;
  std::vector<QueryFunction> functions;
  std::vector<std::string> object_groups;  // 2.1: whose defaults and masks are asked for

  static Result<QueryRequest> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

// In 1.x the structure is there, and what is in it is the vendor's affair: nothing.
struct ServerInformation {
  std::string server_name, server_serial_number, server_version, server_load;
  std::string product_name, build_level, build_date, cluster_info;
  std::vector<std::string> alternate_failover_endpoints;
};

struct ExtensionInformation {
  std::string name;
  std::optional<std::int32_t> tag;
  std::optional<std::uint32_t> type;  // an item type
};

// Also the value of the attribute Random Number Generator.
struct RngParameters {
  RNGAlgorithm algorithm = RNGAlgorithm::kUnspecified;
  std::optional<CryptographicAlgorithm> cryptographic_algorithm;
  std::optional<std::int32_t> cryptographic_length;  // bits
  std::optional<HashingAlgorithm> hashing_algorithm;
  std::optional<DRBGAlgorithm> drbg_algorithm;
  std::optional<RecommendedCurve> recommended_curve;
  std::optional<FIPS186Variation> fips186_variation;
  std::optional<bool> prediction_resistance;
};
// At `tag`: RNG Parameters or Random Number Generator.
Result<RngParameters> ReadRngParameters(ttlv::Reader& in, Tag tag);
void WriteRngParameters(ttlv::Writer& out, Tag tag, const RngParameters& parameters);

struct ProfileInformation {
  ProfileName name{};
  std::optional<ProtocolVersion> version;  // Profile Version, 2.0+
  std::string server_uri;
  std::optional<std::int32_t> server_port;
};

struct ValidationInformation {
  ValidationAuthorityType authority = ValidationAuthorityType::kUnspecified;
  std::string authority_country, authority_uri;
  std::int32_t version_major = 0;
  std::optional<std::int32_t> version_minor;
  ValidationType type = ValidationType::kUnspecified;
  std::int32_t level = 0;
  std::string certificate_identifier, certificate_uri, vendor_uri;
  std::vector<std::string> profiles;
};

struct CapabilityInformation {
  std::optional<bool> streaming, asynchronous, attestation;
  std::optional<bool> batch_undo, batch_continue;  // 1.4+
  std::optional<UnwrapMode> unwrap_mode;
  std::optional<DestroyAction> destroy_action;
  std::optional<ShreddingAlgorithm> shredding_algorithm;
  std::optional<RNGMode> rng_mode;
  std::optional<bool> quantum_safe;  // 2.0+
};

// What the server fills in where a request leaves it out.
struct ObjectDefaults {
  std::vector<ObjectType> object_types;  // one; 2.1 may have several
  AttributeSet attributes;
  std::vector<std::string> object_groups;  // 2.1
};

// Defaults Information (kmip-2.1 7.11), which Set Defaults sends and Query tells.
Result<std::vector<ObjectDefaults>> ReadDefaultsInformation(ttlv::Reader& in,
                                                            ProtocolVersion version);
void WriteDefaultsInformation(ttlv::Writer& out, const std::vector<ObjectDefaults>& defaults,
                              ProtocolVersion version);

struct QueryResponse {
  std::vector<Operation> operations;
  std::vector<ObjectType> object_types;
  std::optional<std::string> vendor_identification;
  std::optional<ServerInformation> server_information;
  std::vector<std::string> application_namespaces;
  std::vector<ExtensionInformation> extensions;                       // 1.1+
  std::vector<AttestationType> attestation_types;                     // 1.2+
  std::vector<RngParameters> rngs;                                    // 1.3+
  std::vector<ProfileInformation> profiles;                           // 1.3+
  std::vector<ValidationInformation> validations;                     // 1.3+
  std::vector<CapabilityInformation> capabilities;                    // 1.3+
  std::vector<ClientRegistrationMethod> client_registration_methods;  // 1.3+
  std::optional<std::vector<ObjectDefaults>> defaults;                // 2.0+
  std::optional<ProtectionStorageMasks> protection_storage_masks;     // 2.0+

  static Result<QueryResponse> Decode(ttlv::Reader& in, ProtocolVersion version);
  // Leaves out what `version` does not know.
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
