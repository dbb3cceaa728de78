#include "kmip/payloads/derive_key.h"

#include "kmip/payloads/optional_bytes.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

constexpr std::size_t kMostIdentifiers = 64;

Result<DerivationParameters> ReadDerivationParameters(ttlv::Reader& in, ProtocolVersion version) {
  ttlv::Reader members = TRY(in.Structure(Tag::kDerivationParameters));
  DerivationParameters derivation;
  derivation.parameters = TRY(ReadOptionalCryptographicParameters(members));
  derivation.iv = TRY(members.OptionalByteString(Tag::kInitializationVector));
  while (members.At(Tag::kDerivationData)) {
    derivation.data.push_back(TRY(members.ByteString(Tag::kDerivationData)));
    if (IsVersion1(version) && derivation.data.size() > 1) {
      return Error(Code::kMalformed, "Derivation Data is given twice");
    }
  }
  derivation.salt = TRY(members.OptionalByteString(Tag::kSalt));
  derivation.iterations = TRY(members.OptionalInteger(Tag::kIterationCount));
  TRY(members.End());
  return derivation;
}

void WriteDerivationParameters(ttlv::Writer& out, const DerivationParameters& derivation) {
  out.Structure(Tag::kDerivationParameters, [&] {
    if (derivation.parameters) WriteCryptographicParameters(out, *derivation.parameters);
    WriteOptionalBytes(out, Tag::kInitializationVector, derivation.iv);
    for (const ByteView data : derivation.data) out.ByteString(Tag::kDerivationData, data);
    WriteOptionalBytes(out, Tag::kSalt, derivation.salt);
    if (derivation.iterations) out.Integer(Tag::kIterationCount, *derivation.iterations);
  });
}

}  // namespace

Result<DeriveKeyRequest> DeriveKeyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  DeriveKeyRequest request;
  request.object_type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  while (in.At(Tag::kUniqueIdentifier)) {
    request.ids.push_back(TRY(ReadIdentifier(in, version)));
    if (request.ids.size() > kMostIdentifiers) {
      return Error(Code::kMalformed, "a key is not derived from that many objects");
    }
  }
  if (request.ids.empty()) return Error(Code::kMalformed, "Derive Key without Unique Identifier");
  request.method = TRY(in.Enum<DerivationMethod>(Tag::kDerivationMethod));
  request.derivation = TRY(ReadDerivationParameters(in, version));
  request.attributes = TRY(ReadAttributes(in, version));
  TRY(in.End());
  return request;
}

void DeriveKeyRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Enum(Tag::kObjectType, object_type);
  for (const Identifier& id : ids) WriteIdentifier(out, id);
  out.Enum(Tag::kDerivationMethod, method);
  WriteDerivationParameters(out, derivation);
  WriteAttributes(out, version, attributes);
}

Result<DeriveKeyResponse> DeriveKeyResponse::Decode(ttlv::Reader& in, ProtocolVersion version) {
  DeriveKeyResponse response;
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version) && AtAttributes(in, version)) {
    response.implied = TRY(ReadAttributes(in, version)).attributes;
  }
  TRY(in.End());
  return response;
}

void DeriveKeyResponse::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  if (IsVersion1(version) && !implied.empty()) WriteAttributes(out, version, implied);
}

}  // namespace dare::kmip
