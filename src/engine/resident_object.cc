#include "engine/resident_object.h"

#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::CryptographicAlgorithm;
using kmip::CryptographicUsageMask;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

Error NotKept(std::string what) {
  return Reject(ResultReason::kProtectionStorageUnavailable, std::move(what));
}

bool May(const kmip::AttributeSet& attributes, CryptographicUsageMask bit) {
  const std::int32_t mask = attributes.Integer(Tag::kCryptographicUsageMask).value_or(0);
  return (mask & static_cast<std::int32_t>(bit)) != 0;
}

std::string LabelPrefix(const std::string& store) {
  return std::string(hsm::kResidentLabel) + store + " ";
}

}  // namespace

bool IsResident(const kmip::AttributeSet& attributes) {
  return (attributes.Integer(Tag::kProtectionStorageMask).value_or(0) &
          static_cast<std::int32_t>(kmip::ProtectionStorageMask::kHardware)) != 0;
}

Result<hsm::ResidentReference> ReferenceOf(const kmip::ManagedObject& object) {
  Result<hsm::ResidentReference> reference =
      hsm::ResidentReference::Parse(object.material.Reveal());
  if (!reference) return reference.error().In("object " + object.id);
  return reference;
}

Result<void> CheckHasValue(const kmip::AttributeSet& attributes) {
  if (!IsResident(attributes)) return {};
  return Reject(ResultReason::kNotExtractable, "the key stays in the HSM, which uses it there");
}

std::string ResidentLabel(const std::string& store, const std::string& id) {
  return LabelPrefix(store) + id;
}

std::string ObjectOfLabel(const std::string& store, const std::string& label) {
  const std::string prefix = LabelPrefix(store);
  return label.starts_with(prefix) ? label.substr(prefix.size()) : std::string();
}

Result<hsm::ResidentSpecification> ResidentSecret(const kmip::AttributeSet& attributes) {
  hsm::ResidentSpecification wanted;
  const auto algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm)
                             .value_or(CryptographicAlgorithm{});
  switch (algorithm) {
    case CryptographicAlgorithm::kAES:
      wanted.kind = hsm::ResidentKind::kAes;
      break;
    case CryptographicAlgorithm::kHMAC_SHA1:
    case CryptographicAlgorithm::kHMAC_SHA224:
    case CryptographicAlgorithm::kHMAC_SHA256:
    case CryptographicAlgorithm::kHMAC_SHA384:
    case CryptographicAlgorithm::kHMAC_SHA512:
      wanted.kind = hsm::ResidentKind::kHmac;
      break;
    default:
      return NotKept("the HSM keeps AES and HMAC keys, RSA and elliptic curve key pairs");
  }
  wanted.bits = static_cast<std::size_t>(attributes.Integer(Tag::kCryptographicLength).value_or(0));
  wanted.rights = {.encrypt = May(attributes, CryptographicUsageMask::kEncrypt),
                   .decrypt = May(attributes, CryptographicUsageMask::kDecrypt),
                   .sign = May(attributes, CryptographicUsageMask::kMACGenerate),
                   .verify = May(attributes, CryptographicUsageMask::kMACVerify),
                   .wrap = May(attributes, CryptographicUsageMask::kWrapKey),
                   .unwrap = May(attributes, CryptographicUsageMask::kUnwrapKey)};
  return wanted;
}

Result<hsm::ResidentSpecification> ResidentPair(const crypto::KeySpecification& wanted,
                                                const kmip::AttributeSet& private_attributes) {
  hsm::ResidentSpecification pair;
  pair.bits = wanted.bits;
  pair.curve = wanted.curve;
  pair.rights.sign = May(private_attributes, CryptographicUsageMask::kSign);
  if (wanted.family == crypto::KeyFamily::kRsa) {
    pair.kind = hsm::ResidentKind::kRsa;
    pair.rights.decrypt = May(private_attributes, CryptographicUsageMask::kDecrypt) ||
                          May(private_attributes, CryptographicUsageMask::kUnwrapKey);
    return pair;
  }
  pair.kind = hsm::ResidentKind::kEc;
  if (wanted.family == crypto::KeyFamily::kEc) return pair;
  return NotKept("the HSM keeps AES and HMAC keys, RSA and elliptic curve key pairs");
}

}  // namespace dare::engine
