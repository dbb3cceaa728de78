#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/entry.h"
#include "base/result.h"

// One line of the log, written and read in one place. Byte by byte in docs/formats/audit.md.
namespace dare::audit {

using LineHash = std::string;  // SHA-256 in 64 lower-case hex digits

// More than the longest line: eight fields of which every byte is escaped to six.
inline constexpr std::size_t kMostLineBytes = 64u << 10;

// RFC 3339 in UTC, whole seconds; valid until the thread's next call.
std::string_view TimeText(std::int64_t time);
// kDamaged for anything else.
Result<std::int64_t> ParseTime(const std::string& text);

// What stands for the line before the first one.
LineHash HashBeforeFirst();
// Of a line without its newline.
LineHash HashOf(std::string_view line);

// A line is its head, which chains it, and its body, which can be made before its place in the
// chain is known.
void AppendHead(std::string& out, std::uint64_t sequence, std::string_view previous);
void AppendBody(std::string& out, const Entry& entry);

// What chains a line. kDamaged unless `line` has exactly our fields in our order.
struct LineLink {
  std::uint64_t sequence = 0;
  LineHash previous;
};
Result<LineLink> ParseLink(std::string_view line);
// The whole of it, for whoever compares what was recorded with what is there. kDamaged as above.
Result<NumberedEntry> ParseLine(std::string_view line);

}  // namespace dare::audit
