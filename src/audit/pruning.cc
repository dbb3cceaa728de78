#include "audit/pruning.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "base/file.h"

namespace dare::audit {
namespace {

constexpr std::string_view kOriginPrefix = "dare-audit-pruned/";
constexpr std::size_t kMostFileBytes = 16u << 20;  // of a daily one, for ten years

Error Malformed(const std::string& what) {
  return Error(Code::kMalformed, "not a record of a pruning: " + what);
}

// What follows `name` and a space.
std::optional<std::string_view> ValueOf(std::string_view line, std::string_view name) {
  if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') {
    return std::nullopt;
  }
  return line.substr(name.size() + 1);
}

Result<std::vector<TreeHash>> ParseHashes(std::string_view text) {
  std::vector<TreeHash> hashes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const Bytes bytes = TRY(FromHex(std::string(text.substr(0, end))));
    TreeHash& hash = hashes.emplace_back();
    if (bytes.size() != hash.size()) return Malformed("no hashes of the tree");
    std::copy(bytes.begin(), bytes.end(), hash.begin());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return hashes;
}

Result<std::string> ParseName(std::string_view text) {
  boost::system::error_code failed;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, failed);
  if (failed || !value.is_string()) return Malformed("no name");
  return std::string(value.get_string());
}

}  // namespace

std::string PruningOriginOf(std::string_view node) {
  return std::string(kOriginPrefix) + std::string(node);
}

std::string BodyOf(const Pruning& pruning) {
  std::string body = pruning.origin + "\n" + std::to_string(pruning.edge.size()) + "\n" +
                     ToBase64(pruning.edge.Root()) + "\ntime " +
                     std::string(TimeText(pruning.time)) + "\nlast " + pruning.last_line +
                     "\nfile " + std::to_string(pruning.file) + "\nby " +
                     boost::json::serialize(boost::json::string(pruning.who)) + "\ntree";
  for (const TreeHash& hash : pruning.edge.hashes()) body += " " + ToHex(hash);
  return body + "\n";
}

std::string TextOf(const SignedPruning& pruning) {
  return NoteText(pruning.body, pruning.pruning.origin, pruning.by);
}

Result<SignedPruning> ParsePruning(std::string_view text) {
  if (text.size() > kMostPruningBytes) return Malformed("too long");
  const Result<std::vector<std::string_view>> split = NoteLines(text, kPruningLines);
  if (!split) return Malformed(split.error().message);
  const std::vector<std::string_view>& lines = *split;
  SignedPruning parsed;
  Pruning& pruning = parsed.pruning;
  pruning.origin = lines[0];
  const auto size = ParseNumberLine(lines[1]);
  const auto time = ValueOf(lines[3], "time"), last = ValueOf(lines[4], "last"),
             file = ValueOf(lines[5], "file"), who = ValueOf(lines[6], "by"),
             tree = ValueOf(lines[7], "tree");
  if (!pruning.origin.starts_with(kOriginPrefix) || !size || !time || !last || !file || !who ||
      !tree) {
    return Malformed("other lines");
  }
  auto edge = TreeEdge::From(*size, TRY(ParseHashes(*tree)));
  if (*size == 0 || !edge) return Malformed("no tree");
  pruning.edge = *std::move(edge);
  pruning.time = TRY(ParseTime(std::string(*time)));
  pruning.last_line = *last;
  if (TRY(FromHex(pruning.last_line)).size() != sizeof(TreeHash)) return Malformed("no last line");
  const auto number = ParseNumberLine(*file);
  if (!number || *number < 2) return Malformed("no file");
  pruning.file = *number;
  pruning.who = TRY(ParseName(*who));
  Result<NoteSignature> by = ParseSignatureLine(lines[9], pruning.origin);
  if (!lines[8].empty() || !by) return Malformed("no signature");
  parsed.by = *std::move(by);
  // One text for one pruning; that the tree's hash is the one of its parts is in this, too.
  parsed.body = BodyOf(pruning);
  if (TextOf(parsed) != text) return Malformed("not written as we write it");
  return parsed;
}

Result<std::vector<SignedPruning>> ReadPrunings(const std::string& path) {
  std::vector<SignedPruning> prunings;
  if (!FileExists(path)) return prunings;
  const Bytes bytes = TRY(ReadFile(path, kMostFileBytes));
  std::string_view rest = AsText(bytes);
  while (!rest.empty()) {
    std::size_t end = 0;
    for (std::size_t line = 0; line < kPruningLines && end < rest.size(); ++line) {
      end = std::min(rest.find('\n', end), rest.size() - 1) + 1;
    }
    Result<SignedPruning> one = ParsePruning(rest.substr(0, end));
    if (!one) return one.error().In(path);
    if (!prunings.empty()) {
      const Pruning& before = prunings.back().pruning;
      const Pruning& now = one->pruning;
      if (now.origin != before.origin || now.edge.size() <= before.edge.size() ||
          now.file <= before.file) {
        return Error(Code::kMalformed, path + ": its records do not follow each other");
      }
    }
    prunings.push_back(*std::move(one));
    rest.remove_prefix(end);
  }
  return prunings;
}

TreeState StateAfter(const Pruning& pruning) {
  TreeState state;
  state.edge = pruning.edge;
  state.segment = pruning.file;
  state.last_line = pruning.last_line;
  return state;
}

Result<TreeState> FirstState(const std::string& folder) {
  const std::vector<SignedPruning> prunings = TRY(ReadPrunings(folder + "/" + kPruningFile));
  return prunings.empty() ? TreeState() : StateAfter(prunings.back().pruning);
}

}  // namespace dare::audit
