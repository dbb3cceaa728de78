#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// A signed text (C2SP signed-note) is lines, and ends with an empty one, then "— NAME BASE64",
// which has four bytes that name the key, and the signature. docs/formats/audit.md.
namespace dare::audit {

struct NoteSignature {
  Bytes key_id;  // 4 bytes
  Bytes signature;
};

// `body` and the lines that sign it as `name`. Requires: `body` ends with a newline.
std::string NoteText(std::string_view body, std::string_view name, const NoteSignature& by);
// The lines of `text` without their newlines: exactly `count`, each ended by one. kMalformed.
Result<std::vector<std::string_view>> NoteLines(std::string_view text, std::size_t count);
// A line that is a number, in decimal digits only.
std::optional<std::uint64_t> ParseNumberLine(std::string_view line);
// Of the last line, without its newline. kMalformed.
Result<NoteSignature> ParseSignatureLine(std::string_view line, std::string_view name);

}  // namespace dare::audit
