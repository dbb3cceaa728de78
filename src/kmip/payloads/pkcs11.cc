#include "kmip/payloads/pkcs11.h"

#include "kmip/payloads/optional_bytes.h"
#include "kmip/tags.h"

namespace dare::kmip {
namespace {

Result<std::optional<std::string>> ReadInterface(ttlv::Reader& in) {
  const auto text = TRY(in.OptionalText(Tag::kPKCS_11Interface));
  if (!text) return std::optional<std::string>();
  return std::optional<std::string>(*text);
}
void WriteInterface(ttlv::Writer& out, const std::optional<std::string>& name) {
  if (name) out.Text(Tag::kPKCS_11Interface, *name);
}

}  // namespace

Result<Pkcs11Request> Pkcs11Request::Decode(ttlv::Reader& in, ProtocolVersion) {
  Pkcs11Request request;
  request.interface_name = TRY(ReadInterface(in));
  //= kmip-2.1 6.1.37 PKCS#11
  //# An Enumeration for PKCS#11 defined functions or an Integer for vendor defined function.
  request.vendor_function = in.At(Tag::kPKCS_11Function) && in.type() == ttlv::Type::kInteger;
  if (request.vendor_function) {
    request.function = static_cast<std::uint32_t>(TRY(in.Integer(Tag::kPKCS_11Function)));
  } else {
    request.function = TRY(in.Enumeration(Tag::kPKCS_11Function));
  }
  request.correlation = TRY(in.OptionalByteString(Tag::kCorrelationValue));
  request.input = TRY(in.OptionalByteString(Tag::kPKCS_11InputParameters));
  TRY(in.End());
  return request;
}

void Pkcs11Request::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteInterface(out, interface_name);
  if (vendor_function) {
    out.Integer(Tag::kPKCS_11Function, static_cast<std::int32_t>(function));
  } else {
    out.Enumeration(Tag::kPKCS_11Function, function);
  }
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  WriteOptionalBytes(out, Tag::kPKCS_11InputParameters, input);
}

Result<Pkcs11Response> Pkcs11Response::Decode(ttlv::Reader& in, ProtocolVersion) {
  Pkcs11Response response;
  response.interface_name = TRY(ReadInterface(in));
  response.function = TRY(in.Enumeration(Tag::kPKCS_11Function));
  response.correlation = TRY(CopyOptionalBytes<Bytes>(in, Tag::kCorrelationValue));
  response.output = TRY(CopyOptionalBytes<Bytes>(in, Tag::kPKCS_11OutputParameters));
  response.return_code = TRY(in.Enumeration(Tag::kPKCS_11ReturnCode));
  TRY(in.End());
  return response;
}

void Pkcs11Response::Encode(ttlv::Writer& out, ProtocolVersion) const {
  WriteInterface(out, interface_name);
  out.Enumeration(Tag::kPKCS_11Function, function);
  WriteOptionalBytes(out, Tag::kCorrelationValue, correlation);
  WriteOptionalBytes(out, Tag::kPKCS_11OutputParameters, output);
  out.Enumeration(Tag::kPKCS_11ReturnCode, return_code);
}

}  // namespace dare::kmip
