#include "engine/applicability.h"

#include "kmip/dialect.h"

namespace dare::engine {

using kmip::ObjectType;
using kmip::Operation;
using kmip::Tag;

bool Applies(Operation operation, ObjectType type, kmip::ProtocolVersion version) {
  switch (operation) {
    case Operation::kActivate:
    case Operation::kObtainLease:
      // 2.x treats them as Managed Cryptographic Objects (kmip-2.1 2.3).
      return type != ObjectType::kOpaqueObject || !kmip::IsVersion1(version);
    default:
      return true;
  }
}

bool Applies(Tag attribute, ObjectType type) {
  const bool key_pair = type == ObjectType::kPublicKey || type == ObjectType::kPrivateKey;
  const bool certificate = type == ObjectType::kCertificate || type == ObjectType::kPGPKey;
  const bool symmetric = type == ObjectType::kSymmetricKey || type == ObjectType::kSplitKey;
  if (type == ObjectType::kTemplate) return true;  // for whatever is made from it
  switch (attribute) {
    case Tag::kCryptographicDomainParameters:
      return key_pair;
    case Tag::kCryptographicParameters:
      return type != ObjectType::kOpaqueObject;
    case Tag::kCertificateType:
    case Tag::kCertificateLength:
    case Tag::kDigitalSignatureAlgorithm:
      return certificate;
    case Tag::kUsageLimits:
      return key_pair || symmetric;
    case Tag::kProcessStartDate:
    case Tag::kProtectStopDate:
      // The annex leaves key pairs and secret data out; published cases (CS-AC-M-8, BL-M-4) do not.
      return key_pair || symmetric || type == ObjectType::kSecretData;
    case Tag::kKeyValueLocation:
      return symmetric || type == ObjectType::kPrivateKey || type == ObjectType::kSecretData;
    default:
      return true;
  }
}

}  // namespace dare::engine
