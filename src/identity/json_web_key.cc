#include "identity/json_web_key.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "identity/base64url.h"

namespace dare::identity {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostKeys = 100;
constexpr std::size_t kLeastRsaBits = 2048;
constexpr std::size_t kCoordinateBytes = 32;  // of P-256: RFC 7518, 6.2.1.2: with leading zeroes

// The text under `name`; nothing where there is none, or something else.
std::optional<std::string_view> TextIn(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string().data(), value->get_string().size());
}

Result<Bytes> BytesIn(const json::object& object, std::string_view name) {
  const auto text = TextIn(object, name);
  if (!text) return Error(Code::kMalformed, "a key without '" + std::string(name) + "'");
  return FromBase64Url(*text);
}

Result<crypto::PublicKey> ReadRsa(const json::object& object) {
  crypto::RsaNumbers numbers;
  numbers.modulus = TRY(BytesIn(object, "n"));
  numbers.public_exponent = TRY(BytesIn(object, "e"));
  return crypto::PublicKey::FromRsa(numbers);
}

Result<crypto::PublicKey> ReadEc(const json::object& object) {
  if (TextIn(object, "crv") != "P-256") return Error(Code::kUnsupported, "another curve");
  const Bytes x = TRY(BytesIn(object, "x"));
  const Bytes y = TRY(BytesIn(object, "y"));
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) {
    return Error(Code::kMalformed, "a point of another length");
  }
  crypto::EcNumbers numbers;
  numbers.curve = "prime256v1";
  numbers.point = {0x04};
  Append(numbers.point, x);
  Append(numbers.point, y);
  return crypto::PublicKey::FromEc(numbers);
}

Result<crypto::PublicKey> ReadOctets(const json::object& object) {
  if (TextIn(object, "crv") != "Ed25519") return Error(Code::kUnsupported, "another curve");
  return crypto::PublicKey::FromOctets(crypto::KeyFamily::kEd25519, TRY(BytesIn(object, "x")));
}

Result<crypto::PublicKey> ReadPublicKey(const json::object& object) {
  const auto kind = TextIn(object, "kty");
  if (kind == "RSA") return ReadRsa(object);
  if (kind == "EC") return ReadEc(object);
  if (kind == "OKP") return ReadOctets(object);
  return Error(Code::kUnsupported, "another kind of key");
}

// RFC 7517, 4.2 and 4.3. What is said must allow it.
bool IsForSignatures(const json::object& object) {
  if (object.contains("use") && TextIn(object, "use") != "sig") return false;
  const json::value* const operations = object.if_contains("key_ops");
  if (operations == nullptr) return true;
  if (!operations->is_array()) return false;
  return std::ranges::any_of(operations->get_array(), [](const json::value& operation) {
    return operation.is_string() && operation.get_string() == "verify";
  });
}

Result<JsonWebKey> ReadKey(const json::object& object) {
  const Error unfit(Code::kUnsupported, "not a key for signatures of tokens");
  if (!IsForSignatures(object)) return unfit;
  std::optional<TokenAlgorithm> algorithm;
  if (object.contains("alg")) {
    algorithm = TokenAlgorithmByName(TextIn(object, "alg").value_or(""));
    if (!algorithm) return unfit;
  }
  JsonWebKey key{"", algorithm, TRY(ReadPublicKey(object))};
  if (object.contains("kid")) {
    const auto id = TextIn(object, "kid");
    if (!id || id->empty()) return unfit;
    key.id = *id;
  }
  const crypto::KeyFacts& facts = key.key.facts();
  if (facts.family == crypto::KeyFamily::kRsa && facts.bits < kLeastRsaBits) return unfit;
  return key;
}

}  // namespace

std::optional<TokenAlgorithm> TokenAlgorithmByName(std::string_view name) {
  if (name == "RS256") return TokenAlgorithm::kRs256;
  if (name == "PS256") return TokenAlgorithm::kPs256;
  if (name == "ES256") return TokenAlgorithm::kEs256;
  if (name == "EdDSA") return TokenAlgorithm::kEdDsa;
  return std::nullopt;
}

bool JsonWebKey::Serves(TokenAlgorithm asked) const {
  if (algorithm && *algorithm != asked) return false;
  switch (asked) {
    case TokenAlgorithm::kRs256:
    case TokenAlgorithm::kPs256:
      return key.facts().family == crypto::KeyFamily::kRsa;
    case TokenAlgorithm::kEs256:
      return key.facts().family == crypto::KeyFamily::kEc;
    case TokenAlgorithm::kEdDsa:
      return key.facts().family == crypto::KeyFamily::kEd25519;
  }
  return false;
}

Result<std::vector<JsonWebKey>> ParseKeySet(std::string_view text) {
  const Error malformed(Code::kMalformed, "not a JWK Set");
  if (text.size() > kMostKeySetBytes) return Error(Code::kTooLarge, "a JWK Set of too many bytes");
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code failure;
  const json::value value = json::parse({text.data(), text.size()}, failure, {}, options);
  if (failure || !value.is_object()) return malformed;
  const json::value* const list = value.get_object().if_contains("keys");
  if (list == nullptr || !list->is_array()) return malformed;
  if (list->get_array().size() > kMostKeys) return Error(Code::kTooLarge, "too many keys");
  std::vector<JsonWebKey> keys;
  for (const json::value& entry : list->get_array()) {
    if (!entry.is_object()) return malformed;
    if (Result<JsonWebKey> key = ReadKey(entry.get_object())) keys.push_back(*std::move(key));
  }
  return keys;
}

}  // namespace dare::identity
