#include "tree/extents.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace dare::tree {
namespace {

std::vector<std::uint64_t> Starts(const std::vector<Extent>& extents) {
  std::vector<std::uint64_t> starts{0};
  for (const Extent& extent : extents) starts.push_back(starts.back() + extent.length);
  return starts;
}

// Calls `piece` with each part of the content from `offset` on: where it lies in the file, where in
// the buffer, how long it is.
template <typename Piece>
Result<void> ForPieces(const std::vector<Extent>& extents, const std::vector<std::uint64_t>& starts,
                       std::uint64_t offset, std::size_t size, Piece piece) {
  auto at = static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), offset) -
                                     starts.begin() - 1);
  for (std::size_t done = 0; done < size && at < extents.size(); ++at) {
    const std::uint64_t inside = offset + done - starts[at];
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(size - done, extents[at].length - inside));
    TRY(piece(extents[at].offset + inside, done, n));
    done += n;
  }
  return {};
}

void MergeSmallHoles(std::vector<Extent>& extents, std::uint64_t hole) {
  std::vector<Extent> merged;
  for (const Extent& extent : extents) {
    if (!merged.empty() && extent.offset - (merged.back().offset + merged.back().length) < hole) {
      merged.back().length = extent.offset + extent.length - merged.back().offset;
    } else {
      merged.push_back(extent);
    }
  }
  extents = std::move(merged);
}

}  // namespace

std::vector<Extent> FindExtents(int fd, std::uint64_t size) {
  std::vector<Extent> extents;
  std::uint64_t hole = 4096;
  const auto end = static_cast<off_t>(size);
  for (off_t at = 0; at < end;) {
    off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // a hole up to the end
    if (data < 0) data = at;                // the file system cannot tell: data
    if (data >= end) break;
    const off_t after = ::lseek(fd, data, SEEK_HOLE);
    at = after <= data ? end : std::min(after, end);
    extents.push_back({static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(at - data)});
    while (extents.size() > kMostExtents) MergeSmallHoles(extents, hole *= 2);
  }
  return extents;
}

ExtentReader::ExtentReader(const envelope::RandomReader& file, const std::vector<Extent>& extents)
    : file_(file), extents_(extents), starts_(Starts(extents)) {}

Result<std::size_t> ExtentReader::ReadAt(std::uint64_t offset, MutableBytes buffer) const {
  std::size_t have = 0;
  const Result<void> read =
      ForPieces(extents_, starts_, offset, buffer.size(),
                [&](std::uint64_t place, std::size_t at, std::size_t n) -> Result<void> {
                  have += TRY(file_.ReadAt(place, buffer.subspan(at, n)));
                  return {};
                });
  if (!read) return read.error();
  return have;
}

ExtentWriter::ExtentWriter(envelope::RandomWriter& file, const std::vector<Extent>& extents)
    : file_(file), extents_(extents), starts_(Starts(extents)) {}

Result<void> ExtentWriter::WriteAt(std::uint64_t offset, ByteView bytes) {
  return ForPieces(extents_, starts_, offset, bytes.size(),
                   [&](std::uint64_t place, std::size_t at, std::size_t n) {
                     return file_.WriteAt(place, bytes.subspan(at, n));
                   });
}

std::uint64_t ExtentSink::ContentBefore(std::uint64_t offset) const {
  std::uint64_t content = 0;
  for (const Extent& extent : extents_) {
    if (offset <= extent.offset) break;
    content += std::min(offset - extent.offset, extent.length);
  }
  return content;
}

Result<void> ExtentSink::Zeroes(std::uint64_t end) {
  static constexpr std::array<std::uint8_t, 64u << 10> kZeroes{};
  while (at_ < end) {
    const std::uint64_t n = std::min<std::uint64_t>(kZeroes.size(), end - at_);
    TRY(out_.Write(ByteView(kZeroes).first(static_cast<std::size_t>(n))));
    at_ += n;
  }
  return {};
}

Result<void> ExtentSink::Write(ByteView bytes) {
  while (!bytes.empty()) {
    const Extent& extent = extents_.at(next_);
    const std::uint64_t after = extent.offset + extent.length;
    if (at_ >= after) {
      ++next_;
      continue;
    }
    TRY(Zeroes(extent.offset));
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), after - at_));
    TRY(out_.Write(bytes.first(n)));
    at_ += n;
    bytes = bytes.subspan(n);
  }
  return {};
}

}  // namespace dare::tree
