#pragma once

#include <string>
#include <vector>

#include "conformance/tournament.h"

namespace dare::conformance {

// One line: "PASS 1.4/…/X.xml", "FAIL …: request 2 (Encrypt) at …: expected …, got …", and below
// it the quirks that were applied.
std::string LineOf(const CaseResult& result);

// How many passed, failed and were skipped: by version and kind, then by version and family.
std::string SummaryOf(const std::vector<CaseResult>& results);

// "12 passed, 3 failed, 1 skipped".
std::string CountOf(const std::vector<CaseResult>& results);

// All that is known of every case, as JSON; its format is described in dare-kmip-conformance(1).
std::string JsonOf(const std::vector<CaseResult>& results);

}  // namespace dare::conformance
