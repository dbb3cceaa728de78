#include "key_facts.h"

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "kmip/names.h"
#include "kmip/tags.h"
#include "text.h"

namespace dare::cli {
namespace {

namespace json = boost::json;
using client::KeyFacts;

std::string NamesText(const KeyFacts& key) {
  std::string text;
  for (const std::string& name : key.names) text += (text.empty() ? "" : ", ") + Printable(name);
  return text.empty() ? "-" : text;
}

std::string AlgorithmText(const KeyFacts& key) {
  std::string text = "-";
  if (key.algorithm) {
    text = kmip::EnumSpecName(kmip::Tag::kCryptographicAlgorithm,
                              static_cast<std::uint32_t>(*key.algorithm));
  }
  if (key.bits) text += "-" + std::to_string(*key.bits);
  return text;
}

std::string StateText(const KeyFacts& key) {
  return key.state ? std::string(client::StateName(*key.state)) : "-";
}

std::vector<std::string_view> UsageWords(const KeyFacts& key) {
  std::vector<std::string_view> words;
  for (std::uint32_t bit = 1; bit != 0; bit <<= 1) {
    if ((key.usage & bit) == 0) continue;
    const std::string_view word = kmip::MaskName(kmip::Tag::kCryptographicUsageMask, bit);
    words.push_back(word.empty() ? "?" : word);
  }
  return words;
}

json::object ToJson(const KeyFacts& key) {
  json::object out{{"id", key.id}};
  out["names"] = json::array(key.names.begin(), key.names.end());
  out["state"] = StateText(key);
  out["type"] = kmip::EnumSpecName(kmip::Tag::kObjectType, static_cast<std::uint32_t>(key.type));
  out["algorithm"] = AlgorithmText(key);
  const std::vector<std::string_view> usage = UsageWords(key);
  out["usage"] = json::array(usage.begin(), usage.end());
  if (key.sensitive) out["sensitive"] = *key.sensitive;
  if (key.extractable) out["extractable"] = *key.extractable;
  out["in_hsm"] = key.in_hsm;
  if (key.rotate_every) out["rotate_every_seconds"] = *key.rotate_every;
  if (!key.rotation_due.empty()) out["rotation_due"] = key.rotation_due;
  const auto date = [&](const char* name, const std::optional<std::int64_t>& time) {
    if (time) out[name] = TimeText(*time);
  };
  date("created", key.created);
  date("activated", key.activated);
  date("deactivated", key.deactivated);
  date("compromised", key.compromised);
  date("destroyed", key.destroyed);
  if (key.replaces) out["replaces"] = *key.replaces;
  if (key.replaced_by) out["replaced_by"] = *key.replaced_by;
  return out;
}

void Line(const char* label, const std::string& value) {
  std::cout << "  " << label << std::string(14 - std::char_traits<char>::length(label), ' ')
            << value << "\n";
}

}  // namespace

void PrintTable(const std::vector<KeyFacts>& keys) {
  std::size_t names = 4, states = 5, algorithms = 9;
  for (const KeyFacts& key : keys) {
    names = std::max(names, NamesText(key).size());
    states = std::max(states, StateText(key).size());
    algorithms = std::max(algorithms, AlgorithmText(key).size());
  }
  const auto row = [&](std::string name, std::string state, std::string algorithm,
                       const std::string& id) {
    name.resize(names, ' ');
    state.resize(states, ' ');
    algorithm.resize(algorithms, ' ');
    std::cout << name << "  " << state << "  " << algorithm << "  " << id << "\n";
  };
  row("NAME", "STATE", "ALGORITHM", "ID");
  for (const KeyFacts& key : keys) {
    row(NamesText(key), StateText(key), AlgorithmText(key), Printable(key.id));
  }
}

void PrintBlock(const KeyFacts& key) {
  std::cout << NamesText(key) << "\n";
  Line("id", Printable(key.id));
  Line("state", StateText(key));
  Line("algorithm", AlgorithmText(key));
  std::string usage;
  for (const std::string_view word : UsageWords(key)) {
    usage += (usage.empty() ? "" : ", ") + std::string(word);
  }
  Line("usage", usage.empty() ? "-" : usage);
  if (key.extractable) Line("extractable", *key.extractable ? "yes" : "no");
  if (key.sensitive) Line("sensitive", *key.sensitive ? "yes" : "no");
  if (key.in_hsm) Line("kept", "in the HSM");
  if (key.rotate_every) Line("rotates every", DurationText(*key.rotate_every));
  if (!key.rotation_due.empty()) Line("rotation due", Printable(key.rotation_due));
  const auto date = [](const char* name, const std::optional<std::int64_t>& time) {
    if (time) Line(name, TimeText(*time));
  };
  date("created", key.created);
  date("activated", key.activated);
  date("deactivated", key.deactivated);
  date("compromised", key.compromised);
  date("destroyed", key.destroyed);
  if (key.replaces) Line("replaces", Printable(*key.replaces));
  if (key.replaced_by) Line("replaced by", Printable(*key.replaced_by));
}

void PrintJson(const KeyFacts& key) { std::cout << ToJson(key) << "\n"; }

void PrintJson(const std::vector<KeyFacts>& keys) {
  json::array all;
  for (const KeyFacts& key : keys) all.push_back(ToJson(key));
  std::cout << all << "\n";
}

}  // namespace dare::cli
