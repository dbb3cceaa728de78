#include "store/index_codec.h"

namespace dare::store {
namespace {

constexpr std::size_t kFixed = 4 + 1 + 2 + 2;  // tag, flags, two lengths
constexpr std::uint8_t kUniqueFlag = 1;

Error Broken() { return Error(Code::kDamaged, "the index entries of a stored object are broken"); }

}  // namespace

Bytes EncodeIndex(const std::vector<IndexEntry>& entries) {
  std::size_t size = 0;
  for (const IndexEntry& entry : entries) size += kFixed + entry.key.size() + entry.scope.size();
  Bytes out;
  out.reserve(size);
  for (const IndexEntry& entry : entries) {
    std::uint8_t fixed[kFixed];
    PutU32(fixed, entry.tag);
    fixed[4] = entry.unique ? kUniqueFlag : 0;
    PutU16(fixed + 5, static_cast<std::uint16_t>(entry.key.size()));
    PutU16(fixed + 7, static_cast<std::uint16_t>(entry.scope.size()));
    Append(out, fixed);
    Append(out, AsBytes(entry.key));
    Append(out, AsBytes(entry.scope));
  }
  return out;
}

Result<std::vector<IndexEntry>> DecodeIndex(ByteView bytes) {
  std::vector<IndexEntry> entries;
  while (!bytes.empty()) {
    if (bytes.size() < kFixed || bytes[4] > kUniqueFlag) return Broken();
    const std::size_t key_size = GetU16(bytes.data() + 5);
    const std::size_t scope_size = GetU16(bytes.data() + 7);
    IndexEntry entry{.tag = GetU32(bytes.data()), .unique = bytes[4] == kUniqueFlag};
    bytes = bytes.subspan(kFixed);
    if (key_size > kMaxIndexKey || scope_size > kMaxIndexKey ||
        bytes.size() < key_size + scope_size) {
      return Broken();
    }
    entry.key = AsText(bytes.first(key_size));
    entry.scope = AsText(bytes.subspan(key_size, scope_size));
    bytes = bytes.subspan(key_size + scope_size);
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace dare::store
