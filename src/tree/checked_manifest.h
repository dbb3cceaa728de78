#pragma once

#include <map>
#include <optional>
#include <string>

#include "tree/manifest_file.h"
#include "tree/sealed_folder.h"

namespace dare::tree {

// A manifest that was read to its end and found good, and which of its entries are wanted: all, or
// one with what is in it. Keeps no entry but those of linked files; for the others it is read
// again, and is the same one then.
class CheckedManifest {
 public:
  struct Counts {
    std::uint64_t entries = 0, files = 0, folders = 0;
    std::uint64_t bytes = 0;       // content, each linked file once
    std::uint64_t hard_links = 0;  // further names of linked files
  };

  // `only` is the path of the wanted entry, "" for all. kDamaged, "<path>: not a sealed tree or
  // damaged", when anything of it is not authentic, and when it is older than
  // `at_least_generation`; kNotFound when there is no such entry. Borrows the folder.
  static Result<CheckedManifest> Read(const SealedFolder& folder, std::string only,
                                      std::uint64_t at_least_generation);

  const ManifestHeader& header() const { return header_; }
  const Counts& wanted() const { return wanted_; }
  // The wanted entry itself, or the root.
  const Entry& top() const { return top_; }

  // The wanted entries in their order, the top first.
  class Reading {
   public:
    Result<std::optional<Entry>> Next();

   private:
    friend class CheckedManifest;
    Reading(ManifestInput input, const CheckedManifest& manifest)
        : input_(std::move(input)), manifest_(manifest) {}
    ManifestInput input_;
    const CheckedManifest& manifest_;
  };
  Result<Reading> Again() const;

  // The wanted path of a linked file that comes first.
  const std::string& FirstNameOf(const Entry& linked) const;

 private:
  explicit CheckedManifest(const SealedFolder& folder) : folder_(&folder) {}
  Result<ManifestInput> Begin() const;
  bool Wants(const std::string& path) const;
  Result<void> Take(Entry entry);
  Result<void> TakeFile(const Entry& entry, bool wanted);

  const SealedFolder* folder_;
  std::string only_;
  Bytes message_id_;  // of the one that was read first
  ManifestHeader header_;
  Counts wanted_;
  Entry top_;
  bool has_top_ = false;
  std::uint64_t all_bytes_ = 0;
  std::map<MessageId, Entry> linked_;  // the first entry of each linked file, a wanted one if any
};

}  // namespace dare::tree
