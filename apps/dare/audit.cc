#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "audit/checkpoint_file.h"
#include "audit/log_check.h"
#include "audit/proof.h"
#include "base/file.h"
#include "progress_bar.h"
#include "session.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

// Options of all verbs.
struct Options {
  std::string log;  // a folder, or one file with all lines
  std::string proof;
  std::uint64_t sequence = 0;
  std::vector<std::string> key_files;
  std::vector<std::string> checkpoint_files;
  std::string pruned_file;
  bool as_json = false;
};

Result<audit::CheckpointKeys> LoadKeys(const Options& options) {
  audit::CheckpointKeys keys;
  for (const std::string& file : options.key_files) {
    const Bytes pem = TRY(ReadFile(file, audit::kMostCheckpointBytes));
    const Result<void> added = keys.AddPem(AsText(pem));
    if (!added) return added.error().In(file);
  }
  return keys;
}

std::uint64_t BytesOf(const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::is_directory(path, failed)) {
    const auto size = std::filesystem::file_size(path, failed);
    return failed ? 0 : size;
  }
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(path, failed)) {
    if (file.path().extension() == ".jsonl") bytes += file.file_size(failed);
  }
  return bytes;
}

void PrintReport(const audit::LogReport& report) {
  if (report.pruned != 0) {
    std::cout << "entries 1 to " << report.pruned << " were removed by "
              << Printable(report.pruned_by) << " on " << audit::TimeText(report.pruned_time)
              << ", as a" << (report.signatures_checked ? "" : "n (unchecked)")
              << " signed record says\n";
  }
  std::cout << report.entries - report.pruned << " entries, each follows the one before\n";
  if (report.covered <= report.pruned) {
    std::cout << "no checkpoint: whether the end was cut off cannot be told\n";
  } else {
    std::cout << "entries " << report.pruned + 1 << " to " << report.covered << " are those of the "
              << (report.signatures_checked ? "signed" : "(unchecked) signed") << " checkpoint of "
              << audit::TimeText(report.covered_time) << "\n";
    if (report.entries > report.covered) {
      std::cout << report.entries - report.covered << " after it are chained only\n";
    }
  }
  if (!report.signatures_checked && report.covered != 0) {
    std::cout << "no --key was given: signatures were not checked\n";
  }
  if (report.torn_tail) std::cout << "the last line is unfinished\n";
  std::cout << "last line: " << report.last_hash << "\n";
}

json::object AsJson(const audit::LogReport& report) {
  json::object object{{"intact", report.problem.empty()},
                      {"entries", report.entries},
                      {"covered", report.covered},
                      {"checkpoints", report.checkpoints},
                      {"signatures_checked", report.signatures_checked},
                      {"last_hash", report.last_hash}};
  if (report.pruned != 0) {
    object["pruned"] = report.pruned;
    object["pruned_by"] = report.pruned_by;
    object["pruned_time"] = TimeText(report.pruned_time);
  }
  if (report.problem.empty()) return object;
  object["problem"] = report.problem;
  if (report.first_bad != 0) {
    object["first_bad"] = report.first_bad;
    object["file"] = report.file;
    object["line"] = report.line;
  }
  return object;
}

Result<void> VerifyLog(const Options& options) {
  audit::LogCheckOptions check;
  check.path = options.log;
  check.keys = TRY(LoadKeys(options));
  check.checkpoint_files = options.checkpoint_files;
  check.pruned_file = options.pruned_file;
  ProgressBar bar("checking", Unit::kBytes);
  const envelope::Progress show = bar.Callback();
  const std::uint64_t all = BytesOf(options.log);
  check.progress = [&](std::uint64_t bytes) -> Result<void> {
    if (Session::cancelled().load()) return Error(Code::kUnavailable, "interrupted");
    if (show) show(bytes, std::max(bytes, all));
    return {};
  };
  const audit::LogReport report = TRY(audit::CheckLog(check));
  if (options.as_json) {
    std::cout << AsJson(report) << "\n";
  } else if (report.problem.empty()) {
    PrintReport(report);
  }
  if (report.problem.empty()) return {};
  if (report.first_bad == 0) return Error(Code::kDamaged, report.problem);
  std::string where = "entry " + std::to_string(report.first_bad);
  if (!report.file.empty()) {
    where += " (" + report.file + ", line " + std::to_string(report.line) + ")";
  }
  return Error(Code::kDamaged, where + ": " + report.problem);
}

