#include "conformance/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <map>

#include "conformance/message_parts.h"

namespace dare::conformance {
namespace {

namespace json = boost::json;

using Tally = std::array<std::size_t, 3>;  // by Verdict

json::string Text(std::string_view text) { return json::string(text.data(), text.size()); }

template <typename Names>
json::array ListOf(const Names& names) {
  json::array list;
  for (const auto& name : names) list.emplace_back(Text(name));
  return list;
}

template <typename Key>
std::string TableOf(std::string_view title, const std::map<Key, Tally>& rows,
                    const std::function<std::string(const Key&)>& name) {
  std::string text = fmt::format("{:32} {:>6} {:>6} {:>7}\n", title, "passed", "failed", "skipped");
  for (const auto& [key, tally] : rows) {
    text += fmt::format("{:32} {:6} {:6} {:7}\n", name(key), tally[0], tally[1], tally[2]);
  }
  return text;
}

json::object ObjectOf(const CaseResult& result) {
  const CaseFile& file = *result.file;
  json::object object;
  object["case"] = file.name;
  object["version"] = VersionText(file.version);
  object["family"] = file.family;
  object["kind"] = Text(CaseKindName(file.kind));
  object["encoding"] = Text(EncodingName(result.encoding));
  object["outcome"] = Text(VerdictName(result.verdict));
  object["difference"] = result.text;
  object["left_behind"] = result.left_behind;
  object["seconds"] = static_cast<double>(static_cast<int>(result.seconds * 1000)) / 1000;
  object["operations"] = ListOf(file.Operations());
  object["attributes"] = ListOf(file.Attributes());
  object["objects"] = ListOf(file.Objects());
  json::array used;
  for (const Variation variation : result.used) used.emplace_back(Text(RuleOf(variation).name));
  object["variations"] = std::move(used);
  object["quirks"] = ListOf(result.quirks);
  return object;
}

Tally Count(const std::vector<CaseResult>& results) {
  Tally tally{};
  for (const CaseResult& result : results) ++tally[static_cast<std::size_t>(result.verdict)];
  return tally;
}

}  // namespace

std::string LineOf(const CaseResult& result) {
  std::string line = fmt::format("{} {}", VerdictName(result.verdict), result.file->name);
  if (!result.text.empty()) line += ": " + result.text;
  for (const std::string& quirk : result.quirks) line += "\n     quirk: " + quirk;
  return line;
}

std::string SummaryOf(const std::vector<CaseResult>& results) {
  using Kind = std::pair<kmip::ProtocolVersion, CaseKind>;
  using Family = std::pair<kmip::ProtocolVersion, std::string>;
  std::map<Kind, Tally> kinds;
  std::map<Family, Tally> families;
  for (const CaseResult& result : results) {
    const auto verdict = static_cast<std::size_t>(result.verdict);
    ++kinds[{result.file->version, result.file->kind}][verdict];
    ++families[{result.file->version, result.file->family}][verdict];
  }
  const std::function<std::string(const Kind&)> kind = [](const Kind& key) {
    return fmt::format("{} {}", VersionText(key.first), CaseKindName(key.second));
  };
  const std::function<std::string(const Family&)> family = [](const Family& key) {
    return fmt::format("{} {}", VersionText(key.first), key.second);
  };
  return TableOf("family", families, family) + "\n" + TableOf("kind", kinds, kind);
}

std::string CountOf(const std::vector<CaseResult>& results) {
  const Tally tally = Count(results);
  return fmt::format("{} passed, {} failed, {} skipped", tally[0], tally[1], tally[2]);
}

std::string JsonOf(const std::vector<CaseResult>& results) {
  const Tally tally = Count(results);
  json::object report;
  report["passed"] = tally[0];
  report["failed"] = tally[1];
  report["skipped"] = tally[2];
  json::array rules;
  for (const VariationRule& rule : VariationRules()) {
    json::object row;
    row["name"] = Text(rule.name);
    row["text"] = Text(rule.text);
    rules.push_back(std::move(row));
  }
  report["variations"] = std::move(rules);
  report["variations_source"] = Text(VariationSource());
  // A case a line, so that two reports can be compared with diff.
  std::string text = json::serialize(report);
  text.pop_back();
  text += ",\n\"cases\":[";
  for (std::size_t i = 0; i < results.size(); ++i) {
    text += (i == 0 ? "\n" : ",\n") + json::serialize(ObjectOf(results[i]));
  }
  return text + "\n]}\n";
}

}  // namespace dare::conformance
