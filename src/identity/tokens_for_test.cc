#include "identity/tokens_for_test.h"

#include <utility>

#include "base/check.h"
#include "base/secret_bytes.h"
#include "crypto/signature.h"

namespace dare::identity {
namespace {

using crypto::KeyFamily;

crypto::PrivateKey NewKey(TokenAlgorithm algorithm) {
  CHECK(StartSecureHeap(1u << 20).has_value());
  crypto::KeySpecification specification{.family = KeyFamily::kRsa, .bits = 2048};
  if (algorithm == TokenAlgorithm::kEs256) {
    specification = {.family = KeyFamily::kEc, .curve = "prime256v1"};
  }
  if (algorithm == TokenAlgorithm::kEdDsa) specification = {.family = KeyFamily::kEd25519};
  auto key = crypto::PrivateKey::Generate(specification);
  CHECK(key.has_value());
  return *std::move(key);
}

// One INTEGER of a DER signature as 32 bytes; moves `der` behind it.
Bytes TakeNumber(ByteView& der) {
  const std::size_t size = der[1];
  ByteView number = der.subspan(2, size);
  der = der.subspan(2 + size);
  if (number.size() > 32) number = number.subspan(1);
  Bytes fixed(32 - number.size());
  Append(fixed, number);
  return fixed;
}

}  // namespace

std::string ToBase64Url(ByteView bytes) {
  std::string text = ToBase64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

IssuerForTest::IssuerForTest(TokenAlgorithm algorithm, std::string id)
    : algorithm_(algorithm), id_(std::move(id)), key_(NewKey(algorithm)) {}

std::string IssuerForTest::algorithm_name() const {
  switch (algorithm_) {
    case TokenAlgorithm::kRs256:
      return "RS256";
    case TokenAlgorithm::kPs256:
      return "PS256";
    case TokenAlgorithm::kEs256:
      return "ES256";
    case TokenAlgorithm::kEdDsa:
      return "EdDSA";
  }
  return "";
}

std::string IssuerForTest::Sign(std::string_view header, std::string_view claims) const {
  const std::string input = ToBase64Url(AsBytes(header)) + "." + ToBase64Url(AsBytes(claims));
  crypto::SignatureScheme scheme;
  if (algorithm_ == TokenAlgorithm::kPs256) scheme.padding = crypto::SignaturePadding::kPss;
  auto signature = crypto::SignMessage(key_, scheme, AsBytes(input));
  CHECK(signature.has_value());
  if (algorithm_ == TokenAlgorithm::kEs256) {
    ByteView numbers = ByteView(*signature).subspan(2);
    Bytes raw = TakeNumber(numbers);
    Append(raw, TakeNumber(numbers));
    *signature = std::move(raw);
  }
  return input + "." + ToBase64Url(*signature);
}

std::string IssuerForTest::Sign(std::string_view claims) const {
  return Sign(R"({"alg":")" + algorithm_name() + R"(","kid":")" + id_ + R"(","typ":"JWT"})",
              claims);
}

std::string IssuerForTest::bare_jwk() const {
  const auto half = key_.Public();
  CHECK(half.has_value());
  if (algorithm_ == TokenAlgorithm::kEs256) {
    const Bytes point = half->Ec()->point;
    const ByteView view(point);
    return R"({"kty":"EC","crv":"P-256","x":")" + ToBase64Url(view.subspan(1, 32)) + R"(","y":")" +
           ToBase64Url(view.subspan(33)) + R"("})";
  }
  if (algorithm_ == TokenAlgorithm::kEdDsa) {
    return R"({"kty":"OKP","crv":"Ed25519","x":")" + ToBase64Url(*half->Octets()) + R"("})";
  }
  const auto numbers = half->Rsa();
  return R"({"kty":"RSA","n":")" + ToBase64Url(numbers->modulus) + R"(","e":")" +
         ToBase64Url(numbers->public_exponent) + R"("})";
}

std::string IssuerForTest::jwk() const {
  std::string text = bare_jwk();
  text.pop_back();
  return text + R"(,"use":"sig","kid":")" + id_ + R"(","alg":")" + algorithm_name() + R"("})";
}

Bytes IssuerForTest::public_der() const {
  return *key_.Public()->Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo);
}

}  // namespace dare::identity