Result<void> VerifyProof(const Options& options) {
  const audit::CheckpointKeys keys = TRY(LoadKeys(options));
  if (keys.empty()) return Error(Code::kInvalidArgument, "a proof needs --key");
  const Bytes text = TRY(ReadFile(options.proof, audit::kMostProofBytes));
  const audit::Proof proof = TRY(audit::DecodeProof(AsText(text)));
  const audit::Checkpoint checkpoint = TRY(audit::CheckProof(proof, keys));
  if (options.as_json) {
    std::cout << json::object{{"proven", true},
                              {"entry", proof.index + 1},
                              {"log", checkpoint.origin},
                              {"size", checkpoint.size},
                              {"line", proof.line}}
              << "\n";
    return {};
  }
  std::cout << "entry " << proof.index + 1 << " of the log '" << checkpoint.origin
            << "', which had " << checkpoint.size << " entries on "
            << audit::TimeText(checkpoint.time) << ":\n"
            << proof.line << "\n";
  return {};
}

Result<void> Verify(const Options& options) {
  if (options.log.empty() == options.proof.empty()) {
    return Error(Code::kInvalidArgument, "either a log or --proof is needed");
  }
  return options.proof.empty() ? VerifyLog(options) : VerifyProof(options);
}

// The newest checkpoint of a file of them.
Result<std::string> NewestOf(const std::string& path) {
  std::string newest;
  TRY(audit::ReadCheckpoints(path, [&](const audit::SignedCheckpoint& one) -> Result<void> {
    newest = audit::TextOf(one);
    return {};
  }));
  if (newest.empty()) return Error(Code::kNotFound, "no checkpoint in " + path);
  return newest;
}

Result<void> Prove(const Options& options) {
  const std::string file = options.checkpoint_files.empty()
                               ? options.log + "/" + audit::kCheckpointFile
                               : options.checkpoint_files.back();
  const std::string checkpoint = TRY(NewestOf(file));
  const audit::Proof proof = TRY(audit::MakeProof(options.log, options.sequence, checkpoint));
  std::cout << audit::EncodeProof(proof);
  return {};
}

}  // namespace

void AddAudit(CLI::App& app, Session& session) {
  CLI::App* const noun =
      app.add_subcommand("audit", "A key server's audit log: read it, check it, prove from it");
  noun->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  CLI::App* const verify =
      noun->add_subcommand("verify", "Find what was changed in a log, or check a proof");
  verify->add_option("LOG", options->log, "The log's folder, or one file with all its lines");
  verify->add_option("--key", options->key_files, "The log's public key, audit.pub")
      ->type_name("FILE");
  verify
      ->add_option("--checkpoint,--witness", options->checkpoint_files,
                   "Further checkpoints: a witness's file, or some that were noted")
      ->type_name("FILE");
  verify
      ->add_option("--pruned", options->pruned_file,
                   "Records of what was removed, of a log in one file (default: of the folder)")
      ->type_name("FILE");
  verify->add_option("--proof", options->proof, "A proof by \"dare audit prove\"")
      ->type_name("FILE");
  verify->add_flag("--json", options->as_json, "One JSON object");
  verify->callback(
      [&session, options] { session.action = [options] { return Verify(*options); }; });
  CLI::App* const prove = noun->add_subcommand("prove", "Prove that one entry is in the log");
  prove->add_option("SEQ", options->sequence, "The entry's number")->required();
  prove->add_option("LOG", options->log, "The log's folder, or one file with all its lines")
      ->required();
  prove
      ->add_option("--checkpoint", options->checkpoint_files,
                   "Prove against the newest of these (default: of the folder)")
      ->type_name("FILE");
  prove->callback([&session, options] { session.action = [options] { return Prove(*options); }; });
  AddAuditLog(*noun, session);
  AddAuditPrune(*noun, session);
}

}  // namespace dare::cli
