#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace dare::tree {

// Limits of the format, checked before memory is taken.
inline constexpr std::size_t kMostPathBytes = 4000;
inline constexpr std::size_t kMostNameBytes = 255;
inline constexpr std::size_t kMostRecordBytes = 1u << 20;
inline constexpr std::size_t kMostExtents = 32'768;
inline constexpr std::size_t kMostAttributeBytes = 256u << 10;  // names and values of one entry

enum class EntryKind : std::uint8_t {
  kFiller = 0,  // no entry: fills a frame of the manifest
  kFile = 1,
  kFolder = 2,
  kLink = 3,  // symbolic
  kFifo = 4,
  kCharDevice = 5,
  kBlockDevice = 6,
  kEnd = 0xFF,  // no entry: the totals
};

struct Time {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  friend bool operator==(const Time&, const Time&) = default;
};

// A piece of a file that is data; what lies between pieces is a hole.
struct Extent {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

struct ExtendedAttribute {
  std::string name;
  Bytes value;
  friend bool operator==(const ExtendedAttribute&, const ExtendedAttribute&) = default;
};

using MessageId = std::array<std::uint8_t, 32>;
using Tag = std::array<std::uint8_t, 16>;

// Which message holds the content of a file, exactly, and of which state of the file it is.
struct FileData {
  std::uint64_t size = 0;         // of the file
  std::uint64_t sealed_size = 0;  // of the message
  MessageId message_id{};
  Tag header_tag{};
  Tag final_tag{};  // of the final frame
  std::uint64_t inode = 0;
  Time changed;         // ctime of the source; zero: do not rely on it
  bool linked = false;  // other entries with the same message id are the same file
  bool sparse = false;  // the message holds the extents, joined
  std::vector<Extent> extents;

  // How many bytes of plaintext the message has.
  std::uint64_t content_size() const;
  friend bool operator==(const FileData&, const FileData&) = default;
};

// One entry of a tree. A plain value. `path` is relative to the tree, "" for its root.
struct Entry {
  EntryKind kind = EntryKind::kFile;
  std::string path;
  std::uint16_t mode = 0;  // 07777
  std::uint32_t owner = 0, group = 0;
  Time modified;
  std::vector<ExtendedAttribute> attributes;
  FileData file;                       // of a file
  std::string target;                  // of a link
  std::uint32_t major = 0, minor = 0;  // of a device
  friend bool operator==(const Entry&, const Entry&) = default;
};

// The order of a manifest: by components, bytewise; a folder right before what is in it.
std::strong_ordering ComparePaths(std::string_view a, std::string_view b);
// A single component that is safe to create: not empty, not "." or "..", no slash, no NUL.
bool IsSafeName(std::string_view name);

// How many components; 0 for the root.
std::size_t DepthOf(std::string_view path);

// The record of an entry without its length (docs/formats/sealed-tree.md). kTooLarge above a limit.
Result<Bytes> EncodeEntry(const Entry& entry);
// Gives depth and, as `path`, the name alone: whoever reads a manifest knows the folders above.
struct DecodedEntry {
  Entry entry;
  std::size_t depth = 0;
};
// kDamaged for whatever does not follow the format.
Result<DecodedEntry> DecodeEntry(ByteView record);

}  // namespace dare::tree
