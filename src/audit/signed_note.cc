#include "audit/signed_note.h"

#include <charconv>

namespace dare::audit {
namespace {

constexpr std::string_view kSignatureMark = "\xE2\x80\x94 ";  // a dash of an em's length
constexpr std::size_t kKeyIdBytes = 4;

}  // namespace

std::string NoteText(std::string_view body, std::string_view name, const NoteSignature& by) {
  Bytes signed_by = by.key_id;
  Append(signed_by, by.signature);
  std::string text(body);
  text.append("\n").append(kSignatureMark).append(name).append(" ");
  return text + ToBase64(signed_by) + "\n";
}

Result<std::vector<std::string_view>> NoteLines(std::string_view text, std::size_t count) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    if (newline == std::string_view::npos || lines.size() == count) break;
    lines.push_back(text.substr(0, newline));
    text.remove_prefix(newline + 1);
  }
  if (lines.size() < count) return Error(Code::kMalformed, "lines are missing");
  if (!text.empty()) return Error(Code::kMalformed, "something follows it");
  return lines;
}

std::optional<std::uint64_t> ParseNumberLine(std::string_view line) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != line.data() + line.size()) return std::nullopt;
  return number;
}

Result<NoteSignature> ParseSignatureLine(std::string_view line, std::string_view name) {
  const Error none(Code::kMalformed, "no signature");
  const std::string before = std::string(kSignatureMark) + std::string(name) + " ";
  if (!line.starts_with(before)) return none;
  const Bytes signed_by = TRY(FromBase64(line.substr(before.size())));
  if (signed_by.size() <= kKeyIdBytes) return none;
  return NoteSignature{Bytes(signed_by.begin(), signed_by.begin() + kKeyIdBytes),
                       Bytes(signed_by.begin() + kKeyIdBytes, signed_by.end())};
}

}  // namespace dare::audit
