#include "identity/base64url.h"

#include <algorithm>
#include <string>

namespace dare::identity {
namespace {

// The same letter in the alphabet of RFC 4648, 4; 0 for what is none.
char Standard(char c) {
  if (c == '-') return '+';
  if (c == '_') return '/';
  const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return plain ? c : '\0';
}

}  // namespace

Result<Bytes> FromBase64Url(std::string_view text) {
  const Error malformed(Code::kMalformed, "not base64url");
  std::string standard(text.size(), '\0');
  std::ranges::transform(text, standard.begin(), &Standard);
  if (standard.find('\0') != std::string::npos || text.size() % 4 == 1) return malformed;
  standard.append((4 - text.size() % 4) % 4, '=');
  Bytes bytes = TRY(FromBase64(standard));
  // Bits of the last letter that say nothing must be zero: else many texts were one token.
  if (ToBase64(bytes) != standard) return malformed;
  return bytes;
}

}  // namespace dare::identity
