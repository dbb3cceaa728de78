#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "audit/line.h"
#include "base/file.h"

// The files of the log: audit-000001.jsonl, audit-000002.jsonl, … in one folder.
namespace dare::audit {

// "audit-000001.jsonl".
std::string SegmentName(std::uint64_t number);
// The numbers of the segments in `folder`, ascending.
Result<std::vector<std::uint64_t>> ListSegments(const std::string& folder);

// Where the log ends.
struct LogEnd {
  std::uint64_t segment = 1;       // the one to go on writing
  std::uint64_t segment_size = 0;  // bytes of whole lines in it
  std::uint64_t torn_bytes = 0;    // after the last whole line: a write that a crash cut off
  std::uint64_t sequence = 0;      // of the last line, 0 when there is none
  LineHash hash;                   // of the last line
};
// Reads only the last line. kDamaged when that is not a line of ours.
Result<LogEnd> FindEnd(const std::string& folder);

}  // namespace dare::audit
