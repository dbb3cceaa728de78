#include "kmip/payloads/create_split_key.h"

#include <algorithm>

#include "kmip/tags.h"

namespace dare::kmip {

Result<CreateSplitKeyRequest> CreateSplitKeyRequest::Decode(ttlv::Reader& in,
                                                            ProtocolVersion version) {
  CreateSplitKeyRequest request;
  request.object_type = TRY(in.Enum<ObjectType>(Tag::kObjectType));
  if (in.At(Tag::kUniqueIdentifier)) request.id = TRY(ReadIdentifier(in, version));
  request.parts = TRY(in.Integer(Tag::kSplitKeyParts));
  request.threshold = TRY(in.Integer(Tag::kSplitKeyThreshold));
  request.method = TRY(in.Enum<SplitKeyMethod>(Tag::kSplitKeyMethod));
  if (const auto prime = TRY(in.OptionalBigInteger(Tag::kPrimeFieldSize))) {
    if (prime->empty() || prime->front() >= 0x80) {
      return Error(Code::kInvalidArgument, "a negative Prime Field Size");
    }
    const auto first = std::ranges::find_if(*prime, [](std::uint8_t byte) { return byte != 0; });
    request.prime.assign(first, prime->end());
  }
  if (AtAttributes(in, version)) request.attributes = TRY(ReadAttributes(in, version));
  if (!IsVersion1(version)) {
    request.protection_storage_masks = TRY(ReadOptionalProtectionStorageMasks(in));
  }
  TRY(in.End());
  return request;
}

void CreateSplitKeyRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Enum(Tag::kObjectType, object_type);
  if (id) WriteIdentifier(out, *id);
  out.Integer(Tag::kSplitKeyParts, parts);
  out.Integer(Tag::kSplitKeyThreshold, threshold);
  out.Enum(Tag::kSplitKeyMethod, method);
  if (!prime.empty()) out.UnsignedBigInteger(Tag::kPrimeFieldSize, prime);
  WriteAttributes(out, version, attributes);
  if (!IsVersion1(version) && protection_storage_masks) {
    WriteProtectionStorageMasks(out, *protection_storage_masks);
  }
}

// 1.2's text has an Object Type before the identifiers; its published cases do not.
Result<CreateSplitKeyResponse> CreateSplitKeyResponse::Decode(ttlv::Reader& in,
                                                              ProtocolVersion version) {
  CreateSplitKeyResponse response;
  TRY(in.OptionalEnumeration(Tag::kObjectType));
  while (in.At(Tag::kUniqueIdentifier)) {
    response.ids.emplace_back(TRY(in.Text(Tag::kUniqueIdentifier)));
  }
  if (IsVersion1(version) && AtAttributes(in, version)) TRY(in.Skip());
  TRY(in.End());
  return response;
}

void CreateSplitKeyResponse::Encode(ttlv::Writer& out, ProtocolVersion) const {
  for (const std::string& id : ids) out.Text(Tag::kUniqueIdentifier, id);
}

}  // namespace dare::kmip
