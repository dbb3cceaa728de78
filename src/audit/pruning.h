#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/signed_note.h"
#include "audit/tree_state.h"

// A pruning says that the oldest lines of a log were removed on purpose, what they were and who
// did it, signed by the key that signs checkpoints: so whoever has what remains can tell that
// nothing else is missing, and that it continues what was removed. Byte by byte in
// docs/formats/audit.md.
namespace dare::audit {

inline constexpr char kPruningFile[] = "pruned";  // in the log's folder
inline constexpr std::size_t kPruningLines = 10;
inline constexpr std::size_t kMostPruningBytes = 8192;

struct Pruning {
  std::string origin;      // "dare-audit-pruned/NODE"
  TreeEdge edge;           // over all lines that were removed until now
  LineHash last_line;      // the last one's hash
  std::uint64_t file = 1;  // the log begins at the beginning of this file
  std::int64_t time = 0;   // POSIX seconds
  std::string who;         // without control characters
};

std::string PruningOriginOf(std::string_view node);
// What is signed.
std::string BodyOf(const Pruning& pruning);

// As it was read; nothing of it is proven yet.
struct SignedPruning {
  Pruning pruning;
  std::string body;  // its bytes, as they were signed
  NoteSignature by;
};
// kMalformed unless the text is byte for byte as we write it, and its parts agree.
Result<SignedPruning> ParsePruning(std::string_view text);
std::string TextOf(const SignedPruning& pruning);

// All of a file of them, one after the other; none where there is no such file. kMalformed: what is
// not a pruning, or does not go on where the one before it ended.
Result<std::vector<SignedPruning>> ReadPrunings(const std::string& path);
// Where a log begins after it.
TreeState StateAfter(const Pruning& pruning);
// Where the log in a folder begins: its first line, or what follows its newest pruning, which is
// believed. kMalformed.
Result<TreeState> FirstState(const std::string& folder);

}  // namespace dare::audit
