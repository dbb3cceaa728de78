// The row of the store that says which keys seal it: any bytes. What is accepted has one form, and
// makes sense as a whole.
#include "custody/custody_record.h"

#include <algorithm>

#include "base/check.h"

namespace dare::custody {
namespace {

void Try(ByteView bytes) {
  const Result<CustodyRecord> record = DecodeCustodyRecord(bytes);
  if (!record) {
    CHECK(record.error().code == Code::kMalformed);
    return;
  }
  CHECK(std::ranges::equal(Encode(*record), bytes));
  CHECK(CheckWhole(*record).has_value());
  CHECK(record->Find(record->current().id) == &record->current());
  for (const CustodyKey& key : record->keys) {
    CHECK(NameOf(key.state) != "unknown" && !NameOf(key.kind).empty());
  }
}

}  // namespace
}  // namespace dare::custody

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::custody::Try({data, size});
  return 0;
}
