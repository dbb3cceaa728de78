#include "client/key_directory.h"

#include <algorithm>

#include "kmip/names.h"
#include "kmip/payloads/activate.h"
#include "kmip/payloads/create.h"
#include "kmip/payloads/destroy.h"
#include "kmip/payloads/get.h"
#include "kmip/payloads/get_attributes.h"
#include "kmip/payloads/locate.h"
#include "kmip/payloads/re_key.h"
#include "kmip/payloads/revoke.h"
#include "kmip/tags.h"
#include "ttlv/writer.h"

namespace dare::client {
namespace {

using kmip::Attribute;
using kmip::State;
using kmip::Tag;

constexpr std::int32_t kMostNamesakes = 64;

// The smaller, the likelier it is the key that was meant.
int Rank(std::optional<State> state) {
  switch (state.value_or(State::kActive)) {
    case State::kActive:
      return 0;
    case State::kPreActive:
      return 1;
    case State::kDeactivated:
      return 2;
    case State::kCompromised:
      return 3;
    default:
      return 4;
  }
}

bool LooksLikeUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text[i]))) return false;
  }
  return true;
}

// Link {Link Type, Linked Object Identifier}: 1.x and 2.x text form.
Result<void> ReadLink(const Attribute& attribute, KeyFacts& facts) {
  ttlv::Reader members = TRY(attribute.View().Members());
  const auto type = TRY(members.Enum<kmip::LinkType>(Tag::kLinkType));
  if (members.type() != ttlv::Type::kTextString) return {};
  const std::string id(TRY(members.Text(Tag::kLinkedObjectIdentifier)));
  if (type == kmip::LinkType::kReplacementObjectLink) facts.replaced_by = id;
  if (type == kmip::LinkType::kReplacedObjectLink) facts.replaces = id;
  return {};
}

// Attributes of dare-kms, which tells in them what versions of KMIP have no attribute for.
constexpr std::string_view kStorageName = "OpenDaRE-Protection-Storage";
constexpr std::string_view kRotationDueName = "OpenDaRE-Rotation-Due";

Result<void> ReadVendorAttribute(const Attribute& attribute, KeyFacts& facts) {
  ttlv::Reader members = TRY(attribute.View().Members());
  if (TRY(members.Text(Tag::kVendorIdentification)) != "y") return {};
  const std::string_view name = TRY(members.Text(Tag::kAttributeName));
  const Result<std::string_view> value = members.Text(Tag::kAttributeValue);
  if (!value) return {};
  if (name == kStorageName) facts.in_hsm = *value == "Hardware";
  if (name == kRotationDueName) facts.rotation_due = *value;
  return {};
}

// What 1.x has instead of Protection Storage Masks.
Attribute StorageWish() {
  ttlv::Writer out;
  out.Structure(Tag::kAttribute, [&] {
    out.Text(Tag::kVendorIdentification, "x");
    out.Text(Tag::kAttributeName, kStorageName);
    out.Text(Tag::kAttributeValue, "Hardware");
  });
  return Attribute::OfItem(*ttlv::ParseItem(out.bytes()));
}

Result<KeyFacts> FactsOf(std::string id, const std::vector<Attribute>& attributes) {
  kmip::AttributeSet set;
  for (const Attribute& attribute : attributes) set.Add(attribute);
  KeyFacts facts;
  facts.id = std::move(id);
  facts.names = set.Names();
  facts.type = set.Enum<kmip::ObjectType>(Tag::kObjectType).value_or(kmip::ObjectType{});
  facts.state = set.Enum<State>(Tag::kState);
  facts.algorithm = set.Enum<kmip::CryptographicAlgorithm>(Tag::kCryptographicAlgorithm);
  facts.bits = set.Integer(Tag::kCryptographicLength);
  facts.usage = static_cast<std::uint32_t>(set.Integer(Tag::kCryptographicUsageMask).value_or(0));
  facts.sensitive = set.Boolean(Tag::kSensitive);
  facts.extractable = set.Boolean(Tag::kExtractable);
  facts.in_hsm = (set.Integer(Tag::kProtectionStorageMask).value_or(0) &
                  static_cast<std::int32_t>(kmip::ProtectionStorageMask::kHardware)) != 0;
  facts.created = set.Date(Tag::kInitialDate);
  facts.activated = set.Date(Tag::kActivationDate);
  facts.deactivated = set.Date(Tag::kDeactivationDate);
  facts.compromised = set.Date(Tag::kCompromiseDate);
  facts.destroyed = set.Date(Tag::kDestroyDate);
  if (const Attribute* const every = set.Find(Tag::kRotateInterval);
      every != nullptr && set.Boolean(Tag::kRotateAutomatic).value_or(false)) {
    facts.rotate_every = TRY(every->View().AsInterval());
  }
  for (const Attribute& attribute : attributes) {
    if (attribute.tag == Tag::kLink) TRY(ReadLink(attribute, facts));
    if (attribute.tag == Tag::kAttribute) TRY(ReadVendorAttribute(attribute, facts));
  }
  return facts;
}

}  // namespace

