#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include "exit_code.h"
#include "session.h"

namespace dare::cli {
namespace {

namespace json = boost::json;

std::string VersionText(kmip::ProtocolVersion version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

double MillisecondsOf(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

void PrintJson(const client::Endpoint& endpoint, const Result<client::PingReport>& report) {
  json::object out{{"server", endpoint.ToString()}, {"ok", report.has_value()}};
  if (!report) {
    out["error"] = report.error().message;
    out["code"] = CodeName(report.error().code);
    std::cout << out << "\n";
    return;
  }
  json::array versions;
  for (const auto version : report->versions) versions.push_back(VersionText(version).c_str());
  out["versions"] = std::move(versions);
  out["connect_ms"] = MillisecondsOf(report->connect);
  out["round_trip_ms"] = MillisecondsOf(report->round_trip);
  out["tls"] = report->tls_version;
  out["cipher_suite"] = report->cipher_suite;
  out["subject"] = report->server_subject;
  std::cout << out << "\n";
}

void PrintText(const client::PingReport& report) {
  char times[96];
  (void)std::snprintf(times, sizeof times, "connected in %.1f ms, answers in %.2f ms",
                      MillisecondsOf(report.connect), MillisecondsOf(report.round_trip));
  std::cout << report.endpoint.ToString() << ": " << times << "\n  tls   " << report.tls_version
            << " " << report.cipher_suite << ", " << report.server_subject << "\n  kmip ";
  for (const auto version : report.versions) std::cout << " " << VersionText(version);
  std::cout << "\n";
}

// Good when a server answers; what is wrong with the others is told all the same.
Result<void> Ping(Session& session, bool as_json) {
  client::KmsClient* kms = TRY(session.Kms());
  std::optional<Error> last;
  std::size_t answered = 0;
  for (const client::Endpoint& endpoint : kms->config().servers) {
    const Result<client::PingReport> report = kms->Ping(endpoint);
    if (as_json) PrintJson(endpoint, report);
    if (report) {
      ++answered;
      if (!as_json) PrintText(*report);
      continue;
    }
    if (last) PrintError(*last);
    last = report.error();
    if (Session::cancelled().load()) break;
  }
  if (!last) return {};
  if (answered == 0) return *last;
  PrintError(*last);
  return {};
}

}  // namespace

void AddPing(CLI::App& app, Session& session) {
  const auto as_json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("ping", "Ask each key server whether it answers");
  verb->add_flag("--json", *as_json, "One JSON object a server");
  verb->callback([&session, as_json] {
    session.action = [&session, as_json] { return Ping(session, *as_json); };
  });
}

}  // namespace dare::cli
