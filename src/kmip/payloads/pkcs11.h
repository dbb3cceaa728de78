#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "kmip/enums.h"
#include "kmip/protocol_version.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::kmip {

// PKCS#11 (kmip-2.1 6.1.37, since 2.0): a call of a function of PKCS#11 3.0. The tables print a
// structure around each field; the published messages carry the bare values, and so do we.
// The request borrows from its message.
struct Pkcs11Request {
  static constexpr Operation kOperation = Operation::kPKCS_11;
  std::optional<std::string> interface_name;
  std::uint32_t function = 0;           // kmip-2.1 11.38: the 1-based place in CK_FUNCTION_LIST_3_0
  bool vendor_function = false;         // an Integer stood there instead of an Enumeration
  std::optional<ByteView> correlation;  //
  std::optional<ByteView> input;        // the parameters, in the encoding of the PKCS#11 profile

  static Result<Pkcs11Request> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

struct Pkcs11Response {
  std::optional<std::string> interface_name;  // when the request named one
  std::uint32_t function = 0;
  std::optional<Bytes> correlation;
  std::optional<Bytes> output;
  std::uint32_t return_code = 0;  // CK_RV

  static Result<Pkcs11Response> Decode(ttlv::Reader& in, ProtocolVersion version);
  void Encode(ttlv::Writer& out, ProtocolVersion version) const;
};

}  // namespace dare::kmip
