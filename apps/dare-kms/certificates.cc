#include <ctime>
#include <iomanip>
#include <iostream>

#include "base/clock.h"
#include "commands.h"
#include "records.h"
#include "server/config.h"

namespace dare::kms {
namespace {

std::string Iso(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32] = "";
  (void)std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

const char* StateOf(const server::CertificateRecord& record, std::int64_t now) {
  if (record.revoked != 0) return "revoked";
  return record.not_after < now ? "expired" : "valid";
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;  // names have no control characters
  }
  return out + "\"";
}

void PrintJson(const server::CertificateRecord& record, std::int64_t now) {
  std::cout << "{\"serial\":" << Quoted(record.serial)
            << ",\"name\":" << Quoted(record.subject.common_name) << ",\"units\":[";
  for (std::size_t i = 0; i < record.subject.units.size(); ++i) {
    std::cout << (i == 0 ? "" : ",") << Quoted(record.subject.units[i]);
  }
  std::cout << "],\"state\":\"" << StateOf(record, now) << "\",\"issued\":\"" << Iso(record.issued)
            << "\",\"not_after\":\"" << Iso(record.not_after)
            << "\",\"fingerprint\":" << Quoted(record.fingerprint) << "}\n";
}

}  // namespace

Result<void> Certificates(const std::string& config_path, bool json) {
  const server::Config config = TRY(server::LoadConfig(config_path));
  RecordsWithKeys opened = TRY(OpenRecordsForVerb(config));
  const std::int64_t now = SystemClock::Get().Now();
  for (const server::CertificateRecord& record : TRY(opened.records.enrolment().Certificates())) {
    if (json) {
      PrintJson(record, now);
      continue;
    }
    std::cout << std::left << std::setw(34) << record.serial << std::setw(9) << StateOf(record, now)
              << Iso(record.not_after) << "  " << record.subject.common_name;
    for (const std::string& unit : record.subject.units) std::cout << " [" << unit << "]";
    std::cout << "\n";
  }
  std::cout.flush();
  return {};
}

}  // namespace dare::kms
