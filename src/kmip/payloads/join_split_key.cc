#include "kmip/payloads/join_split_key.h"

#include "kmip/tags.h"

namespace dare::kmip {
namespace {
constexpr std::size_t kMostParts = 255;
}

Result<JoinSplitKeyRequest> JoinSplitKeyRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  JoinSplitKeyRequest request;
  request.object_type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  while (in.At(Tag::kUniqueIdentifier)) {
    request.ids.push_back(TRY(ReadIdentifier(in, version)));
    if (request.ids.size() > kMostParts) {
      return Error(Code::kMalformed, "no key has that many parts");
    }
  }
  if (request.ids.empty()) return Error(Code::kMalformed, "Join Split Key without parts");
  request.secret_data_type = TRY(in.OptionalEnum<SecretDataType>(Tag::kSecretDataType));
  if (AtAttributes(in, version)) request.attributes = TRY(ReadAttributes(in, version));
  if (!IsVersion1(version)) {
    request.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  }
  TRY(in.End());
  return request;
}

void JoinSplitKeyRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Enum(Tag::kObjectType, object_type);
  for (const Identifier& id : ids) WriteIdentifier(out, id);
  if (secret_data_type) out.Enum(Tag::kSecretDataType, *secret_data_type);
  WriteAttributes(out, version, attributes);
  if (!IsVersion1(version) && protection_storage_masks) {
    WriteProtectionStorageMasks(out, *protection_storage_masks);
  }
}

Result<JoinSplitKeyResponse> JoinSplitKeyResponse::Decode(ttlv::Reader& in,
                                                          ProtocolVersion version) {
  JoinSplitKeyResponse response;
  TRY(in.OptionalEnumeration(Tag::kObjectType));
  response.id = TRY(in.Text(Tag::kUniqueIdentifier));
  if (IsVersion1(version) && AtAttributes(in, version)) TRY(in.Skip());
  TRY(in.End());
  return response;
}

void JoinSplitKeyResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip
