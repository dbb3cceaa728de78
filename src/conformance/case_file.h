#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/tree.h"
#include "kmip/protocol_version.h"

namespace dare::conformance {

// One request of a conversation and the answer it must get.
struct Exchange {
  std::string comments;  // those before the request and the answer, joined
  Node request;
  Node response;
  bool from_server = false;  // the server asks, the judge answers

  bool repeated() const { return comments.find("[REPEAT]") != std::string::npos; }
};

// What kind of proof a case is, by the folder it lies in.
enum class CaseKind : std::uint8_t { kMandatory, kOptional, kGeneral };
std::string_view CaseKindName(CaseKind kind);

// A published conversation. Loading never fails: what cannot be read is `problem`.
struct CaseFile {
  std::string name;  // path below the folder that was asked for: "1.4/testcases/TC-NP-1-14.xml"
  std::string folder;
  std::string file;     // "TC-NP-1-14.xml"
  std::string family;   // "TC-NP"
  std::string problem;  // empty when it was read
  CaseKind kind = CaseKind::kGeneral;
  kmip::ProtocolVersion version;
  std::vector<Exchange> exchanges;

  // True when the case waits for something to happen by itself.
  bool polls() const;
  // Names of what the requests ask for and of what the messages carry, for the report.
  std::set<std::string> Operations() const;
  std::set<std::string> Attributes() const;
  std::set<std::string> Objects() const;
};

CaseFile ReadCase(const std::filesystem::path& path, const std::filesystem::path& root);

// Every .xml file below `root` (or `root` itself when it is a file), by folder and natural order.
std::vector<CaseFile> ReadCases(const std::filesystem::path& root);

}  // namespace dare::conformance
