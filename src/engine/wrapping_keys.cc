#include "engine/wrapping_keys.h"

#include <algorithm>
#include <utility>

#include "crypto/block_cipher.h"
#include "crypto/rsa_encryption.h"
#include "crypto/signature.h"
#include "engine/asymmetric_use.h"
#include "engine/cipher_choice.h"
#include "engine/key_computation.h"
#include "engine/key_use.h"
#include "engine/refusal.h"
#include "engine/rsa_cipher.h"
#include "engine/signature_choice.h"
#include "kmip/tags.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::engine {
namespace {

using kmip::Reject;
using kmip::ResultReason;
using kmip::Tag;

// Where 2.x has a reason of its own for the wrapping key, it says so.
Error OfWrappingKey(Error error, kmip::ProtocolVersion version) {
  if (error.code != Code::kRejected || kmip::IsVersion1(version)) return error;
  switch (static_cast<ResultReason>(error.detail)) {
    case ResultReason::kObjectNotFound:
      return Reject(ResultReason::kWrappingObjectNotFound, "no such wrapping key");
    case ResultReason::kObjectDestroyed:
      return Reject(ResultReason::kWrappingObjectDestroyed, "the wrapping key was destroyed");
    case ResultReason::kObjectArchived:
      return Reject(ResultReason::kWrappingObjectArchived, "the wrapping key is archived");
    default:
      return error;
  }
}

// Every field of `wanted` stands in `instance` with the same value.
bool Agree(const ttlv::Item& wanted, const ttlv::Item& instance) {
  auto fields = wanted.Members();
  while (fields && !fields->AtEnd()) {
    const auto field = fields->Next();
    if (!field) return false;
    auto members = instance.Members();
    bool found = false;
    while (members && !members->AtEnd() && !found) {
      const auto member = members->Next();
      if (!member) return false;
      found = std::ranges::equal(member->whole, field->whole);
    }
    if (!found) return false;
  }
  return true;
}

//= kmip-2.1 7.18 Key Wrapping Specification
//# If Cryptographic Parameters are specified [...], then the server SHALL verify that they match
// one # of the instances of the Cryptographic Parameters attribute of the corresponding key.
// A key without such an attribute names no parameters that others could contradict.
Result<void> CheckParameters(const kmip::WrappingKeyInformation& information,
                             const kmip::AttributeSet& attributes, kmip::ProtocolVersion version) {
  if (!information.parameters || !attributes.Has(Tag::kCryptographicParameters)) return {};
  ttlv::Writer out;
  kmip::WriteCryptographicParameters(out, *information.parameters);
  const ttlv::Item wanted = TRY(ttlv::ParseItem(out.bytes()));
  for (const kmip::Attribute& attribute : attributes.all()) {
    if (attribute.tag == Tag::kCryptographicParameters && Agree(wanted, attribute.View())) {
      return {};
    }
  }
  return RejectIn(version, ResultReason::kItemNotFound, ResultReason::kBadCryptographicParameters,
                  "the wrapping key does not have these Cryptographic Parameters");
}

struct OpenedKey {
  UsableKey key;
  kmip::CryptographicParameters parameters;
};

Result<OpenedKey> OpenNamed(OperationContext& context,
                            const kmip::WrappingKeyInformation& information, KeyPurpose purpose) {
  Result<UsableKey> key = OpenWrappingKey(context, information.id, purpose);
  if (!key) return OfWrappingKey(key.error(), context.version());
  const bool makes = purpose == KeyPurpose::kWrap || purpose == KeyPurpose::kMakeMac;
  if (makes) {
    TRY(CheckParameters(information, key->object->object.attributes, context.version()));
  }
  OpenedKey opened;
  opened.parameters =
      information.parameters.value_or(kmip::CryptographicParameters()).Over(key->defaults);
  opened.key = std::move(*key);
  return opened;
}

crypto::CipherRequest RequestFor(const CipherChoice& choice, ByteView iv) {
  crypto::CipherRequest request;
  request.algorithm = choice.algorithm;
  request.mode = choice.mode;
  request.padding = choice.padding;
  request.iv = iv;
  request.tag_length = choice.tag_length;
  return request;
}

Result<Bytes> MacOf(const OpenedKey& opened, ByteView content, const OperationContext& context) {
  const crypto::MacAlgorithm algorithm = TRY(ChooseMac(opened.parameters, opened.key));
  return MacWith(opened.key, algorithm, content, context);
}

// The object that the information names, its policy asked as that of `as`.
Result<ObjectPointer> OpenObject(OperationContext& context, const std::string& id,
                                 kmip::Operation as) {
  Result<ObjectPointer> stored = context.OpenFor(as, id, Vault::Material::kOpen);
  if (!stored) return OfWrappingKey(stored.error(), context.version());
  return stored;
}

// The half of a pair that the named half does not hold: a wrapping names one, its undoing needs the
// other.
Result<ObjectPointer> OpenOtherHalf(OperationContext& context, const StoredObject& named,
                                    kmip::LinkType link, kmip::Operation as) {
  for (const kmip::Attribute& attribute : named.object.attributes.all()) {
    if (attribute.tag != Tag::kLink) continue;
    ttlv::Reader members = TRY(attribute.View().Members());
    if (TRY(members.Enumeration(Tag::kLinkType)) != static_cast<std::uint32_t>(link)) continue;
    return OpenObject(context, std::string(TRY(members.Text(Tag::kLinkedObjectIdentifier))), as);
  }
  return Reject(ResultReason::kPermissionDenied, "the other half of the wrapping key is not here");
}

kmip::CryptographicParameters Chosen(const kmip::WrappingKeyInformation& information,
                                     const kmip::CryptographicParameters& defaults) {
  return information.parameters.value_or(kmip::CryptographicParameters()).Over(defaults);
}

Result<Enciphered> EncipherWithRsa(OperationContext& context,
                                   const kmip::WrappingKeyInformation& information,
                                   const ObjectPointer& stored, ByteView plain) {
  TRY(CheckParameters(information, stored->object.attributes, context.version()));
  const UsablePublicKey key = TRY(AsPublicKey(context, stored, KeyPurpose::kWrap));
  TRY(TakeUsage(context, *stored, plain.size()));
  const kmip::CryptographicParameters parameters = Chosen(information, key.defaults);
  const crypto::RsaScheme scheme = TRY(ChooseRsaScheme(parameters, key.facts));
  Result<Bytes> data = crypto::RsaEncrypt(key.key, scheme, plain, context.algorithms());
  if (!data) return CryptographicError(data.error());
  return Enciphered{.data = std::move(*data), .iv = {}};
}

Result<WipingBytes> DecipherWithRsa(OperationContext& context,
                                    const kmip::WrappingKeyInformation& information,
                                    ObjectPointer stored, ByteView data) {
  if (stored->object.type != kmip::ObjectType::kPrivateKey) {
    stored = TRY(OpenOtherHalf(context, *stored, kmip::LinkType::kPrivateKeyLink,
                               kmip::Operation::kDecrypt));
  }
  const UsablePrivateKey key = TRY(AsPrivateKey(context, stored, KeyPurpose::kUnwrap));
  const kmip::CryptographicParameters parameters = Chosen(information, key.defaults);
  const crypto::RsaScheme scheme = TRY(ChooseRsaScheme(parameters, key.facts));
  return DecryptRsaWith(key, scheme, data, context);
}

//= kmip-1.4 2.1.5 Key Wrapping Data
//# either the Unique Identifier of the Symmetric Key used to MAC, or of the Private Key (or its
//# corresponding Public Key) used to sign
Result<Bytes> SignContent(OperationContext& context,
                          const kmip::WrappingKeyInformation& information, ObjectPointer stored,
                          ByteView content) {
  if (stored->object.type != kmip::ObjectType::kPrivateKey) {
    stored = TRY(
        OpenOtherHalf(context, *stored, kmip::LinkType::kPrivateKeyLink, kmip::Operation::kSign));
  }
  TRY(CheckParameters(information, stored->object.attributes, context.version()));
  const UsablePrivateKey key = TRY(AsPrivateKey(context, stored, KeyPurpose::kSign));
  TRY(TakeUsage(context, *stored, content.size()));
  const auto scheme =
      TRY(ChooseSignature(Chosen(information, key.defaults), key.facts, Signed::kData));
  return SignMessageWith(key, scheme, content, context);
}

Error Failed() { return Reject(ResultReason::kCryptographicFailure, "cryptographic failure"); }

// A Private Key verifies by its public half: whoever may sign may look at his own signature.
Result<void> VerifyContent(OperationContext& context,
                           const kmip::WrappingKeyInformation& information,
                           const ObjectPointer& stored, ByteView content, ByteView signature) {
  const KeyPurpose purpose = stored->object.type == kmip::ObjectType::kPrivateKey
                                 ? KeyPurpose::kSign
                                 : KeyPurpose::kVerifySignature;
  const UsablePublicKey key = TRY(AsPublicKey(context, stored, purpose));
  const auto scheme =
      TRY(ChooseSignature(Chosen(information, key.defaults), key.facts, Signed::kData));
  const Result<bool> right =
      crypto::VerifyMessage(key.key, scheme, content, signature, context.algorithms());
  if (!right) return CryptographicError(right.error());
  return *right ? Result<void>() : Failed();
}

}  // namespace

