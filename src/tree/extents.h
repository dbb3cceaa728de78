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

// The bytes `begin` … `end` of a file in order, holes as zeroes, made of the content that they
// need.
class ExtentSink final : public envelope::ByteSink {
 public:
  ExtentSink(envelope::ByteSink& out, const std::vector<Extent>& extents, std::uint64_t begin,
             std::uint64_t end)
      : out_(out), extents_(extents), begin_(begin), end_(end), at_(begin) {}
  // Where that content begins, and how much it is: what is to be written.
  std::uint64_t content_offset() const { return ContentBefore(begin_); }
  std::uint64_t content_size() const { return ContentBefore(end_) - ContentBefore(begin_); }
  Result<void> Write(ByteView bytes) override;
  // The hole at the end.
  Result<void> Finish() { return Zeroes(end_); }

 private:
  std::uint64_t ContentBefore(std::uint64_t offset) const;
  Result<void> Zeroes(std::uint64_t end);

  envelope::ByteSink& out_;
  const std::vector<Extent>& extents_;
  const std::uint64_t begin_, end_;
  std::uint64_t at_;  // in the file
  std::size_t next_ = 0;
};

}  // namespace dare::tree
