#include "audit/merkle.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "base/bytes.h"

namespace dare::audit {
namespace {

std::string Leaf(std::size_t i) { return "entry " + std::to_string(i); }

//= rfc9162 2.1.1
// MTH as it is defined, by recursion: the model that the edge is compared with.
TreeHash Defined(std::size_t begin, std::size_t end) {
  if (begin == end) return crypto::Sha256({});
  if (end - begin == 1) return HashOfLeaf(Leaf(begin));
  const std::size_t split = begin + std::bit_floor(end - begin - 1);
  return HashOfNode(Defined(begin, split), Defined(split, end));
}

//= rfc9162 2.1.3.1
std::vector<TreeHash> DefinedPath(std::size_t index, std::size_t begin, std::size_t end) {
  if (end - begin == 1) return {};
  const std::size_t split = begin + std::bit_floor(end - begin - 1);
  std::vector<TreeHash> path =
      index < split ? DefinedPath(index, begin, split) : DefinedPath(index, split, end);
  path.push_back(index < split ? Defined(split, end) : Defined(begin, split));
  return path;
}

TEST(MerkleTree, TheEmptyTreeIsTheHashOfNothing) {
  EXPECT_EQ(ToHex(TreeEdge().Root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(MerkleTree, LeavesAndNodesAreHashedApart) {
  const std::string zeroes(64, '\0');
  TreeHash zero{};
  EXPECT_NE(HashOfLeaf(zeroes), HashOfNode(zero, zero));
  EXPECT_EQ(ToHex(HashOfLeaf("")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
}

TEST(MerkleTree, GrowsAsDefined) {
  TreeEdge edge;
  for (std::size_t size = 0; size < 130; ++size) {
    EXPECT_EQ(edge.size(), size);
    EXPECT_EQ(edge.Root(), Defined(0, size)) << size;
    const auto again = TreeEdge::From(size, edge.hashes());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->Root(), edge.Root());
    edge.Add(HashOfLeaf(Leaf(size)));
  }
}

TEST(MerkleTree, AnEdgeHasAHashForEachBitOfItsSize) {
  EXPECT_FALSE(TreeEdge::From(3, {TreeHash{}}).has_value());
  EXPECT_FALSE(TreeEdge::From(0, {TreeHash{}}).has_value());
  EXPECT_TRUE(TreeEdge::From(4, {TreeHash{}}).has_value());
}

TEST(MerkleTree, FindsThePathOfEveryLeafInEveryTree) {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t index = 0; index < size; ++index) {
      PathFinder finder(index);
      for (std::size_t i = 0; i < size; ++i) finder.Add(HashOfLeaf(Leaf(i)));
      const std::vector<TreeHash> path = finder.Path();
      EXPECT_EQ(path, DefinedPath(index, 0, size)) << index << " of " << size;
      EXPECT_LE(path.size(), static_cast<std::size_t>(std::bit_width(size - 1)));
      EXPECT_EQ(RootFrom(HashOfLeaf(Leaf(index)), index, size, path), finder.Root());
    }
  }
}

TEST(MerkleTree, APathProvesNothingElse) {
  constexpr std::size_t kSize = 21;
  for (std::size_t index = 0; index < kSize; ++index) {
    PathFinder finder(index);
    for (std::size_t i = 0; i < kSize; ++i) finder.Add(HashOfLeaf(Leaf(i)));
    const TreeHash leaf = HashOfLeaf(Leaf(index)), root = finder.Root();
    std::vector<TreeHash> path = finder.Path();
    EXPECT_NE(RootFrom(HashOfLeaf("another"), index, kSize, path), root);
    for (std::size_t other = 0; other < kSize + 2; ++other) {
      if (other == index) continue;
      EXPECT_NE(RootFrom(leaf, other, kSize, path), root);
    }
    for (TreeHash& hash : path) {
      hash[7] ^= 1;
      EXPECT_NE(RootFrom(leaf, index, kSize, path), root);
      hash[7] ^= 1;
    }
    path.push_back(TreeHash{});
    EXPECT_FALSE(RootFrom(leaf, index, kSize, path).has_value());
    path.resize(path.size() - 2);
    EXPECT_FALSE(RootFrom(leaf, index, kSize, path).has_value());
  }
}

}  // namespace
}  // namespace dare::audit
