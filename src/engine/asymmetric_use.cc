#include "engine/asymmetric_use.h"

#include <utility>

#include "crypto/algorithm_policy.h"
#include "engine/key_formats.h"
#include "engine/recommended_curves.h"
#include "engine/resident_object.h"
#include "kmip/reject.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"

namespace dare::engine {
namespace {

using crypto::KeySource;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

kmip::CryptographicAlgorithm AlgorithmIn(const StoredObject& stored,
                                         const crypto::KeyFacts& facts) {
  return stored.object.attributes.Enum<kmip::CryptographicAlgorithm>(Tag::kCryptographicAlgorithm)
      .value_or(AlgorithmOf(facts, true));
}

Result<kmip::KeyBlock> ReadableBlock(const kmip::ManagedObject& object) {
  kmip::KeyBlock block = TRY(object.Block());
  if (block.wrapping) {
    return Reject(ResultReason::kPermissionDenied, "the key is stored wrapped and cannot be used");
  }
  if (!IsReadable(block)) {
    return Reject(ResultReason::kKeyFormatTypeNotSupported,
                  "this server cannot read the key as it was registered");
  }
  return block;
}

Result<crypto::PublicKey> KeyOfCertificate(const kmip::ManagedObject& object) {
  ttlv::Reader members = TRY(ttlv::Reader::Open(object.material.Reveal()));
  const auto type = TRY(members.Enum<kmip::CertificateType>(Tag::kCertificateType));
  if (type != kmip::CertificateType::kX_509) {
    return Reject(ResultReason::kInvalidObjectType, "only X.509 certificates are used as keys");
  }
  const ByteView der = TRY(members.ByteString(Tag::kCertificateValue));
  return crypto::PublicKey::OfCertificate(der, KeySource::kChecked);
}

Result<crypto::PublicKey> HalfOf(const hsm::ResidentReference& key) {
  return crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo, key.public_key,
                                  KeySource::kChecked);
}

}  // namespace

Result<crypto::PrivateKey> PrivateKeyOf(const kmip::ManagedObject& object) {
  if (object.type != ObjectType::kPrivateKey) {
    return Reject(ResultReason::kInvalidObjectType, "a Private Key is needed");
  }
  TRY(CheckHasValue(object.attributes));
  const kmip::KeyBlock block = TRY(ReadableBlock(object));
  return ReadPrivateKey(block, HintsOf(block, object.attributes), KeySource::kChecked);
}

Result<crypto::PublicKey> PublicKeyOf(const kmip::ManagedObject& object) {
  switch (object.type) {
    case ObjectType::kCertificate:
      return KeyOfCertificate(object);
    case ObjectType::kPrivateKey: {
      if (IsResident(object.attributes)) return HalfOf(TRY(ReferenceOf(object)));
      const crypto::PrivateKey key = TRY(PrivateKeyOf(object));
      return key.Public();
    }
    case ObjectType::kPublicKey: {
      const kmip::KeyBlock block = TRY(ReadableBlock(object));
      return ReadPublicKey(block, HintsOf(block, object.attributes), KeySource::kChecked);
    }
    default:
      return Reject(ResultReason::kInvalidObjectType, "a Public Key is needed");
  }
}

Result<UsablePrivateKey> AsPrivateKey(const OperationContext& context, ObjectPointer stored,
                                      KeyPurpose purpose) {
  TRY(CheckUsable(context, *stored, purpose));
  UsablePrivateKey usable;
  if (stored->object.type == ObjectType::kPrivateKey && IsResident(stored->object.attributes)) {
    if (purpose == KeyPurpose::kDerive) TRY(CheckHasValue(stored->object.attributes));
    usable.resident = TRY(ReferenceOf(stored->object));
    usable.facts = TRY(HalfOf(*usable.resident)).facts();
  } else {
    usable.key = TRY(PrivateKeyOf(stored->object));
    usable.facts = usable.key->facts();
  }
  TRY(crypto::CheckKey(context.algorithms(), usable.facts));
  usable.algorithm = AlgorithmIn(*stored, usable.facts);
  usable.defaults = TRY(DefaultParameters(stored->object.attributes));
  usable.object = std::move(stored);
  return usable;
}

Result<UsablePublicKey> AsPublicKey(const OperationContext& context, ObjectPointer stored,
                                    KeyPurpose purpose) {
  TRY(CheckUsable(context, *stored, purpose));
  crypto::PublicKey key = TRY(PublicKeyOf(stored->object));
  TRY(crypto::CheckKey(context.algorithms(), key.facts()));
  const kmip::CryptographicAlgorithm algorithm = AlgorithmIn(*stored, key.facts());
  kmip::CryptographicParameters defaults = TRY(DefaultParameters(stored->object.attributes));
  crypto::KeyFacts facts = key.facts();
  return UsablePublicKey{std::move(stored), std::move(facts), std::move(key), algorithm,
                         std::move(defaults)};
}

Result<UsablePrivateKey> OpenPrivateKey(OperationContext& context,
                                        const kmip::Identifier& identifier, KeyPurpose purpose) {
  ObjectPointer stored = TRY(context.Open(identifier, Vault::Material::kOpen));
  return AsPrivateKey(context, std::move(stored), purpose);
}

Result<UsablePublicKey> OpenPublicKey(OperationContext& context, const kmip::Identifier& identifier,
                                      KeyPurpose purpose) {
  ObjectPointer stored = TRY(context.Open(identifier, Vault::Material::kOpen));
  return AsPublicKey(context, std::move(stored), purpose);
}

}  // namespace dare::engine
