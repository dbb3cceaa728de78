#include "audit/verify.h"

#include <cerrno>
#include <fstream>

#include "audit/segment.h"

namespace dare::audit {
namespace {

class Walk {
 public:
  explicit Walk(const EntryVisitor& visit) : visit_(visit) { found_.last_hash = HashBeforeFirst(); }

  // False when something is wrong.
  Result<bool> Segment(const std::string& folder, std::uint64_t number, bool is_last) {
    ++found_.segments;
    const std::string name = SegmentName(number);
    std::ifstream file(folder + "/" + name, std::ios::binary);
    if (!file) return IoError("cannot open " + name, errno);
    std::string line;
    for (std::uint64_t at = 1; std::getline(file, line); ++at) {
      if (file.eof()) {  // no newline after it
        if (!is_last) return Bad(name, at, "the file ends inside a line");
        found_.torn_tail = true;
        return true;
      }
      if (std::string problem = CheckLine(line); !problem.empty()) return Bad(name, at, problem);
      if (!visit_) continue;
      const NumberedEntry entry = TRY(ParseLine(line));
      TRY(visit_(entry));
    }
    if (file.bad()) return IoError("cannot read " + name, EIO);
    return true;
  }

  bool Bad(std::string segment, std::uint64_t line, std::string problem) {
    found_.segment = std::move(segment);
    found_.line = line;
    found_.problem = std::move(problem);
    return false;
  }

  Verification Take(bool intact) {
    found_.intact = intact;
    return std::move(found_);
  }

 private:
  std::string CheckLine(const std::string& line) {
    const Result<LineLink> link = ParseLink(line);
    if (!link) return link.error().message;
    if (link->sequence != found_.entries + 1) {
      return "entry " + std::to_string(link->sequence) + " stands where entry " +
             std::to_string(found_.entries + 1) + " belongs";
    }
    if (link->previous != found_.last_hash) {
      return "it does not follow the line before: one of the two was changed";
    }
    found_.last_hash = HashOf(line);
    ++found_.entries;
    return {};
  }

  const EntryVisitor& visit_;
  Verification found_;
};

}  // namespace

Result<Verification> Verify(const std::string& folder, const EntryVisitor& visit) {
  const auto segments = TRY(ListSegments(folder));
  if (segments.empty()) return Error(Code::kNotFound, "no audit log in " + folder);
  Walk walk(visit);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i] != i + 1) {
      walk.Bad(SegmentName(i + 1), 0, "the file is missing");
      return walk.Take(false);
    }
    if (!TRY(walk.Segment(folder, segments[i], i + 1 == segments.size()))) return walk.Take(false);
  }
  return walk.Take(true);
}

}  // namespace dare::audit
