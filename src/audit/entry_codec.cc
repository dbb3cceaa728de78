#include "audit/entry_codec.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace dare::audit {
namespace {

// Sequence number, time, outcome, reason; then row version and group.
constexpr std::size_t kFixedAlways = 8 + 8 + 1 + 4;
constexpr std::size_t kFixed = kFixedAlways + 8 + 8;
// One byte more than the log takes of a text, so that it still says that it cut.
constexpr std::size_t kMostTextBytes = kMostFieldBytes + 1;

constexpr std::array kTexts = {&Entry::principal, &Entry::address, &Entry::operation,
                               &Entry::object_id, &Entry::rule,    &Entry::request_id,
                               &Entry::detail};

Error Broken() { return Error(Code::kMalformed, "not a list of audit entries"); }

void EncodeEntry(const NumberedEntry& one, Bytes& out) {
  std::uint8_t fixed[kFixed];
  PutU64(fixed, one.sequence);
  PutU64(fixed + 8, static_cast<std::uint64_t>(one.entry.time));
  fixed[16] = static_cast<std::uint8_t>(one.entry.outcome);
  PutU32(fixed + 17, one.entry.result_reason);
  PutU64(fixed + 21, one.entry.version);
  PutU64(fixed + 29, one.entry.group);
  Append(out, fixed);
  for (const auto member : kTexts) {
    const std::string_view text = std::string_view(one.entry.*member).substr(0, kMostTextBytes);
    std::uint8_t length[2];
    PutU16(length, static_cast<std::uint16_t>(text.size()));
    Append(out, length);
    Append(out, AsBytes(text));
  }
}

// Takes the first entry off `bytes`.
Result<NumberedEntry> DecodeEntry(ByteView& bytes, EntryForm form) {
  const std::size_t size = form == EntryForm::kNow ? kFixed : kFixedAlways;
  if (bytes.size() < size || bytes[16] > static_cast<std::uint8_t>(Outcome::kFailed)) {
    return Broken();
  }
  NumberedEntry one;
  one.sequence = GetU64(bytes.data());
  one.entry.time = static_cast<std::int64_t>(GetU64(bytes.data() + 8));
  one.entry.outcome = static_cast<Outcome>(bytes[16]);
  one.entry.result_reason = GetU32(bytes.data() + 17);
  if (form == EntryForm::kNow) {
    one.entry.version = GetU64(bytes.data() + 21);
    one.entry.group = GetU64(bytes.data() + 29);
  }
  bytes = bytes.subspan(size);
  for (const auto member : kTexts) {
    if (bytes.size() < 2) return Broken();
    const std::size_t length = GetU16(bytes.data());
    if (length > kMostTextBytes || bytes.size() < 2 + length) return Broken();
    one.entry.*member = AsText(bytes.subspan(2, length));
    bytes = bytes.subspan(2 + length);
  }
  return one;
}

}  // namespace

Bytes EncodeEntries(std::span<const NumberedEntry> entries) {
  Bytes out;
  out.reserve(entries.size() * 256);
  for (const NumberedEntry& one : entries) EncodeEntry(one, out);
  return out;
}

Result<std::vector<NumberedEntry>> DecodeEntries(ByteView bytes, EntryForm form) {
  std::vector<NumberedEntry> entries;
  while (!bytes.empty()) entries.push_back(TRY(DecodeEntry(bytes, form)));
  return entries;
}

}  // namespace dare::audit
