#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/entry.h"
#include "base/result.h"

// Reading a part of a log that may be far too large to be read as a whole.
namespace dare::audit {

// Where a line begins.
struct LinePlace {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
};
// Of entry `sequence`, found in a few reads whatever the size of the log. kNotFound: there is none
// behind it or with it; kDamaged. Of an entry that is not there any more, the place of the first.
Result<LinePlace> FindLine(const std::string& folder, std::uint64_t sequence);

// Which entries are wanted. What is empty is not asked for.
struct EntryFilter {
  std::string principal, object_id, operation, request_id;
  std::optional<Outcome> outcome;
  std::optional<std::int64_t> since, until;  // POSIX seconds; `until` is exclusive

  bool empty() const;
  bool Fits(const Entry& entry) const;
};

struct PageQuery {
  std::uint64_t from = 1;   // the first entry that is looked at
  std::uint64_t up_to = 0;  // and the last one
  EntryFilter filter;
  std::function<bool(const Entry&)> visible;  // beside the filter; null: all are
  // The page ends after so much, whichever comes first.
  std::size_t most_lines = 4000;
  std::size_t most_bytes = 1u << 20;     // of lines that are given
  std::size_t most_scanned = 16u << 20;  // bytes of the log that are read for it
};

struct LogPage {
  std::vector<std::string> lines;  // without their newlines, byte for byte
  std::uint64_t next = 1;          // the next page begins here; beyond up_to at the end
};

// The entries that fit, in order. Nothing is checked but what the filter needs: `CheckLog` is for
// that. A page may be empty before the end. kDamaged: an entry is missing, or cannot be read.
Result<LogPage> ReadPage(const std::string& folder, const PageQuery& query);

}  // namespace dare::audit
