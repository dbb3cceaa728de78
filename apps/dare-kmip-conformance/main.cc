#include <fmt/format.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "conformance/message_parts.h"
#include "conformance/report.h"
#include "conformance/tournament.h"

namespace dare::conformance {
namespace {

namespace fs = std::filesystem;

enum ExitCode { kAllPassed = 0, kSomeFailed = 1, kUsage = 2 };

constexpr std::string_view kAllVersions[] = {"1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"};

struct Options {
  std::string cases;
  std::string encoding = "ttlv";
  std::string report;
  std::string quirks;
  std::string match;
  std::vector<std::string> versions{std::begin(kAllVersions), std::end(kAllVersions)};
  std::vector<std::string> certificates;
  std::vector<std::string> keys;
  bool quiet = false;
  bool keep = false;
  bool any_name = false;
  int timeout_seconds = 30;
  Plan plan;
};

void Declare(CLI::App& app, Options& o) {
  app.add_option("--cases", o.cases, "Folder of cases, or one file")
      ->required()
      ->check(CLI::ExistingPath);
  app.add_option("--server", o.plan.access.server, "HOST:PORT of KMIP over TLS");
  app.add_option("--https", o.plan.access.https, "URL or HOST:PORT of KMIP over HTTPS (/kmip)");
  app.add_option("--server-cmd", o.plan.server_command,
                 "Start this server afresh for each case (or chain of cases)");
  app.add_option("--jobs", o.plan.jobs, "Servers at a time, with --server-cmd")
      ->check(CLI::Range(1, 64));
  app.add_option("--encoding", o.encoding, "How messages are written")
      ->check(CLI::IsMember({"ttlv", "json", "xml", "ttlv-https"}));
  app.add_option("--ca", o.plan.access.ca, "PEM file of the authority of the server's certificate")
      ->check(CLI::ExistingFile);
  app.add_option("--cert", o.certificates, "PEM certificate of a client; again for B and C")
      ->check(CLI::ExistingFile);
  app.add_option("--key", o.keys, "Its private key")->check(CLI::ExistingFile);
  app.add_flag("--any-name", o.any_name, "Accept whatever name the server's certificate has");
  app.add_option("--versions", o.versions, "KMIP versions to play (default 1.0 to 2.1)")
      ->delimiter(',');
  app.add_option("--match", o.match, "Only cases whose path contains this text");
  app.add_option("--quirks", o.quirks, "List of slips (default: quirks.csv among the cases)")
      ->check(CLI::ExistingFile);
  app.add_flag("--keep", o.keep, "Leave what cases left behind on the server");
  app.add_option("--timeout", o.timeout_seconds, "Seconds to wait for an answer (default 30)")
      ->check(CLI::Range(1, 3600));
  app.add_option("--report", o.report, "Write all results to this file, as JSON");
  app.add_flag("--quiet", o.quiet, "No line for cases that pass");
  app.set_version_flag("--version", "dare-kmip-conformance " DARE_VERSION);
}

Error Usage(std::string text) { return Error(Code::kInvalidArgument, std::move(text)); }

Encoding EncodingNamed(const std::string& name) {
  if (name == "json") return Encoding::kJson;
  if (name == "xml") return Encoding::kXml;
  return name == "ttlv" ? Encoding::kTtlv : Encoding::kTtlvOverHttps;
}

// quirks.csv in the folder of the cases, or above it when a part of a collection is played.
std::string FindQuirks(const fs::path& cases) {
  for (fs::path folder = fs::absolute(cases); folder.has_relative_path();
       folder = folder.parent_path()) {
    const fs::path found = folder / "quirks.csv";
    if (fs::is_regular_file(found)) return found.string();
  }
  return "";
}

Result<void> Complete(Options& o) {
  Plan& plan = o.plan;
  const int given = int{!plan.server_command.empty()} +
                    int{!plan.access.server.empty() || !plan.access.https.empty()};
  if (given != 1) return Usage("give --server and/or --https, or --server-cmd");
  if (o.certificates.size() != o.keys.size()) return Usage("give a --key for each --cert");
  for (std::size_t i = 0; i < o.keys.size(); ++i) {
    plan.access.identities.push_back({o.certificates[i], o.keys[i]});
  }
  plan.access.https = HttpsUrl(plan.access.https);
  plan.access.check_name = !o.any_name;
  plan.access.timeout = std::chrono::seconds(o.timeout_seconds);
  plan.encoding = EncodingNamed(o.encoding);
  plan.clean_up = !o.keep;
  for (const std::string& version : o.versions) {
    if (version.size() != 3 || version[1] != '.') return Usage("no KMIP version: " + version);
    plan.versions.insert({version[0] - '0', version[2] - '0'});
  }
  const std::string quirks = o.quirks.empty() ? FindQuirks(o.cases) : o.quirks;
  if (!quirks.empty()) plan.quirks = TRY(Quirks::Load(quirks));
  return {};
}

int Run(Options& o) {
  if (const Result<void> complete = Complete(o); !complete) {
    std::cerr << "dare-kmip-conformance: error: " << complete.error().message << "\n";
    return kUsage;
  }
  for (const std::string& oddity : o.plan.quirks.unknown()) {
    std::cout << "NOTE a quirk of an unknown kind changes nothing: " << oddity << "\n";
  }
  std::vector<CaseFile> cases = ReadCases(o.cases);
  std::erase_if(cases,
                [&](const CaseFile& file) { return file.name.find(o.match) == std::string::npos; });
  if (cases.empty()) {
    std::cerr << "dare-kmip-conformance: error: no cases in " << o.cases << "\n";
    return kUsage;
  }
  const std::vector<CaseResult> results = PlayAll(cases, o.plan, [&](const CaseResult& result) {
    if (o.quiet && result.verdict == Verdict::kPassed) return;
    std::cout << LineOf(result) << std::endl;
  });
  if (!o.report.empty() && !(std::ofstream(o.report, std::ios::binary) << JsonOf(results))) {
    std::cerr << "dare-kmip-conformance: error: cannot write " << o.report << "\n";
    return kUsage;
  }
  std::cout << "\n" << SummaryOf(results) << "\n" << CountOf(results) << std::endl;
  const bool failed = std::any_of(results.begin(), results.end(), [](const CaseResult& result) {
    return result.verdict == Verdict::kFailed;
  });
  return failed ? kSomeFailed : kAllPassed;
}

}  // namespace
}  // namespace dare::conformance

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  CLI::App app(
      "Plays OASIS KMIP conversations against a server and says which it answers as printed",
      "dare-kmip-conformance");
  dare::conformance::Options options;
  dare::conformance::Declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : dare::conformance::kUsage;
  }
  try {
    return dare::conformance::Run(options);
  } catch (const std::exception& e) {
    std::cerr << "dare-kmip-conformance: error: " << e.what() << "\n";
    return dare::conformance::kUsage;
  }
}
