// Any bytes: nothing may crash, hang or read outside. Bytes that validate: every item can be read,
// and written again it gives the same bytes, so there is one encoding of everything we accept.
#include <vector>

#include "base/check.h"
#include "ttlv/print.h"
#include "ttlv/recode_for_test.h"
#include "ttlv/validate.h"

namespace {

using dare::ByteView;
using dare::ttlv::Item;
using dare::ttlv::Reader;

// Tries every accessor on every item of bytes that nobody validated.
void Walk(ByteView bytes) {
  std::vector<Reader> open = {Reader::Members(bytes)};
  while (!open.empty()) {
    Reader& in = open.back();
    const auto tag = in.tag();
    Reader again = in;
    (void)again.OptionalInteger(tag);
    (void)again.OptionalText(tag);
    (void)again.OptionalBoolean(tag);
    const dare::Result<Item> item = in.Next();
    if (!item.has_value()) {
      CHECK(in.AtEnd() || !in.End().has_value());
      open.pop_back();
      continue;
    }
    (void)item->AsInteger();
    (void)item->AsLongInteger();
    (void)item->AsBigInteger();
    (void)item->AsEnumeration();
    (void)item->AsBoolean();
    (void)item->AsText();
    (void)item->AsByteString();
    (void)item->AsDateTime();
    (void)item->AsInterval();
    (void)item->AsDateTimeExtended();
    const dare::Result<Reader> members = item->Members();
    if (members.has_value()) open.push_back(*members);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  Walk(bytes);
  (void)dare::ttlv::Print(bytes);
  const bool item = dare::ttlv::ValidateItem(bytes).has_value();
  const bool message = dare::ttlv::Validate(bytes).has_value();
  CHECK(item || !message);
  if (item) {
    dare::ttlv::Writer out;
    CHECK(dare::ttlv::RecodeForTest(Reader::Members(bytes), out).has_value());
    CHECK(std::equal(bytes.begin(), bytes.end(), out.bytes().begin(), out.bytes().end()));
  }
  if (message) {
    CHECK(Reader::Open(bytes).has_value());
    const auto tag = static_cast<dare::kmip::Tag>(dare::GetU32(data) >> 8);
    const auto length = dare::ttlv::MessageLength(bytes.first(8), tag, {});
    CHECK(length.has_value() && *length == size);
  }
  return 0;
}
