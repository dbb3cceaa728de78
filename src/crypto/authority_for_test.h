#pragma once

#include <openssl/evp.h>

#include <string>
#include <vector>

#include "crypto/certificate_builder.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {

struct AuthorityOptionsForTest {
  bool rsa = false;
  std::string name = "Authority";
  std::string usage = "critical,keyCertSign,cRLSign";  // empty: no key usage in its certificate
};

// An authority with its key in memory, good from a day before kNow to a year after. For tests only.
class AuthorityForTest {
 public:
  static constexpr std::int64_t kNow = 1'700'000'000;
  static constexpr std::int64_t kDay = 86400;

  explicit AuthorityForTest(AuthorityOptionsForTest options = {},
                            const AuthorityForTest* above = nullptr)
      : options_(std::move(options)), key_(NewKey(options_.rsa)) {
    CertificatePlan plan = PlanFor(options_.name, key_.get());
    plan.extensions = {{kBasicConstraintsNid, "critical,CA:TRUE"},
                       {kSubjectKeyIdentifierNid, "hash"}};
    if (!options_.usage.empty()) plan.extensions.emplace_back(kKeyUsageNid, options_.usage);
    certificate_ = above == nullptr ? *BuildCertificate(plan, {}, signer())
                                    : *BuildCertificate(plan, above->certificate_, above->signer());
  }

  // Of a client with a key of its own.
  Bytes Issue(const std::string& name) const {
    const PkeyPtr key = NewKey(false);
    return *BuildCertificate(PlanFor(name, key.get()), certificate_, signer());
  }
  // Of the same name and key; as an authority does before its certificate ends.
  Bytes CertifyAgain(const std::string& usage) const {
    CertificatePlan plan = PlanFor(options_.name, key_.get());
    plan.extensions = {{kBasicConstraintsNid, "critical,CA:TRUE"}, {kKeyUsageNid, usage}};
    return *BuildCertificate(plan, {}, signer());
  }

  DigestSigner signer() const {
    return [key = key_.get()](ByteView digest) -> Result<Bytes> {
      const PkeyContextPtr context(EVP_PKEY_CTX_new(key, nullptr));
      Bytes signature(512);
      std::size_t size = signature.size();
      if (EVP_PKEY_sign_init(context.get()) != 1 ||
          EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) != 1 ||
          EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) !=
              1) {
        return Error(Code::kInternal, "cannot sign");
      }
      signature.resize(size);
      return signature;
    };
  }
  EVP_PKEY* key() const { return key_.get(); }
  const Bytes& certificate() const { return certificate_; }

 private:
  static PkeyPtr NewKey(bool rsa) { return PkeyPtr(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256")); }
  static CertificatePlan PlanFor(const std::string& name, EVP_PKEY* key) {
    unsigned char* encoded = nullptr;
    const int size = i2d_PUBKEY(key, &encoded);
    CertificatePlan plan;
    plan.subject = *EncodeName({{kCommonNameNid, name}});
    plan.public_key.assign(encoded, encoded + size);
    OPENSSL_free(encoded);
    plan.not_before = kNow - kDay;
    plan.not_after = kNow + 365 * kDay;
    return plan;
  }

  const AuthorityOptionsForTest options_;
  PkeyPtr key_;
  Bytes certificate_;
};

}  // namespace dare::crypto
