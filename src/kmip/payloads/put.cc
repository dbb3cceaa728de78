#include "kmip/payloads/put.h"

#include "kmip/managed_object.h"
#include "kmip/tags.h"

namespace dare::kmip {

Result<PutRequest> PutRequest::Decode(ttlv::Reader& in, ProtocolVersion version) {
  PutRequest request;
  request.id = TRY(in.Text(Tag::kUniqueIdentifier));
  request.function = TRY(in.Enum<PutFunction>(Tag::kPutFunction));
  if (request.function != PutFunction::kNew && request.function != PutFunction::kReplace) {
    return Error(Code::kMalformed, "unknown Put Function");
  }
  const auto replaced = TRY(in.OptionalText(Tag::kReplacedUniqueIdentifier));
  //= kmip-2.1 6.2.3 Put
  //# SHALL be present if the Put Function is Replace.
  if (request.function == PutFunction::kReplace && !replaced) {
    return Error(Code::kMalformed, "Put does not say which object is replaced");
  }
  if (request.function == PutFunction::kReplace) request.replaced = *replaced;
  const ttlv::Item object = TRY(in.Next());
  if (!TypeOfObjectTag(object.tag) || object.type != ttlv::Type::kStructure) {
    return object.Fault("is no managed object");
  }
  request.object = object.whole;
  if (IsVersion1(version) || in.At(Tag::kAttributes)) {
    request.attributes = TRY(ReadAttributeList(in, version));
  }
  TRY(in.End());
  return request;
}

void PutRequest::Encode(ttlv::Writer& out, ProtocolVersion version) const {
  out.Text(Tag::kUniqueIdentifier, id);
  out.Enum(Tag::kPutFunction, function);
  if (function == PutFunction::kReplace) out.Text(Tag::kReplacedUniqueIdentifier, replaced);
  out.Raw(object);
  WriteAttributeList(out, version, attributes);
}

}  // namespace dare::kmip