Result<Enciphered> EncipherKey(OperationContext& context,
                               const kmip::WrappingKeyInformation& information, ByteView plain) {
  const ObjectPointer named = TRY(OpenObject(context, information.id, kmip::Operation::kEncrypt));
  if (IsAsymmetric(named->object)) return EncipherWithRsa(context, information, named, plain);
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kWrap));
  TRY(TakeUsage(context, opened.key, plain.size()));  // wrapping protects, as Encrypt does
  const auto choice = TRY(ChooseCipher(opened.parameters, opened.key));
  Enciphered enciphered;
  if (const auto* mode = std::get_if<crypto::KeyWrapMode>(&choice)) {
    enciphered.data = TRY(WrapWith(opened.key, *mode, plain, context));
    return enciphered;
  }
  const auto& cipher = std::get<CipherChoice>(choice);
  enciphered.iv = TRY(MakeCountedIv(cipher, *opened.key.object, context));
  crypto::CipherOutput output =
      TRY(EncryptWith(opened.key, RequestFor(cipher, enciphered.iv), plain, context));
  enciphered.data = std::move(output.data);
  Append(enciphered.data, output.tag);
  return enciphered;
}

Result<WipingBytes> DecipherKey(OperationContext& context,
                                const kmip::WrappingKeyInformation& information, ByteView iv,
                                ByteView data) {
  const ObjectPointer named = TRY(OpenObject(context, information.id, kmip::Operation::kDecrypt));
  if (IsAsymmetric(named->object)) return DecipherWithRsa(context, information, named, data);
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kUnwrap));
  const auto choice = TRY(ChooseCipher(opened.parameters, opened.key));
  if (const auto* mode = std::get_if<crypto::KeyWrapMode>(&choice)) {
    const SecretBytes plain = TRY(UnwrapWith(opened.key, *mode, data, context));
    return WipingBytes(plain.Reveal().begin(), plain.Reveal().end());
  }
  const auto& cipher = std::get<CipherChoice>(choice);
  if (data.size() < cipher.tag_length) return Failed();
  const std::size_t length = data.size() - cipher.tag_length;
  return DecryptWith(opened.key, RequestFor(cipher, iv), data.first(length), data.subspan(length),
                     context);
}

Result<Bytes> AuthenticateKey(OperationContext& context,
                              const kmip::WrappingKeyInformation& information, ByteView content) {
  const ObjectPointer named = TRY(OpenObject(context, information.id, kmip::Operation::kSign));
  if (IsAsymmetric(named->object)) return SignContent(context, information, named, content);
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kMakeMac));
  TRY(TakeUsage(context, opened.key, content.size()));
  return MacOf(opened, content, context);
}

Result<void> VerifyKey(OperationContext& context, const kmip::WrappingKeyInformation& information,
                       ByteView content, ByteView code) {
  const ObjectPointer named =
      TRY(OpenObject(context, information.id, kmip::Operation::kSignatureVerify));
  if (IsAsymmetric(named->object)) {
    return VerifyContent(context, information, named, content, code);
  }
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kVerifyMac));
  const crypto::MacAlgorithm algorithm = TRY(ChooseMac(opened.parameters, opened.key));
  return TRY(IsMacOf(opened.key, algorithm, content, code, context)) ? Result<void>() : Failed();
}

}  // namespace dare::engine
