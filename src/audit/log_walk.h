#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/line.h"
#include "audit/merkle.h"
#include "audit/tree_state.h"

// Checking a log's lines one after the other, wherever they come from.
namespace dare::audit {

// A ChainWalk goes along the chain.
class ChainWalk {
 public:
  explicit ChainWalk(const TreeState& start = {})
      : entries_(start.edge.size()), last_hash_(start.last_line) {}

  // What is wrong with a line as the next one; empty: nothing.
  std::string Check(std::string_view line) const;
  // Goes on. Requires: it was checked.
  void Advance(std::string_view line);
  std::uint64_t entries() const { return entries_; }  // the last line's number
  const LineHash& last_hash() const { return last_hash_; }

 private:
  std::uint64_t entries_;
  LineHash last_hash_;
};

// What the tree must be when it has so many lines.
struct CheckpointMark {
  std::uint64_t size = 0;
  TreeHash root{};
  std::int64_t time = 0;  // of the checkpoint
};

// The checkpoints that a log is checked against.
class CheckpointMarks {
 public:
  // All of a file. What is wrong with them; empty: nothing. With keys, their signatures are
  // checked.
  Result<std::string> Load(const std::string& path, const CheckpointKeys& keys);
  // For a walk; by size.
  std::shared_ptr<const std::vector<CheckpointMark>> Sorted() const;

 private:
  std::vector<CheckpointMark> marks_;
};

// A LogWalk goes along the chain and builds the tree, which it compares with each checkpoint on the
// way. It is a value: a copy goes on by itself. Not thread-safe.
class LogWalk {
 public:
  LogWalk(const TreeState& start, std::shared_ptr<const std::vector<CheckpointMark>> marks)
      : chain_(start), edge_(start.edge), marks_(std::move(marks)) {}

  // Before the first line. Each of these says what is wrong; empty: nothing.
  std::string Begin();
  std::string Take(std::string_view line);
  // After the last line.
  std::string End() const;

  std::uint64_t entries() const { return chain_.entries(); }  // the last good one's number
  const LineHash& last_hash() const { return chain_.last_hash(); }
  const TreeEdge& edge() const { return edge_; }
  std::uint64_t checkpoints() const { return met_; }  // that agree
  std::uint64_t covered() const { return covered_; }  // entries up to this one are a checkpoint's
  std::int64_t covered_time() const { return covered_time_; }

 private:
  std::string Compare();

  ChainWalk chain_;
  TreeEdge edge_;
  std::shared_ptr<const std::vector<CheckpointMark>> marks_;  // by size
  std::size_t next_ = 0;                                      // the first that was not met yet
  std::uint64_t met_ = 0;
  std::uint64_t covered_ = 0;
  std::int64_t covered_time_ = 0;
};

}  // namespace dare::audit
