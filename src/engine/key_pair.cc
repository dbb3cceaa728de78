#include "engine/key_pair.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/algorithm_policy.h"
#include "engine/domain_parameters.h"
#include "engine/key_formats.h"
#include "engine/key_pair_check.h"
#include "engine/new_object.h"
#include "engine/recommended_curves.h"
#include "engine/refusal.h"
#include "engine/resident_creation.h"
#include "engine/usage_defaults.h"
#include "kmip/dialect.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeReference;
using kmip::AttributeSet;
using kmip::AttributesIn;
using kmip::CryptographicAlgorithm;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

//= kmip-2.1 6.1.9 Create Key Pair, table 191
//# attributes [that] SHALL have the same value for the Private and Public Key
constexpr Tag kShared[] = {Tag::kCryptographicAlgorithm, Tag::kCryptographicLength,
                           Tag::kCryptographicDomainParameters, Tag::kCryptographicParameters};

constexpr std::int32_t kDefaultBits = 2048;  // RSA, DSA, DH
// Making one of these takes up to a second or two (key_forge.h); RSA of 8192 bits would take a
// minute. Larger keys can be registered.
constexpr std::size_t kMostRsaBits = 4096;
constexpr std::size_t kMostDsaBits = 2048;

// What one half is asked for: its own attributes, and the common ones that they leave room for.
AttributesIn Merged(const AttributesIn& common, const AttributesIn& own) {
  AttributesIn merged;
  merged.template_names = common.template_names;
  merged.template_names.insert(merged.template_names.end(), own.template_names.begin(),
                               own.template_names.end());
  merged.attributes = own.attributes;
  for (const Attribute& attribute : common.attributes.all()) {
    const AttributeReference reference = kmip::ReferenceTo(attribute);
    if (!MayRepeat(reference) && own.attributes.Count(reference) != 0) continue;
    if (std::ranges::find(merged.attributes.all(), attribute) != merged.attributes.all().end()) {
      continue;
    }
    merged.attributes.Add(attribute);
  }
  return merged;
}

std::vector<Attribute> AllOf(const AttributeSet& attributes, Tag tag) {
  std::vector<Attribute> found;
  for (const Attribute& attribute : attributes.all()) {
    if (attribute.tag == tag) found.push_back(attribute);
  }
  return found;
}

Result<void> Share(AttributeSet& one, AttributeSet& other, Tag tag) {
  const std::vector<Attribute> here = AllOf(one, tag);
  const std::vector<Attribute> there = AllOf(other, tag);
  if (here.empty()) {
    for (const Attribute& attribute : there) one.Add(attribute);
  } else if (there.empty()) {
    for (const Attribute& attribute : here) other.Add(attribute);
  } else if (here != there) {
    return Reject(ResultReason::kInvalidField,
                  "the two keys of a pair share algorithm, length and parameters");
  }
  return {};
}

Result<crypto::KeySpecification> EcSpecification(CryptographicAlgorithm algorithm,
                                                 std::optional<std::int32_t> bits,
                                                 const DomainParameters& domain) {
  const auto curve = domain.curve ? domain.curve : CurveOfLength(bits.value_or(256));
  const auto specification = curve ? OnCurve(*curve, algorithm) : std::nullopt;
  if (!specification) {
    return Reject(ResultReason::kInvalidField, "no curve of this length: name a Recommended Curve");
  }
  return *specification;
}

