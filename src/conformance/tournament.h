#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "conformance/case_file.h"
#include "conformance/connections.h"
#include "conformance/player.h"
#include "conformance/quirks.h"

namespace dare::conformance {

// What to play, against whom, and how.
struct Plan {
  Access access;
  Encoding encoding = Encoding::kTtlv;
  std::set<kmip::ProtocolVersion> versions;  // cases of others are skipped
  Quirks quirks;
  // Starts a fresh server for each group of cases; empty: `access` names one that runs already.
  std::string server_command;
  bool clean_up = true;  // what cases left behind, where one server runs for all
  int jobs = 1;          // servers at a time
};

struct CaseResult {
  const CaseFile* file = nullptr;
  Encoding encoding = Encoding::kTtlv;
  Verdict verdict = Verdict::kSkipped;
  std::string text;  // the first difference, or why it was not played
  Variations used;
  std::vector<std::string> quirks;  // oddities that were met, each with what was done
  double seconds = 0;
  std::size_t left_behind = 0;  // objects of its chain that could not be destroyed
};

// Plays all cases and gives a result for each, in the order of `cases`. Cases of a chain are played
// one after the other on one server, each knowing what the one before learned. `report` is called
// for each case as it ends, never by two threads at once. `cases` outlive the results.
std::vector<CaseResult> PlayAll(const std::vector<CaseFile>& cases, const Plan& plan,
                                const std::function<void(const CaseResult&)>& report);

}  // namespace dare::conformance
