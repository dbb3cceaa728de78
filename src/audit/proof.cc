#include "audit/proof.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "audit/log_lines.h"
#include "audit/pruning.h"

namespace dare::audit {
namespace {

namespace json = boost::json;

constexpr std::string_view kFormat = "dare-audit-proof-1";
constexpr std::size_t kMostPath = 64;
constexpr std::size_t kMembers = 5;

Error Malformed(const char* what) {
  return Error(Code::kMalformed, std::string("not a proof: ") + what);
}

Result<std::string> Text(const json::object& object, const char* name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return Malformed(name);
  return std::string(value->get_string().data(), value->get_string().size());
}

}  // namespace

std::string EncodeProof(const Proof& proof) {
  json::array path;
  for (const TreeHash& hash : proof.path) path.emplace_back(ToHex(hash));
  return json::serialize(json::object{{"format", kFormat},
                                      {"index", proof.index},
                                      {"line", proof.line},
                                      {"path", std::move(path)},
                                      {"checkpoint", proof.checkpoint}}) +
         "\n";
}

Result<Proof> DecodeProof(std::string_view text) {
  if (text.size() > kMostProofBytes) return Error(Code::kTooLarge, "too long for a proof");
  json::parse_options options;
  options.max_depth = 2;
  boost::system::error_code failed;
  const json::value value = json::parse({text.data(), text.size()}, failed, {}, options);
  if (failed || !value.is_object()) return Malformed("not JSON");
  const json::object& object = value.get_object();
  if (object.size() != kMembers) return Malformed("its members");
  if (TRY(Text(object, "format")) != kFormat) return Malformed("format");
  Proof proof;
  const json::value* const index = object.if_contains("index");
  if (index == nullptr || !index->is_int64() || index->get_int64() < 0) return Malformed("index");
  proof.index = static_cast<std::uint64_t>(index->get_int64());
  proof.line = TRY(Text(object, "line"));
  if (proof.line.size() > kMostLineBytes) return Malformed("line");
  const json::value* const path = object.if_contains("path");
  if (path == nullptr || !path->is_array() || path->get_array().size() > kMostPath) {
    return Malformed("path");
  }
  for (const json::value& one : path->get_array()) {
    if (!one.is_string()) return Malformed("path");
    const Result<Bytes> hash = FromHex({one.get_string().data(), one.get_string().size()});
    TreeHash& sibling = proof.path.emplace_back();
    if (!hash || hash->size() != sibling.size()) return Malformed("path");
    std::copy(hash->begin(), hash->end(), sibling.begin());
  }
  proof.checkpoint = TRY(Text(object, "checkpoint"));
  if (proof.checkpoint.size() > kMostCheckpointBytes) return Malformed("checkpoint");
  return proof;
}

Result<Proof> MakeProof(const std::string& path, std::uint64_t sequence,
                        const std::string& checkpoint) {
  const SignedCheckpoint parsed = TRY(ParseCheckpoint(checkpoint));
  const std::uint64_t size = parsed.checkpoint.size;
  if (sequence == 0 || sequence > size) {
    return Error(Code::kNotFound, "the checkpoint has entries 1 to " + std::to_string(size));
  }
  Proof proof{.index = sequence - 1, .checkpoint = checkpoint};
  const TreeState start = TRY(FirstState(path));
  if (sequence <= start.edge.size()) {
    return Error(Code::kNotFound, "entries 1 to " + std::to_string(start.edge.size()) +
                                      " were removed: only a proof from before can prove them");
  }
  if (size < start.edge.size()) {
    return Error(Code::kNotFound, "the checkpoint is older than what was removed");
  }
  PathFinder finder(proof.index, start.edge);
  LogLines lines = TRY(LogLines::Open(path, start.segment));
  while (finder.size() < size) {
    const std::optional<std::string_view> line = TRY(lines.Next());
    if (!line) {
      return Error(Code::kDamaged, "the log has only " + std::to_string(finder.size()) +
                                       " entries, and its checkpoint " + std::to_string(size));
    }
    if (finder.size() == proof.index) proof.line = *line;
    finder.Add(HashOfLeaf(*line));
  }
  if (finder.Root() != parsed.checkpoint.root) {
    return Error(Code::kDamaged, "the log is not the one of the checkpoint");
  }
  proof.path = finder.Path();
  return proof;
}

Result<Checkpoint> CheckProof(const Proof& proof, const CheckpointKeys& keys) {
  const SignedCheckpoint parsed = TRY(ParseCheckpoint(proof.checkpoint));
  TRY(keys.Check(parsed));
  const Checkpoint& checkpoint = parsed.checkpoint;
  const std::optional<TreeHash> root =
      RootFrom(HashOfLeaf(proof.line), proof.index, checkpoint.size, proof.path);
  if (!root || *root != checkpoint.root) {
    return Error(Code::kDamaged, "the entry is not in the log that the checkpoint speaks of");
  }
  const LineLink link = TRY(ParseLink(proof.line));
  if (link.sequence != proof.index + 1) {
    return Error(Code::kDamaged, "the entry's number is not its place in the log");
  }
  return checkpoint;
}

}  // namespace dare::audit
