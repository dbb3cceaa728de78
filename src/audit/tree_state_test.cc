#include "audit/tree_state.h"

#include <gtest/gtest.h>

namespace dare::audit {
namespace {

TEST(AuditTreeState, IsReadAsItWasWritten) {
  TreeState state;
  for (int i = 0; i < 11; ++i) {
    const auto read = DecodeTreeState(EncodeTreeState(state));
    ASSERT_TRUE(read.has_value()) << i;
    EXPECT_EQ(EncodeTreeState(*read), EncodeTreeState(state));
    EXPECT_EQ(read->edge.Root(), state.edge.Root());
    state.edge.Add(HashOfLeaf(std::to_string(i)));
    state.segment = 3;
    state.offset += 100;
    state.last_line = HashOf(std::to_string(i));
  }
}

TEST(AuditTreeState, NothingElseIsRead) {
  TreeState state;
  for (int i = 0; i < 5; ++i) state.edge.Add(HashOfLeaf("x"));
  const std::string good = EncodeTreeState(state);
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_FALSE(DecodeTreeState(good.substr(0, cut)).has_value()) << cut;
  }
  EXPECT_FALSE(DecodeTreeState(good + "x").has_value());
  EXPECT_FALSE(
      DecodeTreeState("dare-audit-tree 1\n-1 1 0\n" + HashBeforeFirst() + "\n").has_value());
}

}  // namespace
}  // namespace dare::audit
