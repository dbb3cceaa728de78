#pragma once

#include <vector>

#include "envelope/io.h"
#include "tree/entry.h"

// Sparse files: only what is data is sealed, joined.
namespace dare::tree {

// The data of the file, or nothing when it has no holes. Small holes count as data when there are
// more than kMostExtents pieces.
std::vector<Extent> FindExtents(int fd, std::uint64_t size);

// The extents of a file as one content.
class ExtentReader final : public envelope::RandomReader {
 public:
  ExtentReader(const envelope::RandomReader& file, const std::vector<Extent>& extents);
  std::uint64_t size() const override { return starts_.back(); }
  Result<std::size_t> ReadAt(std::uint64_t offset, MutableBytes buffer) const override;

 private:
  const envelope::RandomReader& file_;
  const std::vector<Extent>& extents_;
  std::vector<std::uint64_t> starts_;  // of each extent in the content, and the end
};

class ExtentWriter final : public envelope::RandomWriter {
 public:
  ExtentWriter(envelope::RandomWriter& file, const std::vector<Extent>& extents);
  Result<void> WriteAt(std::uint64_t offset, ByteView bytes) override;

 private:
  envelope::RandomWriter& file_;
  const std::vector<Extent>& extents_;
  std::vector<std::uint64_t> starts_;
};

}  // namespace dare::tree