std::string_view StateName(State state) {
  return kmip::EnumSpecName(Tag::kState, static_cast<std::uint32_t>(state));
}

Result<std::vector<std::string>> KeyDirectory::LocateByName(std::string_view name) {
  kmip::LocateRequest request;
  request.maximum_items = kMostNamesakes;
  request.attributes.Add(Attribute::OfName(name));
  return TRY(client_.Call<kmip::LocateResponse>(request)).ids;
}

Result<std::string> KeyDirectory::Resolve(std::string_view name_or_id) {
  if (LooksLikeUuid(name_or_id)) return std::string(name_or_id);
  const std::vector<std::string> ids = TRY(LocateByName(name_or_id));
  if (ids.size() == 1) return ids.front();
  if (ids.empty()) {
    // Some key servers give short ids.
    const Result<KeyFacts> facts = Show(std::string(name_or_id));
    if (facts) return facts->id;
    if (facts.error().code != Code::kNotFound) return facts.error();
    return Error(Code::kNotFound, "no key is called \"" + std::string(name_or_id) +
                                      "\", or this machine may not see it");
  }
  int best = 5;
  std::vector<std::string> fittest;
  for (const std::string& id : ids) {
    const int rank = Rank(TRY(Show(id)).state);
    if (rank < best) fittest.clear();
    best = std::min(best, rank);
    if (rank == best) fittest.push_back(id);
  }
  if (fittest.size() == 1) return fittest.front();
  std::string text = "several keys are called \"" + std::string(name_or_id) + "\":";
  for (const std::string& id : fittest) text += " " + id;
  return Error(Code::kConflict, text);
}

Result<KeyFacts> KeyDirectory::Create(std::string_view name, const NewKeyOptions& options) {
  if (!options.extractable && client_.version() < kmip::kVersion1_4) {
    return Error(Code::kUnsupported,
                 "a key that never leaves the key server needs KMIP 1.4 or later");
  }
  if (options.rotate_every && client_.version() < kmip::kVersion2_1) {
    return Error(Code::kUnsupported, "a key that the key server rotates needs KMIP 2.1 or later");
  }
  // KMIP lets names repeat between owners; among those we see, one name is one key.
  for (const std::string& id : TRY(LocateByName(name))) {
    if (Rank(TRY(Show(id)).state) < Rank(State::kDestroyed)) {
      return Error(Code::kAlreadyExists,
                   "a key is called \"" + std::string(name) + "\" already: " + id);
    }
  }
  kmip::CreateRequest request;
  kmip::AttributeSet& attributes = request.attributes.attributes;
  attributes.Add(
      Attribute::OfEnumeration(Tag::kCryptographicAlgorithm,
                               static_cast<std::uint32_t>(kmip::CryptographicAlgorithm::kAES)));
  attributes.Add(Attribute::OfInteger(Tag::kCryptographicLength, 256));
  attributes.Add(
      Attribute::OfInteger(Tag::kCryptographicUsageMask,
                           static_cast<std::int32_t>(kmip::CryptographicUsageMask::kEncrypt) |
                               static_cast<std::int32_t>(kmip::CryptographicUsageMask::kDecrypt)));
  attributes.Add(Attribute::OfName(name));
  if (!options.pre_active) attributes.Add(Attribute::OfDate(Tag::kActivationDate, clock_.Now()));
  if (client_.version() >= kmip::kVersion1_4) {
    attributes.Add(Attribute::OfBoolean(Tag::kSensitive, !options.extractable));
    attributes.Add(Attribute::OfBoolean(Tag::kExtractable, options.extractable));
  }
  if (options.rotate_every) {
    attributes.Add(Attribute::OfBoolean(Tag::kRotateAutomatic, true));
    attributes.Add(Attribute::OfInterval(Tag::kRotateInterval, *options.rotate_every));
    // Like Rotate: the new key is active from the moment it exists.
    attributes.Add(Attribute::OfInterval(Tag::kRotateOffset, 0));
  }
  if (options.in_hsm && kmip::IsVersion1(client_.version())) {
    attributes.Add(StorageWish());
  } else if (options.in_hsm) {
    request.protection_storage_masks = kmip::ProtectionStorageMasks{
        static_cast<std::int32_t>(kmip::ProtectionStorageMask::kHardware)};
  }
  const auto created = TRY(client_.Call<kmip::CreateResponse>(request));
  KeyFacts facts = TRY(Show(created.id));
  if (!options.pre_active && facts.state == State::kPreActive) {  // the server's clock is behind
    TRY(Activate(created.id));
    facts = TRY(Show(created.id));
  }
  return facts;
}

