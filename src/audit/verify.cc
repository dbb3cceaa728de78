#include "audit/verify.h"

#include "audit/log_lines.h"

namespace dare::audit {
namespace {

// Empty when the line is the next one.
std::string CheckLine(const Verification& found, std::string_view line) {
  const Result<LineLink> link = ParseLink(line);
  if (!link) return link.error().message;
  if (link->sequence != found.entries + 1) {
    return "entry " + std::to_string(link->sequence) + " stands where entry " +
           std::to_string(found.entries + 1) + " belongs";
  }
  if (link->previous != found.last_hash) {
    return "it does not follow the line before: one of the two was changed";
  }
  return {};
}

}  // namespace

Result<Verification> VerifyLines(const std::string& path, const LineJudge& judge) {
  LogLines lines = TRY(LogLines::Open(path));
  Verification found;
  found.last_hash = HashBeforeFirst();
  while (true) {
    const Result<std::optional<std::string_view>> line = lines.Next();
    found.segments = lines.files();
    if (!line) {
      if (line.error().code != Code::kDamaged) return line.error();
      found.problem = line.error().message;
    } else if (!*line) {
      found.torn_tail = lines.is_torn();
      found.intact = true;
      return found;
    } else {
      found.problem = CheckLine(found, **line);
      if (found.problem.empty()) found.problem = TRY(judge(found.entries + 1, **line));
    }
    if (!found.problem.empty()) {
      found.segment = lines.file();
      found.line = lines.line();
      return found;
    }
    found.last_hash = HashOf(**line);
    ++found.entries;
  }
}

Result<Verification> Verify(const std::string& folder, const EntryVisitor& visit) {
  return VerifyLines(folder, [&](std::uint64_t, std::string_view line) -> Result<std::string> {
    if (!visit) return std::string();
    const Result<NumberedEntry> entry = ParseLine(line);
    if (!entry) return entry.error().message;
    TRY(visit(*entry));
    return std::string();
  });
}

}  // namespace dare::audit