Result<crypto::KeySpecification> Specify(CryptographicAlgorithm algorithm,
                                         std::optional<std::int32_t> bits,
                                         const DomainParameters& domain) {
  const auto sized = [&](crypto::KeyFamily family) {
    return crypto::KeySpecification{
        .family = family,
        .bits = static_cast<std::size_t>(std::max(0, bits.value_or(kDefaultBits))),
        .q_bits = static_cast<std::size_t>(std::max(0, domain.q_bits.value_or(0)))};
  };
  switch (algorithm) {
    case CryptographicAlgorithm::kRSA:
      return sized(crypto::KeyFamily::kRsa);
    case CryptographicAlgorithm::kDSA:
      return sized(crypto::KeyFamily::kDsa);
    case CryptographicAlgorithm::kDH:
      return sized(crypto::KeyFamily::kDh);
    case CryptographicAlgorithm::kEC:
    case CryptographicAlgorithm::kECDSA:
    case CryptographicAlgorithm::kECDH:
    case CryptographicAlgorithm::kECMQV:
      return EcSpecification(algorithm, bits, domain);
    case CryptographicAlgorithm::kEd25519:
      return crypto::KeySpecification{.family = crypto::KeyFamily::kEd25519};
    case CryptographicAlgorithm::kEd448:
      return crypto::KeySpecification{.family = crypto::KeyFamily::kEd448};
    default:
      return Reject(ResultReason::kInvalidField,
                    "this server makes no key pairs of this algorithm");
  }
}

Result<void> CheckWork(const crypto::KeySpecification& wanted, kmip::ProtocolVersion version) {
  const bool rsa = wanted.family == crypto::KeyFamily::kRsa && wanted.bits > kMostRsaBits;
  const bool dsa = wanted.family == crypto::KeyFamily::kDsa && wanted.bits > kMostDsaBits;
  if (!rsa && !dsa) return {};
  return RejectIn(version, ResultReason::kInvalidField, ResultReason::kServerLimitExceeded,
                  "this server makes RSA keys of up to 4096 bits, DSA keys of up to 2048; longer "
                  "ones can be registered");
}

// What the key to be made will be, so that the policy speaks before the work is done.
crypto::KeyFacts FactsFor(const crypto::KeySpecification& specification) {
  const bool ec = specification.family == crypto::KeyFamily::kEc;
  return {.family = specification.family,
          .bits = ec ? crypto::CurveBits(specification.curve) : specification.bits,
          .curve = specification.curve};
}

KeyForm FormOf(const AttributeSet& attributes, const crypto::KeyFacts& key, ObjectType type,
               kmip::ProtocolVersion version) {
  return {.format = DefaultFormat(key, type, version),
          .compression = std::nullopt,
          .algorithm = attributes.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm)
                           .value_or(AlgorithmOf(key, true)),
          .bits = attributes.Integer(Tag::kCryptographicLength).value_or(0)};
}

void Link(kmip::ManagedObject& object, LinkType type, const std::string& id) {
  object.attributes.Add(Attribute::OfLink(static_cast<std::uint32_t>(type), id));
}

}  // namespace

Result<PairAttributes> CheckedPairAttributes(const kmip::KeyPairAttributes& wanted,
                                             const OperationContext& context) {
  PairAttributes checked;
  checked.private_key =
      TRY(CheckedAttributes(Merged(wanted.common, wanted.private_key), ObjectType::kPrivateKey,
                            Origin::kGenerated, context));
  checked.public_key = TRY(CheckedAttributes(Merged(wanted.common, wanted.public_key),
                                             ObjectType::kPublicKey, Origin::kGenerated, context));
  return checked;
}

Result<crypto::KeySpecification> SharedSpecification(PairAttributes& attributes,
                                                     kmip::ProtocolVersion version) {
  for (const Tag tag : kShared) TRY(Share(attributes.private_key, attributes.public_key, tag));
  const AttributeSet& either = attributes.private_key;
  const auto told = either.Enum<CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  if (!told && kmip::IsVersion1(version)) {
    return Reject(ResultReason::kInvalidField, "a key pair needs a Cryptographic Algorithm");
  }
  //= kmip-2.1 4 Object Attributes
  //# KMIP servers SHALL supply values for these attributes if the client omits them.
  const CryptographicAlgorithm algorithm = told.value_or(CryptographicAlgorithm::kRSA);
  return Specify(algorithm, either.Integer(Tag::kCryptographicLength), DomainParametersOf(either));
}

