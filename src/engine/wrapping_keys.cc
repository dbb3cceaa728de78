#include "engine/wrapping_keys.h"

#include <algorithm>
#include <utility>

#include "crypto/block_cipher.h"
#include "crypto/mac.h"
#include "engine/cipher_choice.h"
#include "engine/key_use.h"
#include "engine/refusal.h"
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
//one # of the instances of the Cryptographic Parameters attribute of the corresponding key.
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

crypto::CipherRequest RequestFor(const CipherChoice& choice, const UsableKey& key, ByteView iv,
                                 const OperationContext& context) {
  crypto::CipherRequest request;
  request.algorithm = choice.algorithm;
  request.mode = choice.mode;
  request.padding = choice.padding;
  request.key = key.bytes;
  request.iv = iv;
  request.tag_length = choice.tag_length;
  request.policy = context.algorithms();
  return request;
}

Result<Bytes> MacOf(const OpenedKey& opened, ByteView content, const OperationContext& context) {
  const crypto::MacAlgorithm algorithm = TRY(ChooseMac(opened.parameters, opened.key));
  Result<Bytes> code = crypto::Mac(algorithm, opened.key.bytes, content, context.algorithms());
  if (!code) return CryptographicError(code.error());
  return code;
}

Error Failed() { return Reject(ResultReason::kCryptographicFailure, "cryptographic failure"); }

}  // namespace

Result<Enciphered> EncipherKey(OperationContext& context,
                               const kmip::WrappingKeyInformation& information, ByteView plain) {
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kWrap));
  TRY(TakeUsage(context, opened.key, plain.size()));  // wrapping protects, as Encrypt does
  const auto choice = TRY(ChooseCipher(opened.parameters, opened.key));
  Enciphered enciphered;
  if (const auto* mode = std::get_if<crypto::KeyWrapMode>(&choice)) {
    Result<Bytes> data = crypto::WrapKey(*mode, opened.key.bytes, plain);
    if (!data) return CryptographicError(data.error());
    enciphered.data = std::move(*data);
    return enciphered;
  }
  const auto& cipher = std::get<CipherChoice>(choice);
  enciphered.iv = TRY(MakeIv(cipher));
  Result<crypto::CipherOutput> output =
      crypto::Encrypt(RequestFor(cipher, opened.key, enciphered.iv, context), plain);
  if (!output) return CryptographicError(output.error());
  enciphered.data = std::move(output->data);
  Append(enciphered.data, output->tag);
  return enciphered;
}

Result<WipingBytes> DecipherKey(OperationContext& context,
                                const kmip::WrappingKeyInformation& information, ByteView iv,
                                ByteView data) {
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kUnwrap));
  const auto choice = TRY(ChooseCipher(opened.parameters, opened.key));
  if (const auto* mode = std::get_if<crypto::KeyWrapMode>(&choice)) {
    Result<SecretBytes> plain = crypto::UnwrapKey(*mode, opened.key.bytes, data);
    if (!plain) return CryptographicError(plain.error());
    return WipingBytes(plain->Reveal().begin(), plain->Reveal().end());
  }
  const auto& cipher = std::get<CipherChoice>(choice);
  if (data.size() < cipher.tag_length) return Failed();
  const std::size_t length = data.size() - cipher.tag_length;
  Result<WipingBytes> plain = crypto::Decrypt(RequestFor(cipher, opened.key, iv, context),
                                              data.first(length), data.subspan(length));
  if (!plain) return CryptographicError(plain.error());
  return std::move(*plain);
}

Result<Bytes> AuthenticateKey(OperationContext& context,
                              const kmip::WrappingKeyInformation& information, ByteView content) {
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kMakeMac));
  TRY(TakeUsage(context, opened.key, content.size()));
  return MacOf(opened, content, context);
}

Result<void> VerifyKey(OperationContext& context, const kmip::WrappingKeyInformation& information,
                       ByteView content, ByteView code) {
  const OpenedKey opened = TRY(OpenNamed(context, information, KeyPurpose::kVerifyMac));
  const Bytes expected = TRY(MacOf(opened, content, context));
  if (!EqualInConstantTime(expected, code)) return Failed();
  return {};
}

}  // namespace dare::engine
