#include "engine/pkcs12_keys.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/pkcs12.h"
#include "engine/asymmetric_use.h"
#include "engine/cipher_choice.h"
#include "engine/key_formats.h"
#include "engine/lifecycle.h"
#include "engine/operations/register.h"
#include "engine/recommended_curves.h"
#include "kmip/certificate.h"
#include "kmip/reject.h"
#include "kmip/tags.h"

namespace dare::engine {
namespace {

using kmip::Attribute;
using kmip::AttributeSet;
using kmip::KeyFormatType;
using kmip::LinkType;
using kmip::ObjectType;
using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

constexpr std::size_t kMostCertificates = 16;
constexpr char kDefaultName[] = "alias";  // kmip-2.1 4.39

Attribute LinkTo(LinkType type, const std::string& id) {
  return Attribute::OfLink(static_cast<std::uint32_t>(type), id);
}

std::vector<std::string> LinkedBy(const AttributeSet& attributes, LinkType wanted) {
  std::vector<std::string> ids;
  for (const Attribute& attribute : attributes.all()) {
    if (attribute.tag != Tag::kLink) continue;
    auto members = attribute.View().Members();
    if (!members) continue;
    const auto type = members->Enum<LinkType>(Tag::kLinkType);
    const auto id = members->Text(Tag::kLinkedObjectIdentifier);
    if (type && id && *type == wanted) ids.emplace_back(*id);
  }
  return ids;
}

//= kmip-2.1 11.47 Result Reason
//# Bad Password: Key Format Type is PKCS#12, but missing or multiple PKCS#12 Password Links, or not
//# Secret Data, or not Active
Error BadPassword(const char* why) { return Reject(ResultReason::kBadPassword, why); }

// The Secret Data that protects the container; its object keeps the bytes.
Result<ObjectPointer> OpenPassword(OperationContext& context, const AttributeSet& attributes) {
  const std::vector<std::string> ids = LinkedBy(attributes, LinkType::kPKCS_12PasswordLink);
  if (ids.size() != 1) return BadPassword("PKCS#12 needs one PKCS#12 Password Link");
  ObjectPointer password =
      TRY(context.OpenFor(kmip::Operation::kGet, ids.front(), Vault::Material::kOpen));
  if (password->object.type != ObjectType::kSecretData) {
    return BadPassword("the PKCS#12 Password Link leads to no Secret Data");
  }
  const kmip::State state = EffectiveState(password->object.attributes, context.now());
  if (state != kmip::State::kActive) {
    return BadPassword("the password of the PKCS#12 container is not Active");
  }
  return password;
}

Result<kmip::KeyBlock> BlockOf(const kmip::RegisterRequest& request) {
  ttlv::Reader members = TRY(request.object->Members());
  kmip::KeyBlock block = TRY(kmip::ReadKeyBlock(members));
  TRY(members.End());
  return block;
}

// The container: Key Material like any other in 2.x, the whole Key Value in the published cases of
// 1.4. Nothing where it is absent.
std::optional<ByteView> ContainerIn(const kmip::KeyBlock& block) {
  const auto& item = block.key_material ? block.key_material : block.key_value;
  if (!item) return std::nullopt;
  const Result<ByteView> bytes = item->AsByteString();
  return bytes ? std::optional<ByteView>(*bytes) : std::nullopt;
}

bool SameName(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  });
}

// Stores one Certificate of the container; `issuer` is the one above it, if any.
Result<std::string> InsertCertificate(ByteView der, const std::string& name,
                                      const std::string& issuer, OperationContext& context) {
  const SecretBytes encoded = TRY(kmip::MakeCertificate(kmip::CertificateType::kX_509, der));
  kmip::RegisterRequest request;
  request.object_type = ObjectType::kCertificate;
  request.object = TRY(ttlv::ParseItem(encoded.Reveal()));
  kmip::ManagedObject object = TRY(MakeRegistered(request, Origin::kRegistered, context));
  if (!name.empty()) object.attributes.Set(Attribute::OfText(Tag::kPKCS_12FriendlyName, name));
  if (!issuer.empty()) {
    object.attributes.Add(LinkTo(LinkType::kCertificateLink, issuer));
  }
  TRY(context.Insert(object));
  return object.id;
}

// From the top of the chain down, so that each finds its issuer; gives the key's own, if any.
Result<std::string> InsertChain(const crypto::Pkcs12& contents, const std::string& name,
                                OperationContext& context) {
  std::string below;
  for (auto der = contents.certificates.rbegin(); der != contents.certificates.rend(); ++der) {
    const bool own = std::next(der) == contents.certificates.rend();
    below = TRY(InsertCertificate(*der, own ? name : "", below, context));
  }
  return below;
}

Result<Bytes> CertificateOf(const kmip::ManagedObject& object) {
  const ttlv::Item item = TRY(ttlv::ParseItem(object.material.Reveal()));
  const kmip::CertificateObject certificate = TRY(kmip::ReadCertificate(item));
  return ToBytes(certificate.value);
}

// Where the chain begins or goes on: kmip-2.1 6.1.19 names Certificate Links, published cases
// (TC-PKCS12-1) link certificates by PKCS#12 Certificate Links.
Result<std::optional<std::string>> NextCertificate(const AttributeSet& attributes) {
  for (const LinkType type : {LinkType::kPKCS_12CertificateLink, LinkType::kCertificateLink}) {
    const std::vector<std::string> ids = LinkedBy(attributes, type);
    if (ids.size() > 1) {
      return Reject(ResultReason::kInvalidField, "more than one certificate chain");
    }
    if (!ids.empty()) return std::optional<std::string>(ids.front());
  }
  return std::optional<std::string>();
}

