#include "audit/log_walk.h"

#include <algorithm>
#include <utility>

#include "audit/checkpoint_file.h"

namespace dare::audit {

std::string ChainWalk::Check(std::string_view line) const {
  const Result<LineLink> link = ParseLink(line);
  if (!link) return link.error().message;
  if (link->sequence != entries_ + 1) {
    return "entry " + std::to_string(link->sequence) + " stands where entry " +
           std::to_string(entries_ + 1) + " belongs";
  }
  if (link->previous != last_hash_) {
    return "it does not follow the line before: one of the two was changed";
  }
  return {};
}

void ChainWalk::Advance(std::string_view line) {
  last_hash_ = HashOf(line);
  ++entries_;
}

Result<std::string> CheckpointMarks::Load(const std::string& path, const CheckpointKeys& keys) {
  const Result<void> read = ReadCheckpoints(path, [&](const SignedCheckpoint& one) -> Result<void> {
    const Checkpoint& checkpoint = one.checkpoint;
    const Result<void> checked = keys.empty() ? Result<void>() : keys.Check(one);
    if (!checked) {
      return Error(Code::kDamaged, path + ", checkpoint of " + std::to_string(checkpoint.size) +
                                       " entries: " + checked.error().message);
    }
    marks_.push_back({checkpoint.size, checkpoint.root, checkpoint.time});
    return {};
  });
  if (read) return std::string();
  const Code code = read.error().code;
  if (code != Code::kMalformed && code != Code::kDamaged) return read.error();
  return read.error().message;
}

std::shared_ptr<const std::vector<CheckpointMark>> CheckpointMarks::Sorted() const {
  auto sorted = std::make_shared<std::vector<CheckpointMark>>(marks_);
  std::ranges::sort(*sorted, {}, &CheckpointMark::size);
  return sorted;
}

// Checkpoints of fewer lines than were removed say nothing about those that are there.
std::string LogWalk::Begin() {
  while (next_ < marks_->size() && (*marks_)[next_].size < edge_.size()) ++next_;
  return Compare();
}

std::string LogWalk::Take(std::string_view line) {
  std::string problem = chain_.Check(line);
  if (!problem.empty()) return problem;
  edge_.Add(HashOfLeaf(line));
  problem = Compare();
  if (problem.empty()) chain_.Advance(line);
  return problem;
}

std::string LogWalk::Compare() {
  for (; next_ < marks_->size() && (*marks_)[next_].size == edge_.size(); ++next_) {
    const CheckpointMark& mark = (*marks_)[next_];
    if (mark.root != edge_.Root()) {
      return "entries " + std::to_string(covered_ + 1) + " to " + std::to_string(edge_.size()) +
             " are not those of the checkpoint of " + std::string(TimeText(mark.time)) +
             ": one of them was changed and the chain after it made anew";
    }
    covered_ = edge_.size();
    covered_time_ = mark.time;
    ++met_;
  }
  return {};
}

std::string LogWalk::End() const {
  if (next_ >= marks_->size()) return {};
  const CheckpointMark& newest = marks_->back();
  return "the log ends here, and its checkpoint of " + std::string(TimeText(newest.time)) +
         " has " + std::to_string(newest.size) + " entries: its end was cut off";
}

}  // namespace dare::audit
