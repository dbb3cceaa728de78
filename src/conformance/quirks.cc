#include "conformance/quirks.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

namespace dare::conformance {
namespace {

// The fields of one record, which is taken off `rest` (RFC 4180).
std::vector<std::string> TakeRecord(std::string_view& rest) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < rest.size() && rest[i + 1] == '"') {
        fields.back() += rest[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  rest.remove_prefix(std::min(i + 1, rest.size()));
  return fields;
}

std::optional<Slip> SlipOf(std::string_view oddity) {
  static constexpr std::pair<std::string_view, Slip> kPhrases[] = {
      {"messages carry protocol versions", Slip::kOtherVersionPrinted},
      {"but the earlier response prints a literal", Slip::kLiteralInPlaceOfName},
      {"literal answer although the server generates the key", Slip::kLiteralOfGeneratedKey},
      {"comes from another case of the family", Slip::kNameOfAnotherCase},
      {"is chosen by the tester", Slip::kNameOfTheTester},
  };
  for (const auto& [phrase, slip] : kPhrases) {
    if (oddity.find(phrase) != std::string_view::npos) return slip;
  }
  return std::nullopt;
}

}  // namespace

Result<Quirks> Quirks::Parse(std::string_view csv) {
  const std::vector<std::string> head = TakeRecord(csv);
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(head.begin(), head.end(), name) - head.begin());
  };
  const std::size_t file = column("file");
  const std::size_t oddity = column("oddity");
  const std::size_t advice = column("advice");
  if (std::max({file, oddity, advice}) >= head.size()) {
    return Error(Code::kMalformed, "a list of quirks needs the columns file, oddity and advice");
  }
  Quirks quirks;
  while (!csv.empty()) {
    std::vector<std::string> fields = TakeRecord(csv);
    fields.resize(std::max(fields.size(), head.size()));
    if (fields[file].empty()) continue;
    const auto slip = SlipOf(fields[oddity]);
    if (slip) {
      quirks.rows_.push_back({fields[file], fields[oddity], fields[advice], *slip});
    } else {
      quirks.unknown_.push_back(fields[file] + ": " + fields[oddity]);
    }
  }
  return quirks;
}

Result<Quirks> Quirks::Load(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return Error(Code::kIo, path.string() + " cannot be read");
  Result<Quirks> quirks = Parse(text);
  if (!quirks) return quirks.error().In(path.string());
  return quirks;
}

std::vector<const Quirk*> Quirks::Of(std::string_view case_name) const {
  std::vector<const Quirk*> found;
  for (const Quirk& quirk : rows_) {
    // Either may have more folders in front than the other.
    const std::string a = '/' + quirk.file;
    const std::string b = '/' + std::string(case_name);
    if (a.ends_with(b) || b.ends_with(a)) found.push_back(&quirk);
  }
  return found;
}

}  // namespace dare::conformance
