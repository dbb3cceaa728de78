#include "audit/merkle.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace dare::audit {
namespace {

constexpr std::uint8_t kLeaf = 0x00, kNode = 0x01;

}  // namespace

TreeHash HashOfLeaf(std::string_view line) {
  thread_local Bytes input;
  input.assign(1, kLeaf);
  Append(input, AsBytes(line));
  return crypto::Sha256(input);
}

TreeHash HashOfNode(const TreeHash& left, const TreeHash& right) {
  std::array<std::uint8_t, 1 + 2 * sizeof(TreeHash)> input;
  input[0] = kNode;
  std::memcpy(input.data() + 1, left.data(), left.size());
  std::memcpy(input.data() + 1 + left.size(), right.data(), right.size());
  return crypto::Sha256(input);
}

std::optional<TreeEdge> TreeEdge::From(std::uint64_t size, std::vector<TreeHash> hashes) {
  if (static_cast<std::size_t>(std::popcount(size)) != hashes.size()) return std::nullopt;
  TreeEdge edge;
  edge.size_ = size;
  edge.hashes_ = std::move(hashes);
  return edge;
}

// Each bit that the size loses joins two subtrees of the same size.
void TreeEdge::Add(const TreeHash& leaf) {
  TreeHash hash = leaf;
  for (std::uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    hash = HashOfNode(hashes_.back(), hash);
    hashes_.pop_back();
  }
  hashes_.push_back(hash);
  ++size_;
}

TreeHash TreeEdge::Root() const {
  if (hashes_.empty()) return crypto::Sha256({});
  TreeHash root = hashes_.back();
  for (auto it = hashes_.rbegin() + 1; it != hashes_.rend(); ++it) root = HashOfNode(*it, root);
  return root;
}

void PathFinder::Add(const TreeHash& leaf) {
  const std::uint64_t at = edge_.size();
  if (at >= index_) {
    const std::vector<TreeHash>& subtrees = edge_.hashes();
    std::size_t place = subtrees.size();  // of the new leaf, before it joins any
    if (at == index_) with_leaf_ = place;
    TreeHash joined = leaf;
    for (std::uint64_t bits = at; (bits & 1) != 0; bits >>= 1) {
      --place;
      if (with_leaf_ == place) {
        path_.push_back(joined);
      } else if (with_leaf_ == place + 1) {
        path_.push_back(subtrees[place]);
        with_leaf_ = place;
      }
      joined = HashOfNode(subtrees[place], joined);
    }
  }
  edge_.Add(leaf);
}

// What stands right of the leaf's subtree is one sibling, together; what stands left of it are the
// next ones.
std::vector<TreeHash> PathFinder::Path() const {
  std::vector<TreeHash> path = path_;
  const std::vector<TreeHash>& subtrees = edge_.hashes();
  if (with_leaf_ + 1 < subtrees.size()) {
    TreeHash right = subtrees.back();
    for (std::size_t i = subtrees.size() - 1; i-- > with_leaf_ + 1;) {
      right = HashOfNode(subtrees[i], right);
    }
    path.push_back(right);
  }
  for (std::size_t i = with_leaf_; i-- > 0;) path.push_back(subtrees[i]);
  return path;
}

std::optional<TreeHash> RootFrom(const TreeHash& leaf, std::uint64_t index, std::uint64_t size,
                                 std::span<const TreeHash> path) {
  if (index >= size) return std::nullopt;
  TreeHash hash = leaf;
  std::uint64_t last = size - 1;
  for (const TreeHash& sibling : path) {
    if (last == 0) return std::nullopt;
    if ((index & 1) != 0 || index == last) {
      hash = HashOfNode(sibling, hash);
      while (index != 0 && (index & 1) == 0) {
        index >>= 1;
        last >>= 1;
      }
    } else {
      hash = HashOfNode(hash, sibling);
    }
    index >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::nullopt;
  return hash;
}

}  // namespace dare::audit
