#include "identity/signed_token.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "crypto/ecdsa_signature.h"
#include "crypto/signature.h"
#include "identity/base64url.h"

namespace dare::identity {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostKeyId = 256;
constexpr std::size_t kEs256Bytes = 64;  // RFC 7518, 3.4: R || S

Error Malformed() { return Error(Code::kMalformed, "not a JSON Web Token"); }

Result<json::object> ReadObject(std::string_view base64url) {
  const Bytes text = TRY(FromBase64Url(base64url));
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code failure;
  json::value value =
      json::parse({reinterpret_cast<const char*>(text.data()), text.size()}, failure, {}, options);
  if (failure || !value.is_object()) return Malformed();
  return std::move(value.get_object());
}

Result<std::string> TextIn(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr) return std::string();
  if (!value->is_string() || value->get_string().empty()) return Malformed();
  return std::string(value->get_string().data(), value->get_string().size());
}

// RFC 7519, 5.1: media types without "application/", and in whatever case.
bool IsShownType(std::string type) {
  std::ranges::transform(type, type.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::string_view kApplication = "application/";
  if (type.starts_with(kApplication)) type.erase(0, kApplication.size());
  return type == "jwt" || type == "at+jwt";
}

bool IsRight(const JsonWebKey& key, TokenAlgorithm algorithm, ByteView message,
             ByteView signature) {
  crypto::SignatureScheme scheme;
  Bytes der;
  if (algorithm == TokenAlgorithm::kPs256) {
    scheme.padding = crypto::SignaturePadding::kPss;
    scheme.salt_length = 32;  // RFC 7518, 3.5: the size of the hash
  }
  if (algorithm == TokenAlgorithm::kEs256) {
    if (signature.size() != kEs256Bytes) return false;
    der = crypto::DerSignature(signature);
    signature = der;
  }
  const Result<bool> right = crypto::VerifyMessage(key.key, scheme, message, signature);
  return right && *right;
}

}  // namespace

Result<SignedToken> SignedToken::Read(std::string_view text) {
  if (text.size() > kMostTokenBytes) return Error(Code::kTooLarge, "a token of too many bytes");
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
    return Malformed();
  }
  const json::object header = TRY(ReadObject(text.substr(0, first)));
  SignedToken token;
  const auto algorithm = TokenAlgorithmByName(TRY(TextIn(header, "alg")));
  if (!algorithm) return Error(Code::kUnsupported, "a token of another algorithm");
  token.algorithm_ = *algorithm;
  if (header.contains("crit")) return Error(Code::kUnsupported, "a token with an extension");
  if (header.contains("typ") && !IsShownType(TRY(TextIn(header, "typ")))) {
    return Error(Code::kUnsupported, "a token for something else");
  }
  token.key_id_ = TRY(TextIn(header, "kid"));
  if (token.key_id_.size() > kMostKeyId) return Malformed();
  token.signed_ = text.substr(0, second);
  token.claims_ = text.substr(first + 1, second - first - 1);
  token.signature_ = TRY(FromBase64Url(text.substr(second + 1)));
  return token;
}

Result<void> SignedToken::CheckSignature(std::span<const JsonWebKey> keys) const {
  const JsonWebKey* found = nullptr;
  for (const JsonWebKey& key : keys) {
    if ((!key_id_.empty() && key.id != key_id_) || !key.Serves(algorithm_)) continue;
    if (found != nullptr) return Error(Code::kUnauthenticated, "more than one key fits the token");
    found = &key;
  }
  if (found == nullptr) return Error(Code::kNotFound, "the issuer has no such key");
  if (!IsRight(*found, algorithm_, AsBytes(signed_), signature_)) {
    return Error(Code::kUnauthenticated, "the token is not signed by its issuer");
  }
  return {};
}

Result<json::object> SignedToken::Verify(std::span<const JsonWebKey> keys) const {
  TRY(CheckSignature(keys));
  return ReadObject(claims_);
}

}  // namespace dare::identity
