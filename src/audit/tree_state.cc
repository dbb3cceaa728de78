#include "audit/tree_state.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "audit/segment.h"

namespace dare::audit {
namespace {

constexpr std::string_view kFirstLine = "dare-audit-tree 1";
constexpr std::size_t kMostHashes = 64;

Result<TreeHash> ParseHash(const std::string& hex) {
  const Bytes bytes = TRY(FromHex(hex));
  TreeHash hash;
  if (bytes.size() != hash.size()) return Error(Code::kMalformed, "not a hash");
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

}  // namespace

std::string EncodeTreeState(const TreeState& state) {
  std::ostringstream text;
  text << kFirstLine << "\n"
       << state.edge.size() << " " << state.segment << " " << state.offset << "\n"
       << state.last_line << "\n";
  for (const TreeHash& hash : state.edge.hashes()) text << ToHex(hash) << "\n";
  return text.str();
}

Result<TreeState> DecodeTreeState(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::string line;
  TreeState state;
  std::uint64_t size = 0;
  if (!std::getline(in, line) || line != kFirstLine ||
      !(in >> size >> state.segment >> state.offset >> state.last_line)) {
    return Error(Code::kMalformed, "not a tree's state");
  }
  TRY(ParseHash(state.last_line));
  std::vector<TreeHash> hashes;
  while (in >> line && hashes.size() < kMostHashes) hashes.push_back(TRY(ParseHash(line)));
  auto edge = TreeEdge::From(size, std::move(hashes));
  if (!edge) return Error(Code::kMalformed, "not a tree's state");
  state.edge = *std::move(edge);
  // One text for one state: numbers that are out of range, and whatever else follows, show.
  if (EncodeTreeState(state) != text) return Error(Code::kMalformed, "not a tree's state");
  return state;
}

TreeGrowth::TreeGrowth(std::string folder, TreeState state)
    : folder_(std::move(folder)), state_(std::move(state)) {}

Result<std::string_view> TreeGrowth::NextLine() {
  if (reader_ == nullptr) {
    reader_ = std::make_unique<LineReader>(
        TRY(LineReader::Open(folder_ + "/" + SegmentName(state_.segment), state_.offset)));
  }
  // A file without a line in it may stand between two others.
  while (true) {
    const std::optional<std::string_view> line = TRY(reader_->Next());
    if (line) return *line;
    if (reader_->has_torn_line()) break;
    const std::string next = folder_ + "/" + SegmentName(state_.segment + 1);
    if (!FileExists(next)) break;
    *reader_ = TRY(LineReader::Open(next));
    ++state_.segment;
    state_.offset = 0;
  }
  return Error(Code::kDamaged, "entry " + std::to_string(state_.edge.size() + 1) +
                                   " of the audit log is not there any more");
}

Result<void> TreeGrowth::AddLine() {
  const std::string_view line = TRY(NextLine());
  if (std::exchange(is_first_, false)) {
    const LineLink link = TRY(ParseLink(line));
    if (link.sequence != state_.edge.size() + 1 || link.previous != state_.last_line) {
      return Error(Code::kDamaged, "entry " + std::to_string(state_.edge.size() + 1) +
                                       " of the audit log does not follow the one before");
    }
  }
  state_.edge.Add(HashOfLeaf(line));
  state_.last_line = HashOf(line);
  state_.offset = reader_->offset();
  return {};
}

}  // namespace dare::audit
