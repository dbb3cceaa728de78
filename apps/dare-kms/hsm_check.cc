#include <boost/json.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "commands.h"
#include "hsm/token_profile.h"
#include "hsm/token_quirks.h"
#include "hsm/tpm_check.h"
#include "process.h"
#include "server/config.h"
#include "token.h"

namespace dare::kms {
namespace {

namespace json = boost::json;

// What one HSM showed when it was used.
struct CheckedHsm {
  std::string name;
  std::string sealing;  // how it would seal; empty when it cannot
  std::string fit_for;
  std::vector<hsm::TpmFinding> findings;
  std::vector<std::string> quirks;  // what is known of such tokens, and what is done about it
};

// Why a token seals as it would, or cannot.
std::string Reason(const hsm::TokenProfile& profile, std::optional<hsm::SealingMechanism> best) {
  if (!profile.Can(hsm::Ability::kHidesKeys)) return "it shows the values of sensitive keys";
  if (!best) {
    return "neither AES-GCM, nor AES-CBC-PAD with HMAC-SHA-256, nor RSA-OAEP with RSA signatures "
           "works";
  }
  if (*best == hsm::SealingMechanism::kAesGcm) return "the best that there is";
  if (*best == hsm::SealingMechanism::kAesCbcHmac) {
    return "AES-GCM with associated data does not work";
  }
  return "the token knows RSA alone: slow, and better for root keys";
}

Result<CheckedHsm> CheckToken(const server::TokenConfig& config, const std::string& softhsm2_conf) {
  const auto pool = TRY(OpenToken(config, softhsm2_conf));
  const hsm::TokenProfile profile = TRY(hsm::ProfileToken(*pool));
  const hsm::TokenInfo& token = profile.token;
  CheckedHsm checked;
  checked.name = config.name + ": token '" + token.label + "' (" + token.manufacturer + ", " +
                 token.model + ", firmware " + token.firmware + ") in " +
                 pool->module().description();
  for (const hsm::AbilityFound& found : profile.abilities) {
    checked.findings.push_back({std::string(NameOf(found.ability)), found.works, found.detail});
  }
  for (const hsm::QuirkRow& row : hsm::QuirkTable()) {
    if (!Matches(row, token)) continue;
    checked.quirks.push_back(std::string(row.what) + "; " + std::string(row.answer));
  }
  const auto best = hsm::BestMechanism(profile);
  const std::string reason = Reason(profile, best);
  checked.fit_for = "nothing: " + reason;
  if (best && profile.Can(hsm::Ability::kHidesKeys)) {
    checked.sealing = std::string(NameOf(*best)) + " (" + reason + ")";
    checked.fit_for = "master keys, of records and of root keys";
    if (!profile.Can(hsm::Ability::kKeepsKeys)) {
      checked.fit_for += "; but whoever has its PIN can take them out";
    }
  }
  return checked;
}

CheckedHsm CheckTpmAt(const std::string& name, const std::string& tcti) {
  hsm::TpmReport report = hsm::CheckTpm(tcti);
  CheckedHsm checked{.name = name, .sealing = {}, .fit_for = {}, .findings = {}, .quirks = {}};
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
  for (const std::string& quirk : checked.quirks) std::cout << "  known: " << quirk << "\n";
  if (checked.sealing.empty()) {
    std::cout << "  not usable" << (checked.fit_for.empty() ? "" : ", fit for " + checked.fit_for)
              << "\n";
  } else {
    std::cout << "  seals by " << checked.sealing << "\n  fit for " << checked.fit_for << "\n";
  }
}

json::object ToJson(const CheckedHsm& checked) {
  json::array findings;
  for (const hsm::TpmFinding& finding : checked.findings) {
    findings.push_back({{"what", finding.what}, {"works", finding.works}, {"note", finding.note}});
  }
  json::array quirks;
  for (const std::string& quirk : checked.quirks) quirks.emplace_back(quirk);
  return {{"name", checked.name},        {"usable", !checked.sealing.empty()},
          {"sealing", checked.sealing},  {"fit_for", checked.fit_for},
          {"quirks", std::move(quirks)}, {"findings", std::move(findings)}};
}

Result<std::vector<CheckedHsm>> CheckAll(const HsmCheckOptions& options) {
  std::vector<CheckedHsm> all;
  if (!options.tcti.empty()) {
    all.push_back(CheckTpmAt(options.tcti, options.tcti));
    return all;
  }
  if (!options.module.empty()) {
    server::TokenConfig token;
    token.name = "token";
    token.module = options.module;
    token.init_args = options.init_args;
    token.token_label = options.token_label;
    token.token_serial = options.token_serial;
    token.pin = options.pin_file;
    if (token.pin.empty()) {
      return Error(Code::kInvalidArgument, "--module needs --pin-file, with the token's user PIN");
    }
    all.push_back(TRY(CheckToken(token, {})));
    return all;
  }
  const server::Config config = TRY(server::LoadConfig(options.config));
  all.push_back(TRY(CheckToken(config.hsm, config.hsm.softhsm2_conf)));
  for (const server::TokenConfig& token : config.hsm.tokens) {
    all.push_back(token.tpm ? CheckTpmAt(token.name, token.tcti)
                            : TRY(CheckToken(token, config.hsm.softhsm2_conf)));
  }
  return all;
}

}  // namespace

Result<bool> HsmCheck(const HsmCheckOptions& options) {
  TRY(HardenProcess(1u << 16, {}));
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
