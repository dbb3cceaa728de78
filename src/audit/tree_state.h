#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "audit/line.h"
#include "audit/line_reader.h"
#include "audit/merkle.h"
#include "base/result.h"

namespace dare::audit {

// How far the tree over a log was counted, kept beside the log, so that a start needs not hash it
// from its first line.
struct TreeState {
  TreeEdge edge;  // over the first edge.size() lines
  std::uint64_t segment =
      1;  // the next line is in this file, or at the beginning of the one after it
  std::uint64_t offset = 0;  // and begins at this byte
  LineHash last_line = HashBeforeFirst();
};

inline constexpr char kTreeFile[] = "tree";  // in the log's folder

std::string EncodeTreeState(const TreeState& state);
// kMalformed for what is not of EncodeTreeState.
Result<TreeState> DecodeTreeState(std::string_view text);

// Adds a log's lines to its tree, one after the other, beside whoever writes the log. Not
// thread-safe.
class TreeGrowth {
 public:
  TreeGrowth(std::string folder, TreeState state);

  const TreeState& state() const { return state_; }
  // Adds one line; it must be in the log. kDamaged when it is not there, or the first one that is
  // added does not follow the last one of the state that this began with.
  Result<void> AddLine();
  // After the last line that is known to be whole: what was read beyond it may still change.
  void Pause() { reader_.reset(); }

 private:
  Result<std::string_view> NextLine();

  const std::string folder_;
  TreeState state_;
  bool is_first_ = true;
  std::unique_ptr<LineReader> reader_;
};

}  // namespace dare::audit
