// A token of OpenID Connect, a line break, and the JWK Set of its issuer (src/identity): any bytes.
// Nothing but a signature by a key of the set opens a token's claims, and a token that was altered
// is not signed any more.
#include "base/check.h"
#include "identity/signed_token.h"

namespace dare::identity {
namespace {

void Judge(std::string_view text, std::span<const JsonWebKey> keys) {
  const Result<SignedToken> token = SignedToken::Read(text);
  if (!token) {
    CHECK(token.error().code == Code::kMalformed || token.error().code == Code::kTooLarge ||
          token.error().code == Code::kUnsupported);
    return;
  }
  CHECK(token->CheckSignature({}).error().code == Code::kNotFound);
  if (!token->CheckSignature(keys)) return;
  std::string altered(text);
  char& letter = altered[altered.find('.') + 1];
  letter = letter == 'A' ? 'B' : 'A';
  const Result<SignedToken> other = SignedToken::Read(altered);
  CHECK(!other || !other->CheckSignature(keys));
}

void Read(std::string_view input) {
  const std::size_t line = input.find('\n');
  const std::string_view set =
      line == std::string_view::npos ? std::string_view() : input.substr(line + 1);
  const auto keys = ParseKeySet(set);
  if (!keys) CHECK(keys.error().code == Code::kMalformed || keys.error().code == Code::kTooLarge);
  Judge(input.substr(0, line), keys ? *keys : std::vector<JsonWebKey>());
}

}  // namespace
}  // namespace dare::identity

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dare::identity::Read({reinterpret_cast<const char*>(data), size});
  return 0;
}
