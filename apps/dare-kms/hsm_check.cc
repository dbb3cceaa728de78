#include <boost/json.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "commands.h"
#include "hsm/tpm_check.h"
#include "process.h"
#include "server/config.h"

namespace dare::kms {
namespace {

namespace json = boost::json;

// What one HSM showed when it was used.
struct CheckedHsm {
  std::string name;
  std::string sealing;  // how it would seal; empty when it cannot
  std::string fit_for;
  std::vector<hsm::TpmFinding> findings;
};

CheckedHsm CheckTpmAt(const std::string& name, const std::string& tcti) {
  hsm::TpmReport report = hsm::CheckTpm(tcti);
  CheckedHsm checked{.name = name, .sealing = {}, .fit_for = {}, .findings = {}};
  if (report.usable()) {
    checked.sealing = "TPM 2.0 sealed object";
    checked.fit_for = "root keys (sealing = \"root\"); a TPM is too slow to seal records";
  }
  checked.findings = std::move(report.findings);
  return checked;
}

void Print(const CheckedHsm& checked) {
  std::cout << checked.name << "\n";
  for (const hsm::TpmFinding& finding : checked.findings) {
    std::cout << (finding.works ? "  yes  " : "  NO   ") << finding.what;
    if (!finding.note.empty()) std::cout << ": " << finding.note;
    std::cout << "\n";
  }
  if (checked.sealing.empty()) {
    std::cout << "  not usable\n";
  } else {
    std::cout << "  seals by " << checked.sealing << "\n  fit for " << checked.fit_for << "\n";
  }
}

json::object ToJson(const CheckedHsm& checked) {
  json::array findings;
  for (const hsm::TpmFinding& finding : checked.findings) {
    findings.push_back({{"what", finding.what}, {"works", finding.works}, {"note", finding.note}});
  }
  return {{"name", checked.name},
          {"usable", !checked.sealing.empty()},
          {"sealing", checked.sealing},
          {"findings", std::move(findings)}};
}

Result<std::vector<CheckedHsm>> CheckAll(const HsmCheckOptions& options) {
  std::vector<CheckedHsm> all;
  if (!options.tcti.empty()) {
    all.push_back(CheckTpmAt(options.tcti, options.tcti));
    return all;
  }
  const server::Config config = TRY(server::LoadConfig(options.config));
  for (const server::TokenConfig& token : config.hsm.tokens) {
    if (token.tpm) all.push_back(CheckTpmAt(token.name, token.tcti));
  }
  if (all.empty()) {
    return Error(Code::kInvalidArgument, options.config + " has no TPM; give --tcti");
  }
  return all;
}

}  // namespace

Result<bool> HsmCheck(const HsmCheckOptions& options) {
  TRY(HardenProcess(1u << 16));
  const std::vector<CheckedHsm> all = TRY(CheckAll(options));
  bool usable = true;
  json::array as_json;
  for (const CheckedHsm& checked : all) {
    usable = usable && !checked.sealing.empty();
    if (options.as_json) {
      as_json.push_back(ToJson(checked));
    } else {
      Print(checked);
    }
  }
  if (options.as_json) std::cout << as_json << "\n";
  return usable;
}

}  // namespace dare::kms
