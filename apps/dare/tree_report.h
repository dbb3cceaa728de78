#pragma once

#include <cstdint>
#include <string>

#include "tree/open_tree.h"
#include "tree/seal_tree.h"

namespace dare::cli {

// Tells what a run over a tree met, as it meets it, and its counts at the end: failures to standard
// error, the rest to standard output; with `json` everything is one JSON object a line on standard
// output, the counts last.
class TreeReport final : public tree::TreeObserver {
 public:
  TreeReport(std::string tree, bool json) : tree_(std::move(tree)), json_(json) {}
  void Failed(const std::string& path, const Error& error) override;
  void Skipped(const std::string& path, const std::string& why) override;

  // Prints the counts and gives what the program ends with: kIo when something failed, kDamaged
  // when something is damaged.
  Result<void> Finish(const tree::SealTreeSummary& summary) const;
  Result<void> Finish(const tree::OpenTreeSummary& summary, bool verified) const;

  // One entry: its path, with a slash behind a folder's; with `json` all that is known of it.
  void Listed(const tree::Entry& entry) const;
  void FinishList(const tree::OpenTreeSummary& summary) const;  // says nothing but with `json`

 private:
  const std::string tree_;
  const bool json_;
};

}  // namespace dare::cli
