#include <iostream>
#include <utility>

#include "base/file.h"
#include "commands.h"
#include "engine/guarded_facts.h"
#include "engine/running_sum.h"
#include "integrity/audit_check.h"
#include "integrity/store_check.h"
#include "interruption.h"
#include "process.h"
#include "progress.h"
#include "server/config.h"
#include "whole_store.h"

namespace dare::kms {
namespace {

constexpr std::size_t kMostPrinted = 1000;

std::string Quoted(const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

struct Report {
  integrity::StoreTotals store;
  integrity::AuditTotals audit;
  bool deep = false;
};

void PrintJson(const Report& report, const integrity::Findings& findings) {
  std::cout << "{\"whole\":" << (findings.count() == 0 ? "true" : "false")
            << ",\"rows\":" << report.store.rows
            << ",\"expected_rows\":" << report.store.expected_rows
            << ",\"entries\":" << report.store.entries << ",\"facts\":" << report.store.facts
            << ",\"unchecked_facts\":" << report.store.unchecked_facts
            << ",\"opened\":" << report.store.opened << ",\"audit_logs\":" << report.audit.logs
            << ",\"audit_entries\":" << report.audit.entries
            << ",\"audit_claims\":" << report.audit.claims << ",\"findings\":" << findings.count()
            << ",\"found\":[";
  bool first = true;
  for (const integrity::Finding& finding : findings.Kept()) {
    std::cout << (std::exchange(first, false) ? "" : ",") << "{\"kind\":\""
              << integrity::KindName(finding.kind) << "\",\"object\":" << Quoted(finding.object)
              << ",\"what\":" << Quoted(finding.what) << "}";
  }
  std::cout << "]}" << std::endl;
}

void PrintText(const Report& report, const integrity::Findings& findings) {
  std::size_t printed = 0;
  for (const integrity::Finding& finding : findings.Kept()) {
    if (++printed > kMostPrinted) break;
    std::cout << integrity::KindName(finding.kind);
    if (!finding.object.empty()) std::cout << " " << finding.object;
    std::cout << ": " << finding.what << "\n";
  }
  if (findings.count() > kMostPrinted) {
    std::cout << "… and " << findings.count() - kMostPrinted << " more (--json prints 10,000)\n";
  }
  std::cout << report.store.rows << " rows";
  if (report.store.has_base) std::cout << " of " << report.store.expected_rows;
  std::cout << ", " << report.store.entries << " index entries, " << report.store.facts << " facts";
  if (report.store.unchecked_facts != 0) {
    std::cout << " (" << report.store.unchecked_facts << " of them checked by who uses them)";
  }
  if (report.deep) std::cout << ", " << report.store.opened << " materials opened";
  if (report.audit.logs != 0) {
    std::cout << ", " << report.audit.entries << " audit entries with " << report.audit.claims
              << " changes";
  }
  std::cout << ": " << (findings.count() == 0 ? "whole" : "damaged") << std::endl;
}

// The same for a table of facts. A sum that is gone begins behind every group there may have been.
Result<void> AdoptTables(const engine::Vault& vault, store::Transaction& transaction,
                         const integrity::StoreTotals& totals) {
  constexpr std::uint64_t kBehindAll = std::uint64_t{1} << 48;
  for (const auto& [name, table] : totals.tables) {
    if (table.counted.Agrees(table.expected)) continue;
    engine::RunningSum sum = table.counted.sum();
    sum.group = table.expected.group == 0 ? kBehindAll : table.expected.group;
    const std::string key = engine::TableSumKey(name);
    const Bytes row = TRY(engine::EncodeSum(vault, key, sum));
    TRY(transaction.PutMeta(key, row));
    std::cout << "adopted: the table '" << name << "' as it is; restart every server of the store"
              << std::endl;
  }
  return {};
}

// What is there now becomes what is expected. What the nodes have changed since they began counting
// is in their sums already, and goes on to be.
Result<void> Adopt(const server::Config& config, const integrity::StoreTotals& totals) {
  const KeyStation whole = TRY(OpenWhole(config, StoreUse::kJoin));
  engine::RunningSum base;
  if (const auto row = whole.store->GetMeta(engine::kSumBaseKey)) {
    if (const auto old = engine::DecodeSum(*whole.vault, engine::kSumBaseKey, *row)) base = *old;
  }
  ++base.group;
  base.sum += totals.sum;
  base.sum -= totals.expected_sum;
  base.records += static_cast<std::int64_t>(totals.rows) - totals.expected_rows;
  const Bytes row = TRY(engine::EncodeSum(*whole.vault, engine::kSumBaseKey, base));
  auto transaction = TRY(whole.store->Begin());
  TRY(transaction->PutMeta(engine::kSumBaseKey, row));
  TRY(AdoptTables(*whole.vault, *transaction, totals));
  TRY(transaction->Commit());
  std::cout << "adopted: " << totals.rows << " rows are what is expected from now on" << std::endl;
  return {};
}

Result<std::vector<integrity::AuditFolder>> AuditFolders(const VerifyOptions& options,
                                                         const server::Config& config) {
  std::vector<std::string> paths = options.audit;
  if (paths.empty() && FileExists(config.audit_folder + "/audit-000001.jsonl")) {
    paths.push_back(config.audit_folder);
  }
  std::vector<integrity::AuditFolder> folders;
  if (options.without_audit) return folders;
  for (const std::string& path : paths) folders.push_back(TRY(integrity::MarkAuditFolder(path)));
  return folders;
}

}  // namespace

Result<void> Verify(const VerifyOptions& options) {
  const std::atomic<bool>& interruption = Interruption();
  const server::Config config = TRY(server::LoadConfig(options.config));
  TRY(HardenProcess(config.secure_heap_bytes, config.crypto_policy));
  const KeyStation whole = TRY(OpenWhole(config, StoreUse::kRead));
  // The logs first: what they say by now is in the picture that is taken next.
  const std::vector<integrity::AuditFolder> folders = TRY(AuditFolders(options, config));
  const auto snapshot = TRY(whole.store->Snapshot());
  integrity::Findings findings;
  Report report;
  report.deep = options.deep;
  {
    Progress progress("checking");
    integrity::StoreCheckOptions check;
    check.threads = options.threads;
    check.deep = options.deep;
    check.cancelled = &interruption;
    check.progress = [&](std::uint64_t done, std::uint64_t total) { progress.Show(done, total); };
    report.store = TRY(integrity::CheckStore(*snapshot, *whole.vault, check, findings));
  }
  if (!folders.empty()) {
    report.audit = TRY(integrity::CheckAgainstAudit(*snapshot, folders, report.store.groups,
                                                    &interruption, findings));
  }
  options.json ? PrintJson(report, findings) : PrintText(report, findings);
  if (options.adopt && findings.count() == findings.count(integrity::Kind::kSum)) {
    return Adopt(config, report.store);
  }
  if (findings.count() == 0) return {};
  return Error(Code::kDamaged, "the store of " + config.file + " is not whole: " +
                                   std::to_string(findings.count()) + " findings");
}

}  // namespace dare::kms
