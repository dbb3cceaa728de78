#include "tree/entry.h"

#include <algorithm>

namespace dare::tree {
namespace {

constexpr std::uint8_t kLinked = 1;
constexpr std::uint8_t kSparse = 2;
constexpr std::uint8_t kAttributes = 4;
constexpr std::uint32_t kBillion = 1'000'000'000;

Error Malformed() { return Error(Code::kDamaged, "the manifest does not follow its format"); }

class Writer {
 public:
  void U8(std::uint8_t v) { out_.push_back(v); }
  void U16(std::size_t v) {
    std::uint8_t b[2];
    PutU16(b, static_cast<std::uint16_t>(v));
    Append(out_, b);
  }
  void U32(std::size_t v) {
    std::uint8_t b[4];
    PutU32(b, static_cast<std::uint32_t>(v));
    Append(out_, b);
  }
  void U64(std::uint64_t v) {
    std::uint8_t b[8];
    PutU64(b, v);
    Append(out_, b);
  }
  void When(const Time& time) {
    U64(static_cast<std::uint64_t>(time.seconds));
    U32(time.nanoseconds);
  }
  void Raw(ByteView bytes) { Append(out_, bytes); }
  void Text(std::string_view text) {
    U16(text.size());
    Raw(AsBytes(text));
  }
  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
};

class Taker {
 public:
  explicit Taker(ByteView rest) : rest_(rest) {}
  Result<ByteView> Take(std::size_t n) {
    if (n > rest_.size()) return Malformed();
    const ByteView part = rest_.first(n);
    rest_ = rest_.subspan(n);
    return part;
  }
  Result<std::uint8_t> U8() { return TRY(Take(1))[0]; }
  Result<std::uint16_t> U16() { return GetU16(TRY(Take(2)).data()); }
  Result<std::uint32_t> U32() { return GetU32(TRY(Take(4)).data()); }
  Result<std::uint64_t> U64() { return GetU64(TRY(Take(8)).data()); }
  Result<Time> When() {
    Time time;
    time.seconds = static_cast<std::int64_t>(TRY(U64()));
    time.nanoseconds = TRY(U32());
    if (time.nanoseconds >= kBillion) return Malformed();
    return time;
  }
  Result<std::string> Text() {
    const std::size_t length = TRY(U16());
    return std::string(AsText(TRY(Take(length))));
  }
  template <std::size_t N>
  Result<void> Into(std::array<std::uint8_t, N>& out) {
    const ByteView bytes = TRY(Take(N));
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return {};
  }
  std::size_t left() const { return rest_.size(); }

 private:
  ByteView rest_;
};

void WriteFile(Writer& out, const FileData& file) {
  out.U64(file.size);
  out.U64(file.sealed_size);
  out.Raw(file.message_id);
  out.Raw(file.header_tag);
  out.Raw(file.final_tag);
  out.U64(file.inode);
  out.When(file.changed);
  if (!file.sparse) return;
  out.U32(file.extents.size());
  for (const Extent& extent : file.extents) {
    out.U64(extent.offset);
    out.U64(extent.length);
  }
}

// Ascending, apart, not empty, within the file.
Result<void> ReadExtents(Taker& in, FileData& file) {
  const std::uint32_t count = TRY(in.U32());
  if (count > kMostExtents || std::size_t{count} * 16 > in.left()) return Malformed();
  std::uint64_t end = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    Extent extent;
    extent.offset = TRY(in.U64());
    extent.length = TRY(in.U64());
    const bool fits = extent.offset <= file.size && extent.length <= file.size - extent.offset;
    if (!fits || extent.length == 0 || extent.offset < end) return Malformed();
    end = extent.offset + extent.length;
    file.extents.push_back(extent);
  }
  return {};
}

Result<void> ReadFile(Taker& in, FileData& file) {
  file.size = TRY(in.U64());
  file.sealed_size = TRY(in.U64());
  if (file.size > INT64_MAX || file.sealed_size > INT64_MAX) return Malformed();
  TRY(in.Into(file.message_id));
  TRY(in.Into(file.header_tag));
  TRY(in.Into(file.final_tag));
  file.inode = TRY(in.U64());
  file.changed = TRY(in.When());
  if (file.sparse) return ReadExtents(in, file);
  return {};
}

Result<void> ReadAttributes(Taker& in, std::vector<ExtendedAttribute>& attributes) {
  const std::uint16_t count = TRY(in.U16());
  std::size_t total = 0;
  for (std::uint16_t i = 0; i < count; ++i) {
    ExtendedAttribute attribute;
    attribute.name = TRY(in.Text());
    const std::uint32_t length = TRY(in.U32());
    total += attribute.name.size() + length;
    const bool named = !attribute.name.empty() && attribute.name.size() <= kMostNameBytes &&
                       attribute.name.find('\0') == std::string::npos;
    if (!named || total > kMostAttributeBytes) return Malformed();
    attribute.value = ToBytes(TRY(in.Take(length)));
    attributes.push_back(std::move(attribute));
  }
  return {};
}

Result<void> ReadKind(Taker& in, Entry& entry) {
  switch (entry.kind) {
    case EntryKind::kFile:
      return ReadFile(in, entry.file);
    case EntryKind::kLink:
      entry.target = TRY(in.Text());
      if (entry.target.empty() || entry.target.find('\0') != std::string::npos) return Malformed();
      return {};
    case EntryKind::kCharDevice:
    case EntryKind::kBlockDevice:
      entry.major = TRY(in.U32());
      entry.minor = TRY(in.U32());
      return {};
    case EntryKind::kFolder:
    case EntryKind::kFifo:
      return {};
    case EntryKind::kFiller:
    case EntryKind::kEnd:
      break;
  }
  return Malformed();
}

}  // namespace

