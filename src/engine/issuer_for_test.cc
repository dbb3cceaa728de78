#include "engine/issuer_for_test.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/check.h"
#include "crypto/certificate_builder.h"

namespace dare::engine {
namespace {
constexpr std::int64_t kYear = 365 * 86400;
}  // namespace

struct IssuerForTest::Key {
  EVP_PKEY* pkey = EVP_EC_gen("P-256");
  ~Key() { EVP_PKEY_free(pkey); }
};

IssuerForTest::IssuerForTest(std::int64_t now) : key_(std::make_unique<Key>()) {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(key_->pkey, &encoded);
  CHECK(size > 0);
  crypto::CertificatePlan plan;
  plan.subject = *crypto::ParseName("CN=KMIP,OU=OASIS,O=TEST,C=US");
  plan.public_key.assign(encoded, encoded + size);
  OPENSSL_free(encoded);
  plan.not_before = now;
  plan.not_after = now + 10 * kYear;
  plan.extensions = {{crypto::kBasicConstraintsNid, "critical,CA:TRUE,pathlen:0"},
                     {crypto::kKeyUsageNid, "critical,keyCertSign"},
                     {crypto::kSubjectKeyIdentifierNid, "hash"}};
  certificate_ =
      *crypto::BuildCertificate(plan, {}, [this](ByteView digest) { return Sign(digest); });
}

IssuerForTest::~IssuerForTest() = default;

bool IssuerForTest::Serves(const policy::Principal& principal) const {
  return principal.name == "alice";
}

Result<Bytes> IssuerForTest::Issue(const CertificateWish& wish, std::int64_t now) const {
  last_ = wish;
  crypto::CertificatePlan plan;
  plan.subject = wish.subject;
  plan.public_key = wish.public_key;
  plan.subject_alternatives = wish.subject_alternatives;
  plan.not_before = now;
  plan.not_after = wish.good_until.value_or(now + kYear);
  plan.extensions = {{crypto::kBasicConstraintsNid, "critical,CA:FALSE"}};
  return crypto::BuildCertificate(plan, certificate_,
                                  [this](ByteView digest) { return Sign(digest); });
}

Result<Bytes> IssuerForTest::Sign(ByteView digest) const {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key_->pkey, nullptr);
  Bytes signature(80);
  std::size_t size = signature.size();
  const bool done =
      EVP_PKEY_sign_init(context) == 1 &&
      EVP_PKEY_sign(context, signature.data(), &size, digest.data(), digest.size()) == 1;
  EVP_PKEY_CTX_free(context);
  if (!done) return Error(Code::kInternal, "cannot sign");
  signature.resize(size);
  return signature;
}

}  // namespace dare::engine
