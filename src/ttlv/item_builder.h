#pragma once

#include <string_view>
#include <vector>

#include "ttlv/limits.h"
#include "ttlv/type.h"
#include "ttlv/vocabulary.h"
#include "ttlv/writer.h"

namespace dare::ttlv {

// An ItemBuilder makes TTLV of what a parser of another encoding tells it, item by item, within
// limits that are checked before anything is set aside. It knows what stands around an item, and so
// under which field the names of its value are listed. After an error it is of no use
// but for Begun().
// One thread; the vocabulary outlives it.
class ItemBuilder {
 public:
  ItemBuilder(const Vocabulary& vocabulary, const Limits& limits)
      : vocabulary_(vocabulary), limits_(limits) {}

  // A structure begins. In JSON its tag may come behind its members: Begin() it with tag 0 then.
  Result<void> Begin(kmip::Tag tag);
  // The innermost structure ends, and its tag is (and was, where it was given) `tag`.
  Result<void> End(kmip::Tag tag);
  // An item of any type but Structure, its value as text.
  Result<void> Add(kmip::Tag tag, Type type, std::string_view text);

  std::size_t depth() const { return open_.size(); }
  // The one item that was built; kMalformed when there is none or it has not ended.
  Result<WipingBytes> Finish();
  // What was built before an error, its structures ended where they were. Not more than a hint:
  // a structure that was begun with tag 0 still has it.
  WipingBytes Begun();

 private:
  struct Open {
    Writer::Mark mark;
    bool empty = true;
    kmip::Tag named{};  // the field that its first member named
  };
  // Counts one more item of `value_bytes` bytes in its value.
  Result<void> Admit(std::size_t value_bytes);
  Result<void> AddValue(kmip::Tag tag, Type type, kmip::Tag field, std::string_view text);
  Result<void> AddBytes(kmip::Tag tag, Type type, std::string_view text);

  const Vocabulary& vocabulary_;
  const Limits limits_;
  WipingBytes bytes_;
  Writer out_{bytes_};
  std::vector<Open> open_;
  std::size_t items_ = 0;
};

}  // namespace dare::ttlv
