#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/digest.h"

// The Merkle tree over the log's lines: RFC 9162, section 2.1, with SHA-256. A leaf is a line
// without its newline, its index is its sequence number less one.
namespace dare::audit {

using TreeHash = crypto::Sha256Digest;

// SHA-256 over 0x00 and the line.
TreeHash HashOfLeaf(std::string_view line);
// SHA-256 over 0x01 and both.
TreeHash HashOfNode(const TreeHash& left, const TreeHash& right);

// The right edge of a tree: the roots of its largest whole subtrees, from left to right, one for
// each bit of its size. All that is needed to let it grow.
class TreeEdge {
 public:
  TreeEdge() = default;
  // Nothing where there is not one hash for each bit of the size.
  static std::optional<TreeEdge> From(std::uint64_t size, std::vector<TreeHash> hashes);

  void Add(const TreeHash& leaf);
  std::uint64_t size() const { return size_; }
  const std::vector<TreeHash>& hashes() const { return hashes_; }
  // The tree's hash; SHA-256 of nothing for the empty one.
  TreeHash Root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<TreeHash> hashes_;
};

// Finds one leaf's audit path while the leaves go by, from the first to the last.
class PathFinder {
 public:
  // With the edge of the leaves before it that are not at hand. Requires: the leaf is not one.
  explicit PathFinder(std::uint64_t index, TreeEdge before = {})
      : index_(index), edge_(std::move(before)) {}
  void Add(const TreeHash& leaf);
  // The siblings from the leaf up to the root of what was added. Requires: the leaf was.
  std::vector<TreeHash> Path() const;
  TreeHash Root() const { return edge_.Root(); }
  std::uint64_t size() const { return edge_.size(); }

 private:
  const std::uint64_t index_;
  TreeEdge edge_;
  std::vector<TreeHash> path_;  // as far as the subtree that has the leaf is whole
  std::size_t with_leaf_ = 0;   // where that subtree stands in the edge
};

// What the tree's hash must be if `leaf` is at `index` of `size` leaves and `path` is right (RFC
// 9162, 2.1.3.2). Nothing where a path to there has another length.
std::optional<TreeHash> RootFrom(const TreeHash& leaf, std::uint64_t index, std::uint64_t size,
                                 std::span<const TreeHash> path);

}  // namespace dare::audit
