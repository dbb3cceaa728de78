#include "tree_report.h"

#include <boost/json.hpp>
#include <cstdio>
#include <iostream>

#include "event_object.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

std::string NameOf(const std::string& path) { return path.empty() ? "." : Printable(path); }

const char* KindText(tree::EntryKind kind) {
  switch (kind) {
    case tree::EntryKind::kFolder:
      return "folder";
    case tree::EntryKind::kLink:
      return "link";
    case tree::EntryKind::kFifo:
      return "fifo";
    case tree::EntryKind::kCharDevice:
    case tree::EntryKind::kBlockDevice:
      return "device";
    default:
      return "file";
  }
}

std::string ModeText(std::uint16_t mode) {
  char text[8];
  (void)std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode));
  return text;
}

}  // namespace

void TreeReport::Listed(const tree::Entry& entry) const {
  const bool folder = entry.kind == tree::EntryKind::kFolder;
  if (!json_) {
    if (!entry.path.empty()) std::cout << Printable(entry.path) << (folder ? "/\n" : "\n");
    return;
  }
  json::object object = EventObject("entry", entry.path);
  object["kind"] = KindText(entry.kind);
  object["mode"] = ModeText(entry.mode);
  object["owner"] = entry.owner;
  object["group"] = entry.group;
  object["modified"] = TimeText(entry.modified.seconds);
  if (entry.kind == tree::EntryKind::kFile) object["size"] = entry.file.size;
  if (entry.kind == tree::EntryKind::kLink) {
    const bool text = IsValidUtf8(AsBytes(entry.target));
    object[text ? "target" : "target_base64"] =
        text ? entry.target : ToBase64(AsBytes(entry.target));
  }
  std::cout << object << "\n";
}

void TreeReport::FinishList(const tree::OpenTreeSummary& s) const {
  if (!json_) return;
  std::cout
      << json::object{{"event", "listed"},    {"tree", tree_},    {"generation", s.generation},
                      {"entries", s.entries}, {"files", s.files}, {"folders", s.folders},
                      {"bytes", s.bytes}}
      << "\n";
}

void TreeReport::Failed(const std::string& path, const Error& error) {
  if (json_) {
    json::object object = EventObject("failed", path);
    object["error"] = error.message;
    object["damaged"] = error.code == Code::kDamaged;
    std::cout << object << "\n";
  }
  std::cerr << "dare: error: " << NameOf(path) << ": " << error.message << "\n";
}

void TreeReport::Skipped(const std::string& path, const std::string& why) {
  if (json_) {
    json::object object = EventObject("skipped", path);
    object["why"] = why;
    std::cout << object << "\n";
  } else {
    std::cout << "skipped " << NameOf(path) << ": " << why << "\n";
  }
}

Result<void> TreeReport::Finish(const tree::SealTreeSummary& s) const {
  if (json_) {
    std::cout
        << json::object{{"event", "sealed"},    {"tree", tree_},       {"generation", s.generation},
                        {"entries", s.entries}, {"files", s.files},    {"folders", s.folders},
                        {"bytes", s.bytes},     {"sealed", s.sealed},  {"unchanged", s.unchanged},
                        {"removed", s.removed}, {"kept", s.kept},      {"failed", s.failed},
                        {"skipped", s.skipped}, {"resumed", s.resumed}}
        << "\n";
  } else {
    std::cout << tree_ << ": generation " << s.generation << ", " << s.entries << " entries, "
              << s.files << " files, " << s.folders << " folders, " << SizeText(s.bytes) << "\n"
              << "  " << s.sealed << " sealed, " << s.unchanged << " unchanged, " << s.removed
              << " removed, " << s.kept << " kept from before, " << s.failed << " failed, "
              << s.skipped << " skipped\n";
  }
  if (s.failed == 0) return {};
  return Error(Code::kIo, std::to_string(s.failed) + " could not be sealed; the rest is, in " +
                              tree_ + " of generation " + std::to_string(s.generation));
}

Result<void> TreeReport::Finish(const tree::OpenTreeSummary& s, bool verified) const {
  if (json_) {
    std::cout << json::object{{"event", verified ? "verified" : "opened"},
                              {"tree", tree_},
                              {"generation", s.generation},
                              {"entries", s.entries},
                              {"files", s.files},
                              {"folders", s.folders},
                              {"bytes", s.bytes},
                              {"there", s.there},
                              {"damaged", s.damaged},
                              {"failed", s.failed},
                              {"skipped", s.skipped}}
              << "\n";
  } else {
    std::cout << tree_ << ": generation " << s.generation << ", " << s.entries << " entries, "
              << s.files << " files, " << s.folders << " folders, " << SizeText(s.bytes)
              << (verified ? " verified\n" : " opened\n") << "  ";
    if (s.there != 0) std::cout << s.there << " were there, ";
    std::cout << s.damaged << " damaged, " << s.failed << " failed, " << s.skipped << " skipped\n";
  }
  if (s.damaged != 0) {
    return Error(Code::kDamaged,
                 tree_ + ": " + std::to_string(s.damaged) + " damaged; the others are good");
  }
  if (s.failed == 0) return {};
  return Error(Code::kIo, tree_ + ": " + std::to_string(s.failed) +
                              (verified ? " could not be read" : " could not be opened"));
}

}  // namespace dare::cli
