#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "envelope/io.h"
#include "tree/entry.h"

namespace dare::tree {

// What a manifest says before its entries.
struct ManifestHeader {
  bool names_encrypted = false;
  std::uint64_t generation = 1;
  std::int64_t created = 0;                // POSIX seconds
  std::array<std::uint8_t, 16> boot_id{};  // of the run that wrote it
  friend bool operator==(const ManifestHeader&, const ManifestHeader&) = default;
};

// And behind them.
struct ManifestTotals {
  std::uint64_t entries = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;     // content of the files, each linked file once
  std::uint64_t messages = 0;  // ever made under the tree's block key
  friend bool operator==(const ManifestTotals&, const ManifestTotals&) = default;
};

// Writes the plaintext of a manifest. Entries come in the order of ComparePaths, the root first.
class ManifestWriter {
 public:
  static Result<ManifestWriter> Begin(envelope::ByteSink& out, const ManifestHeader& header);
  // kTooLarge when the entry exceeds a limit of the format: nothing was written then.
  Result<void> Add(const Entry& entry);
  // A filler record of exactly `bytes` bytes in all, at least kLeastFiller.
  Result<void> Fill(std::size_t bytes);
  Result<void> End(const ManifestTotals& totals);

  static constexpr std::size_t kLeastFiller = 5;

 private:
  explicit ManifestWriter(envelope::ByteSink& out) : out_(&out) {}
  Result<void> Record(ByteView record);
  envelope::ByteSink* out_;
};

// Reads it. Everything a hostile manifest could claim is checked here: names of one safe component,
// strictly ascending paths, folders above each entry, lengths before memory.
class ManifestReader {
 public:
  // kDamaged, one text, for whatever does not follow the format. Borrows `in`.
  static Result<ManifestReader> Begin(envelope::ByteSource& in);
  const ManifestHeader& header() const { return header_; }
  // The next entry with its whole path, or nothing after the last one: then there are totals.
  Result<std::optional<Entry>> Next();
  const ManifestTotals& totals() const { return totals_; }

 private:
  explicit ManifestReader(envelope::ByteSource& in) : in_(&in) {}
  Result<void> Fill(MutableBytes bytes);
  Result<ByteView> Record();
  Result<void> ReadEnd(ByteView record);
  Result<void> Place(DecodedEntry& decoded);

  envelope::ByteSource* in_;
  ManifestHeader header_;
  ManifestTotals totals_;
  std::uint64_t entries_ = 0, files_ = 0;
  bool ended_ = false;
  Bytes record_;
  std::string previous_;
  std::vector<std::string> folders_;  // the open ones, the root first
};

}  // namespace dare::tree
