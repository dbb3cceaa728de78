#pragma once

#include <optional>
#include <string>

#include "conformance/bindings.h"
#include "conformance/case_file.h"
#include "conformance/peer.h"
#include "conformance/variations.h"

namespace dare::conformance {

// How a case ended.
enum class Verdict : std::uint8_t { kPassed, kFailed, kSkipped };
std::string_view VerdictName(Verdict verdict);  // "PASS", …

struct Outcome {
  Verdict verdict = Verdict::kPassed;
  std::string text;  // the first difference, or why it was not played
  Variations used;   // the rules that let a difference pass
  Bindings bindings{0};
};

struct PlayOptions {
  bool versions_may_be_mixed = false;  // of quirks.csv
  // Repeated requests ([REPEAT]) are sent again this often, for so long.
  int repeat_seconds = 30;
  int repeat_pause_ms = 200;
};

// Plays the conversation, one connection for each client of the case, until the first difference.
// `before` are the bindings of the case of the same chain that was played before; null for none.
// `now` is the POSIX second of its beginning.
Outcome Play(const CaseFile& file, const Connect& connect, const Bindings* before, std::int64_t now,
             const PlayOptions& options);

}  // namespace dare::conformance