Result<std::vector<KeyFacts>> KeyDirectory::List(std::int32_t limit) {
  kmip::LocateRequest request;
  request.maximum_items = limit;
  request.attributes.Add(Attribute::OfEnumeration(
      Tag::kObjectType, static_cast<std::uint32_t>(kmip::ObjectType::kSymmetricKey)));
  std::vector<KeyFacts> keys;
  for (const std::string& id : TRY(client_.Call<kmip::LocateResponse>(request)).ids) {
    keys.push_back(TRY(Show(id)));
  }
  return keys;
}

Result<KeyFacts> KeyDirectory::Show(const std::string& id) {
  kmip::GetAttributesRequest request;
  request.id = kmip::Identifier(id);
  auto response = TRY(client_.Call<kmip::GetAttributesResponse>(request));
  return FactsOf(std::move(response.id), response.attributes);
}

Result<void> KeyDirectory::Activate(const std::string& id) {
  kmip::ActivateRequest request;
  request.id = kmip::Identifier(id);
  TRY(client_.Call<kmip::ActivateResponse>(request));
  return {};
}

Result<Rotation> KeyDirectory::Rotate(const std::string& id) {
  kmip::ReKeyRequest request;
  request.id = kmip::Identifier(id);
  request.offset = 0;  // the new key is active from the moment it exists
  const auto response = TRY(client_.Call<kmip::ReKeyResponse>(request));
  return Rotation{.old_id = id, .new_id = response.id};
}

Result<void> KeyDirectory::Revoke(const std::string& id, const Revocation& revocation) {
  kmip::RevokeRequest request;
  request.id = kmip::Identifier(id);
  request.reason = revocation.reason;
  request.message = revocation.message;
  //= kmip-2.1 6.1.44 Revoke
  //# Compromise Occurrence Date: SHOULD be specified if the Revocation Reason is 'key compromise'
  if (revocation.reason == kmip::RevocationReasonCode::kKeyCompromise) {
    request.compromise_occurrence_date = clock_.Now();
  }
  TRY(client_.Call<kmip::RevokeResponse>(request));
  return {};
}

Result<SecretBytes> KeyDirectory::Export(const std::string& id) {
  kmip::GetRequest request;
  request.id = kmip::Identifier(id);
  request.format = kmip::KeyFormatType::kRaw;
  const auto response = TRY(client_.Call<kmip::GetResponse>(request));
  if (response.type != kmip::ObjectType::kSymmetricKey) {
    return Error(Code::kUnsupported, "the object " + id + " is no symmetric key");
  }
  ttlv::Reader members = TRY(response.object.Members());
  const kmip::KeyBlock block = TRY(kmip::ReadKeyBlock(members));
  const bool aes = block.algorithm.value_or(kmip::CryptographicAlgorithm::kAES) ==
                   kmip::CryptographicAlgorithm::kAES;
  if (!aes || block.wrapping) {
    return Error(Code::kUnsupported, "the key " + id + " is no AES key that can be exported");
  }
  const ByteView key = TRY(block.KeyBytes());
  return SecretBytes::CopyOf(key);
}

Result<void> KeyDirectory::Destroy(const std::string& id) {
  kmip::DestroyRequest request;
  request.id = kmip::Identifier(id);
  TRY(client_.Call<kmip::DestroyResponse>(request));
  return {};
}

}  // namespace dare::client