Result<std::optional<std::string>> FirstCertificate(OperationContext& context,
                                                    const AttributeSet& of_key) {
  auto first = TRY(NextCertificate(of_key));
  const std::vector<std::string> half = LinkedBy(of_key, LinkType::kPublicKeyLink);
  if (first || half.empty()) return first;
  const auto public_key =
      context.OpenFor(kmip::Operation::kGet, half.front(), Vault::Material::kLeaveSealed);
  if (!public_key) return first;  // a Link may outlive its object
  return NextCertificate((*public_key)->object.attributes);
}

Result<std::vector<Bytes>> Chain(OperationContext& context, const AttributeSet& of_key) {
  std::vector<Bytes> chain;
  auto next = TRY(FirstCertificate(context, of_key));
  while (next && chain.size() < kMostCertificates) {
    const ObjectPointer stored =
        TRY(context.OpenFor(kmip::Operation::kGet, *next, Vault::Material::kOpen));
    if (stored->object.type != ObjectType::kCertificate) {
      return Reject(ResultReason::kInvalidField, "a Certificate Link leads to no Certificate");
    }
    Bytes der = TRY(CertificateOf(stored->object));
    if (std::ranges::find(chain, der) != chain.end()) break;  // linked in a ring
    chain.push_back(std::move(der));
    next = TRY(NextCertificate(stored->object.attributes));
  }
  return chain;
}

}  // namespace

bool IsPkcs12(const kmip::RegisterRequest& request) {
  if (request.object_type != ObjectType::kPrivateKey || !request.object ||
      request.object->tag != Tag::kPrivateKey) {
    return false;
  }
  const Result<kmip::KeyBlock> block = BlockOf(request);
  return block && block->format == KeyFormatType::kPKCS_12 && !block->wrapping &&
         ContainerIn(*block).has_value();
}

Result<kmip::RegisterResponse> RegisterPkcs12(const kmip::RegisterRequest& request,
                                              OperationContext& context) {
  if (context.version() < kmip::kVersion1_4) {
    return Reject(ResultReason::kKeyFormatTypeNotSupported, "PKCS#12 came with KMIP 1.4");
  }
  const kmip::KeyBlock block = TRY(BlockOf(request));
  const ByteView der = ContainerIn(block).value_or(ByteView());
  const ObjectPointer password = TRY(OpenPassword(context, request.attributes.attributes));
  const kmip::KeyBlock secret = TRY(password->object.Block());
  const ByteView text = TRY(secret.KeyBytes());
  const Result<crypto::Pkcs12> contents = crypto::OpenPkcs12(der, text, context.algorithms());
  if (!contents) return CryptographicError(contents.error());

  const auto given = request.attributes.attributes.Text(Tag::kPKCS_12FriendlyName);
  const std::string name = given ? std::string(*given) : contents->friendly_name;
  if (!contents->friendly_name.empty() && !SameName(name, contents->friendly_name)) {
    return Reject(ResultReason::kInvalidField, "no key of this PKCS#12 Friendly Name");
  }
  const crypto::KeyFacts& facts = contents->key.facts();
  const SecretBytes encoded = TRY(MakePrivateKey(
      contents->key, {.format = KeyFormatType::kPKCS_8,
                      .compression = std::nullopt,
                      .algorithm = block.algorithm.value_or(AlgorithmOf(facts, true)),
                      .bits = static_cast<std::int32_t>(facts.bits)}));
  kmip::RegisterRequest opened;
  opened.object_type = ObjectType::kPrivateKey;
  opened.attributes = request.attributes;
  opened.protection_storage_masks = request.protection_storage_masks;
  opened.object = TRY(ttlv::ParseItem(encoded.Reveal()));
  kmip::ManagedObject object = TRY(MakeRegistered(opened, Origin::kRegistered, context));
  const std::string own = TRY(InsertChain(*contents, name, context));
  if (!own.empty()) object.attributes.Add(LinkTo(LinkType::kPKCS_12CertificateLink, own));
  if (!name.empty()) object.attributes.Set(Attribute::OfText(Tag::kPKCS_12FriendlyName, name));
  TRY(InsertObject(object, context));
  return kmip::RegisterResponse{.id = object.id};
}

Result<WipingBytes> AsPkcs12(OperationContext& context, const kmip::ManagedObject& object) {
  if (object.type != ObjectType::kPrivateKey) {
    return Reject(ResultReason::kKeyFormatTypeNotSupported, "PKCS#12 is for Private Keys here");
  }
  const ObjectPointer password = TRY(OpenPassword(context, object.attributes));
  const kmip::KeyBlock secret = TRY(password->object.Block());
  const auto name = object.attributes.Text(Tag::kPKCS_12FriendlyName);
  crypto::PrivateKey key = TRY(PrivateKeyOf(object));
  std::vector<Bytes> chain = TRY(Chain(context, object.attributes));
  const crypto::Pkcs12 contents{std::move(key), std::string(name.value_or(kDefaultName)),
                                std::move(chain)};
  const ByteView text = TRY(secret.KeyBytes());
  const Result<SecretBytes> der = crypto::MakePkcs12(contents, text);
  if (!der) return CryptographicError(der.error());
  ttlv::Writer out;
  out.Structure(Tag::kPrivateKey, [&] {
    out.Structure(Tag::kKeyBlock, [&] {
      out.Enum(Tag::kKeyFormatType, KeyFormatType::kPKCS_12);
      if (kmip::IsVersion1(context.version())) {
        out.ByteString(Tag::kKeyValue, der->Reveal());
      } else {
        out.Structure(Tag::kKeyValue, [&] { out.ByteString(Tag::kKeyMaterial, der->Reveal()); });
      }
    });
  });
  return out.Take();
}

}  // namespace dare::engine
