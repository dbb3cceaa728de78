#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

// The end of a signed text (C2SP signed-note): an empty line, then "— NAME BASE64", which has four
// bytes that name the key, and the signature. docs/formats/audit.md.
namespace dare::audit {

struct NoteSignature {
  Bytes key_id;  // 4 bytes
  Bytes signature;
};

// `body` and the lines that sign it as `name`. Requires: `body` ends with a newline.
std::string NoteText(std::string_view body, std::string_view name, const NoteSignature& by);
// Of the last line, without its newline. kMalformed.
Result<NoteSignature> ParseSignatureLine(std::string_view line, std::string_view name);

}  // namespace dare::audit
