#pragma once

#include <array>
#include <cstddef>

#include "base/check.h"
#include "ttlv/limits.h"
#include "ttlv/reader.h"
#include "ttlv/vocabulary.h"

namespace dare::ttlv {

// Visits every item of `bytes`, one validated item, in order, without recursion:
//   visitor.Begin(item, first)         a structure; `first`: of its parent's members
//   visitor.End(item)                  the same, behind its members
//   visitor.Value(item, field, first)  any other; `field` is where its value's names are listed
// Each gives a Result<void>; the first error ends the walk.
template <typename Visitor>
Result<void> WalkItems(ByteView bytes, const Vocabulary& vocabulary, Visitor& visitor) {
  struct Open {
    Item item;
    Reader members = Reader::Members({});
    bool empty = true;
    kmip::Tag named{};
  };
  std::array<Open, kDeepestNesting + 1> open;
  std::size_t depth = 0;
  open[0].members = Reader::Members(bytes);
  for (;;) {
    Open& parent = open[depth];
    if (parent.members.AtEnd()) {
      if (depth == 0) return {};
      TRY(visitor.End(parent.item));
      --depth;
      continue;
    }
    const Item item = TRY(parent.members.Next());
    const bool first = parent.empty;
    parent.empty = false;
    if (item.type == Type::kStructure) {
      TRY(visitor.Begin(item, first));
      CHECK(depth < kDeepestNesting);  // Validate sees to it
      open[++depth] = {item, TRY(item.Members())};
      continue;
    }
    TRY(visitor.Value(item, vocabulary.FieldOf(item.tag, parent.named), first));
    if (first && depth != 0 && item.type == Type::kTextString) {
      parent.named = vocabulary.NamedField(item.tag, TRY(item.AsText()));
    }
  }
}

}  // namespace dare::ttlv
