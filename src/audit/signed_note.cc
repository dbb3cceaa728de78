#include "audit/signed_note.h"

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
