#pragma once

#include "base/result.h"
#include "ttlv/reader.h"
#include "ttlv/writer.h"

namespace dare::ttlv {

// Reads every item of `in` with the accessor of its type and writes it again with the Writer's call
// for that type: what comes out must be what went in. For tests and fuzz targets; recursive, so
// only for validated bytes.
inline Result<void> RecodeForTest(Reader in, Writer& out) {
  while (!in.AtEnd()) {
    const kmip::Tag tag = in.tag();
    switch (in.type()) {
      case Type::kStructure: {
        const Reader members = TRY(in.Structure(tag));
        TRY(out.Structure(tag, [&] { return RecodeForTest(members, out); }));
        break;
      }
      case Type::kInteger:
        out.Integer(tag, TRY(in.Integer(tag)));
        break;
      case Type::kLongInteger:
        out.LongInteger(tag, TRY(in.LongInteger(tag)));
        break;
      case Type::kBigInteger:
        out.BigInteger(tag, TRY(in.BigInteger(tag)));
        break;
      case Type::kEnumeration:
        out.Enumeration(tag, TRY(in.Enumeration(tag)));
        break;
      case Type::kBoolean:
        out.Boolean(tag, TRY(in.Boolean(tag)));
        break;
      case Type::kTextString:
        out.Text(tag, TRY(in.Text(tag)));
        break;
      case Type::kByteString:
        out.ByteString(tag, TRY(in.ByteString(tag)));
        break;
      case Type::kDateTime:
        out.DateTime(tag, TRY(in.DateTime(tag)));
        break;
      case Type::kInterval:
        out.Interval(tag, TRY(in.Interval(tag)));
        break;
      case Type::kDateTimeExtended:
        out.DateTimeExtended(tag, TRY(in.DateTimeExtended(tag)));
        break;
      default:
        TRY(in.Next());  // refuses: no such type
        return Error(Code::kInternal, "an unknown type was taken");
    }
  }
  return in.End();
}

}  // namespace dare::ttlv