std::uint64_t FileData::content_size() const {
  if (!sparse) return size;
  std::uint64_t total = 0;
  for (const Extent& extent : extents) total += extent.length;
  return total;
}

std::strong_ordering ComparePaths(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a[i] == b[i]) continue;
    const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c); };
    return rank(a[i]) <=> rank(b[i]);
  }
  return a.size() <=> b.size();
}

bool IsSafeName(std::string_view name) {
  return !name.empty() && name.size() <= kMostNameBytes && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

std::size_t DepthOf(std::string_view path) {
  if (path.empty()) return 0;
  return 1 + static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

Result<Bytes> EncodeEntry(const Entry& entry) {
  if (entry.path.size() > kMostPathBytes) return Error(Code::kTooLarge, "its path is too long");
  std::size_t total = 0;
  for (const auto& attribute : entry.attributes) {
    total += attribute.name.size() + attribute.value.size();
  }
  if (total > kMostAttributeBytes) {
    return Error(Code::kTooLarge, "its extended attributes are too large");
  }
  Writer out;
  out.U8(static_cast<std::uint8_t>(entry.kind));
  out.U8(static_cast<std::uint8_t>((entry.file.linked ? kLinked : 0) |
                                   (entry.file.sparse ? kSparse : 0) |
                                   (entry.attributes.empty() ? 0 : kAttributes)));
  out.U16(DepthOf(entry.path));
  const std::size_t slash = entry.path.rfind('/');
  out.Text(slash == std::string::npos ? entry.path : entry.path.substr(slash + 1));
  out.U16(entry.mode);
  out.U32(entry.owner);
  out.U32(entry.group);
  out.When(entry.modified);
  if (entry.kind == EntryKind::kFile) WriteFile(out, entry.file);
  if (entry.kind == EntryKind::kLink) out.Text(entry.target);
  if (entry.kind == EntryKind::kCharDevice || entry.kind == EntryKind::kBlockDevice) {
    out.U32(entry.major);
    out.U32(entry.minor);
  }
  if (!entry.attributes.empty()) {
    out.U16(entry.attributes.size());
    for (const auto& attribute : entry.attributes) {
      out.Text(attribute.name);
      out.U32(attribute.value.size());
      out.Raw(attribute.value);
    }
  }
  return out.Take();
}

Result<DecodedEntry> DecodeEntry(ByteView record) {
  Taker in(record);
  DecodedEntry decoded;
  Entry& entry = decoded.entry;
  entry.kind = static_cast<EntryKind>(TRY(in.U8()));
  const std::uint8_t flags = TRY(in.U8());
  const bool file = entry.kind == EntryKind::kFile;
  if ((flags & ~(kAttributes | (file ? kLinked | kSparse : 0))) != 0) return Malformed();
  entry.file.linked = (flags & kLinked) != 0;
  entry.file.sparse = (flags & kSparse) != 0;
  decoded.depth = TRY(in.U16());
  entry.path = TRY(in.Text());
  const bool root = decoded.depth == 0 && entry.path.empty() && entry.kind == EntryKind::kFolder;
  if (!root && (decoded.depth == 0 || !IsSafeName(entry.path))) return Malformed();
  entry.mode = TRY(in.U16());
  if (entry.mode > 07777) return Malformed();
  entry.owner = TRY(in.U32());
  entry.group = TRY(in.U32());
  entry.modified = TRY(in.When());
  TRY(ReadKind(in, entry));
  if ((flags & kAttributes) != 0) TRY(ReadAttributes(in, entry.attributes));
  if (in.left() != 0) return Malformed();
  return decoded;
}

}  // namespace dare::tree
