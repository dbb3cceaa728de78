#include "audit/log_page.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "audit/line.h"
#include "audit/line_reader.h"
#include "audit/segment.h"

namespace dare::audit {
namespace {

// What is read from end to end rather than halved.
constexpr std::uint64_t kSmallBytes = 128u << 10;

struct FoundLine {
  std::uint64_t offset = 0;
  std::uint64_t sequence = 0;
};

// The first whole line that begins at `offset` or, where that is inside of a line, after it.
Result<std::optional<FoundLine>> LineFrom(const std::string& path, std::uint64_t offset,
                                          bool is_inside) {
  LineReader reader = TRY(LineReader::Open(path, offset));
  if (is_inside && !TRY(reader.Next())) return std::optional<FoundLine>();
  const std::uint64_t begin = reader.offset();
  const std::optional<std::string_view> line = TRY(reader.Next());
  if (!line) return std::optional<FoundLine>();
  const LineLink link = TRY(ParseLink(*line));
  return std::optional<FoundLine>({begin, link.sequence});
}

// The number of segments of which the first line is not after `sequence`. One without lines (a
// crash) counts as the one behind it.
Result<std::size_t> CountNotAfter(const std::string& folder,
                                  const std::vector<std::uint64_t>& segments,
                                  std::uint64_t sequence) {
  std::size_t low = 0, high = segments.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    std::optional<FoundLine> first;
    for (std::size_t at = middle; at < high && !first; ++at) {
      first = TRY(LineFrom(folder + "/" + SegmentName(segments[at]), 0, false));
    }
    if (first && first->sequence <= sequence) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Where, in a file that begins at or before it, the entry stands or would.
Result<std::uint64_t> OffsetIn(const std::string& path, std::uint64_t sequence) {
  std::error_code failed;
  std::uint64_t low = 0, high = std::filesystem::file_size(path, failed);
  if (failed) return IoError("cannot stat " + path, failed.value());
  while (high - low > kSmallBytes) {
    const std::uint64_t middle = low + (high - low) / 2;
    const std::optional<FoundLine> line = TRY(LineFrom(path, middle, true));
    if (line && line->offset < high && line->sequence <= sequence) {
      low = line->offset;
    } else {
      high = middle;
    }
  }
  LineReader reader = TRY(LineReader::Open(path, low));
  while (true) {
    const std::uint64_t begin = reader.offset();
    const std::optional<std::string_view> line = TRY(reader.Next());
    if (!line || TRY(ParseLink(*line)).sequence >= sequence) return begin;
  }
}

// The lines from a place on, across files.
class LinesFrom {
 public:
  static Result<LinesFrom> Open(std::string folder, const LinePlace& place) {
    LineReader reader =
        TRY(LineReader::Open(folder + "/" + SegmentName(place.segment), place.offset));
    return LinesFrom(std::move(folder), place.segment, std::move(reader));
  }
  Result<std::optional<std::string_view>> Next() {
    while (true) {
      const std::optional<std::string_view> line = TRY(reader_.Next());
      if (line) return line;
      const std::string next = folder_ + "/" + SegmentName(segment_ + 1);
      if (reader_.has_torn_line() || !FileExists(next)) return line;
      reader_ = TRY(LineReader::Open(next));
      ++segment_;
    }
  }

 private:
  LinesFrom(std::string folder, std::uint64_t segment, LineReader reader)
      : folder_(std::move(folder)), segment_(segment), reader_(std::move(reader)) {}

  std::string folder_;
  std::uint64_t segment_;
  LineReader reader_;
};

// The client's value and the server's stand there, with a space between; either may be asked for.
bool IsRequest(std::string_view wanted, std::string_view there) {
  if (wanted.empty() || wanted == there) return true;
  if (wanted.size() >= there.size()) return false;
  return (there.starts_with(wanted) && there[wanted.size()] == ' ') ||
         (there.ends_with(wanted) && there[there.size() - wanted.size() - 1] == ' ');
}

Error Missing(std::uint64_t sequence) {
  return Error(Code::kDamaged,
               "entry " + std::to_string(sequence) + " of the audit log is not where it belongs");
}

}  // namespace

bool EntryFilter::empty() const {
  return principal.empty() && object_id.empty() && operation.empty() && request_id.empty() &&
         !outcome && !since && !until;
}

bool EntryFilter::Fits(const Entry& entry) const {
  const auto is = [](const std::string& wanted, const std::string& there) {
    return wanted.empty() || wanted == there;
  };
  return is(principal, entry.principal) && is(object_id, entry.object_id) &&
         is(operation, entry.operation) && IsRequest(request_id, entry.request_id) &&
         (!outcome || *outcome == entry.outcome) && (!since || entry.time >= *since) &&
         (!until || entry.time < *until);
}

Result<LinePlace> FindLine(const std::string& folder, std::uint64_t sequence) {
  const std::vector<std::uint64_t> segments = TRY(ListSegments(folder));
  if (segments.empty()) return Error(Code::kNotFound, "no audit log in " + folder);
  const std::size_t not_after = TRY(CountNotAfter(folder, segments, sequence));
  if (not_after == 0) return LinePlace{.segment = segments.front()};
  const std::uint64_t segment = segments[not_after - 1];
  const std::uint64_t offset = TRY(OffsetIn(folder + "/" + SegmentName(segment), sequence));
  return LinePlace{.segment = segment, .offset = offset};
}

Result<LogPage> ReadPage(const std::string& folder, const PageQuery& query) {
  LogPage page{.next = query.from};
  if (query.from > query.up_to) return page;
  const LinePlace place = TRY(FindLine(folder, query.from));
  LinesFrom lines = TRY(LinesFrom::Open(folder, place));
  const bool look_inside = query.visible || !query.filter.empty();
  std::size_t given = 0, scanned = 0;
  for (bool is_first = true; page.next <= query.up_to; is_first = false) {
    const std::optional<std::string_view> line = TRY(lines.Next());
    if (!line) return Missing(page.next);
    if (is_first) {
      // What was pruned is not there; the first that is there comes in its place.
      const std::uint64_t there = TRY(ParseLink(*line)).sequence;
      if (there < page.next) return Missing(page.next);
      page.next = there;
      if (there > query.up_to) break;
    }
    bool fits = true;
    if (look_inside) {
      const Result<NumberedEntry> parsed = ParseLine(*line);
      if (!parsed) return parsed.error().In("entry " + std::to_string(page.next));
      fits = query.filter.Fits(parsed->entry) && (!query.visible || query.visible(parsed->entry));
    }
    if (fits) {
      page.lines.emplace_back(*line);
      given += line->size() + 1;
    }
    ++page.next;
    scanned += line->size() + 1;
    if (page.lines.size() >= query.most_lines || given >= query.most_bytes ||
        scanned >= query.most_scanned) {
      break;
    }
  }
  return page;
}

}  // namespace dare::audit