namespace {

// What the two objects have for material.
struct PairMaterial {
  SecretBytes private_key;
  SecretBytes public_key;
};

Result<void> Describe(PairAttributes& attributes, const crypto::KeyFacts& facts,
                      kmip::ProtocolVersion version) {
  TRY(TakeFacts(attributes.private_key, facts, version));
  TRY(TakeFacts(attributes.public_key, facts, version));
  TRY(CheckQuantumSafe(attributes.private_key));
  TRY(CheckQuantumSafe(attributes.public_key));
  SetDefaultUsage(attributes.private_key, ObjectType::kPrivateKey);
  SetDefaultUsage(attributes.public_key, ObjectType::kPublicKey);
  return {};
}

Result<SecretBytes> PublicMaterial(const crypto::PublicKey& half, const AttributeSet& attributes,
                                   kmip::ProtocolVersion version) {
  return MakePublicKey(half, FormOf(attributes, half.facts(), ObjectType::kPublicKey, version));
}

Result<PairMaterial> MakeHere(const crypto::KeySpecification& specification,
                              PairAttributes& attributes, OperationContext& context) {
  const kmip::ProtocolVersion version = context.version();
  const crypto::PrivateKey key = TRY(context.GeneratePair(specification));
  const crypto::PublicKey half = TRY(key.Public());
  TRY(Describe(attributes, key.facts(), version));
  PairMaterial material;
  material.private_key = TRY(MakePrivateKey(
      key, FormOf(attributes.private_key, key.facts(), ObjectType::kPrivateKey, version)));
  material.public_key = TRY(PublicMaterial(half, attributes.public_key, version));
  return material;
}

// The rights of the key are asked for before it is there, so what it will be is told first.
Result<PairMaterial> MakeInHsm(const crypto::KeySpecification& specification,
                               PairAttributes& attributes, OperationContext& context) {
  TRY(Describe(attributes, FactsFor(specification), context.version()));
  ResidentPairMaterial made = TRY(MakeResidentPair(specification, attributes.private_key, context));
  PairMaterial material;
  material.private_key = std::move(made.private_material);
  material.public_key =
      TRY(PublicMaterial(made.public_key, attributes.public_key, context.version()));
  return material;
}

}  // namespace

Result<NewPair> MakeKeyPair(const crypto::KeySpecification& specification,
                            PairAttributes attributes, Storage storage, OperationContext& context) {
  TRY(crypto::CheckKey(context.algorithms(), FactsFor(specification)));
  TRY(CheckWork(specification, context.version()));
  PairMaterial material = storage == Storage::kHardware
                              ? TRY(MakeInHsm(specification, attributes, context))
                              : TRY(MakeHere(specification, attributes, context));
  NewPair pair;
  pair.private_key =
      TRY(MakeObject(ObjectType::kPrivateKey, Origin::kGenerated, std::move(attributes.private_key),
                     std::move(material.private_key), context));
  pair.public_key =
      TRY(MakeObject(ObjectType::kPublicKey, Origin::kGenerated, std::move(attributes.public_key),
                     std::move(material.public_key), context));
  //= kmip-2.1 6.1.9 Create Key Pair
  //# For the Private Key, the server SHALL create a Link attribute of Link Type Public Key pointing
  //# to the Public Key. For the Public Key, [...] Private Key pointing to the Private Key.
  Link(pair.private_key, LinkType::kPublicKeyLink, pair.public_key.id);
  Link(pair.public_key, LinkType::kPrivateKeyLink, pair.private_key.id);
  return pair;
}

Result<void> InsertKeyPair(const NewPair& pair, OperationContext& context) {
  // In this order: BatchMemory tells the halves apart by it.
  TRY(InsertObject(pair.private_key, context));
  TRY(InsertObject(pair.public_key, context));
  //= kmip-2.1 6.1.9 Create Key Pair
  //# The ID Placeholder value SHALL be set to the Unique Identifier of the Private Key.
  context.SetPlaceholder(pair.private_key.id);
  return {};
}

}  // namespace dare::engine
