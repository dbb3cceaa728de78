#include "crypto/certificate_chain.h"

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "crypto/x509.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

constexpr int kLegacyLevel = 0;  // OpenSSL's security levels, SSL_CTX_set_security_level(3)
constexpr int kGoodLevel = 2;    // 112 bits

Result<std::vector<X509Ptr>> Decode(std::span<const ByteView> encoded) {
  std::vector<X509Ptr> certificates;
  for (const ByteView der : encoded) certificates.push_back(TRY(DecodeCertificate(der)));
  return certificates;
}

bool Issued(X509* issuer, X509* subject) { return X509_check_issued(issuer, subject) == X509_V_OK; }
bool IsSelfSigned(X509* certificate) { return X509_self_signed(certificate, 1) == 1; }

// The one certificate that issued none of the others; null when there is none or several.
X509* EndOf(const std::vector<X509Ptr>& certificates) {
  X509* end = nullptr;
  for (const X509Ptr& candidate : certificates) {
    const bool issuer = std::ranges::any_of(certificates, [&](const X509Ptr& other) {
      return other != candidate && X509_cmp(other.get(), candidate.get()) != 0 &&
             Issued(candidate.get(), other.get());
    });
    if (issuer || (end != nullptr && X509_cmp(end, candidate.get()) == 0)) continue;
    if (end != nullptr) return nullptr;
    end = candidate.get();
  }
  return end;
}

// One run of OpenSSL's verification.
class Verification {
 public:
  // Without `time`, dates do not matter.
  Verification(std::optional<std::int64_t> time, bool allow_legacy)
      : store_(X509_STORE_new()),
        intermediates_(sk_X509_new_null()),
        context_(X509_STORE_CTX_new()) {
    X509_VERIFY_PARAM* parameters = X509_STORE_get0_param(store_.get());
    if (time) {
      X509_VERIFY_PARAM_set_time(parameters, *time);
    } else {
      Flag(X509_V_FLAG_NO_CHECK_TIME);
    }
    X509_VERIFY_PARAM_set_auth_level(parameters, allow_legacy ? kLegacyLevel : kGoodLevel);
  }

  void Trust(X509* certificate) { X509_STORE_add_cert(store_.get(), certificate); }
  void Offer(X509* certificate) {
    X509_up_ref(certificate);
    sk_X509_push(intermediates_.get(), certificate);
  }
  // Ends at any trusted certificate, not only at self-signed ones.
  void AllowPartialChains() { Flag(X509_V_FLAG_PARTIAL_CHAIN); }

  bool Run(X509* end) {
    const bool ready =
        X509_STORE_CTX_init(context_.get(), store_.get(), end, intermediates_.get()) == 1;
    const bool good = ready && X509_verify_cert(context_.get()) == 1;
    TakeOpenSslError();
    return good;
  }

  bool lacks_anchor() const {
    switch (X509_STORE_CTX_get_error(context_.get())) {
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return true;
      default:
        return false;
    }
  }
  // The last certificate that was reached.
  X509* top() const {
    const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context_.get());
    return sk_X509_num(chain) > 0 ? sk_X509_value(chain, sk_X509_num(chain) - 1) : nullptr;
  }
  bool Reached(X509* certificate) const {
    const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context_.get());
    for (int i = 0; i < sk_X509_num(chain); ++i) {
      if (X509_cmp(sk_X509_value(chain, i), certificate) == 0) return true;
    }
    return false;
  }

 private:
  void Flag(unsigned long flag) {
    X509_VERIFY_PARAM_set_flags(X509_STORE_get0_param(store_.get()), flag);
  }
  StorePtr store_;
  StackPtr intermediates_;
  StoreContextPtr context_;
};

bool ReachedAll(const Verification& verification, const std::vector<X509Ptr>& certificates) {
  return std::ranges::all_of(certificates, [&](const X509Ptr& certificate) {
    return verification.Reached(certificate.get());
  });
}

}  // namespace

Result<ChainVerdict> JudgeChain(std::span<const ByteView> certificates,
                                std::span<const ByteView> anchors, std::int64_t time,
                                bool allow_legacy) {
  const std::vector<X509Ptr> given = TRY(Decode(certificates));
  const std::vector<X509Ptr> trusted = TRY(Decode(anchors));
  X509* end = EndOf(given);
  if (end == nullptr) return ChainVerdict::kInvalid;

  Verification verification(time, allow_legacy);
  for (const X509Ptr& anchor : trusted) verification.Trust(anchor.get());
  for (const X509Ptr& certificate : given) {
    if (IsSelfSigned(certificate.get())) {
      verification.Trust(certificate.get());
    } else {
      verification.Offer(certificate.get());
    }
  }
  TakeOpenSslError();
  if (verification.Run(end)) {
    return ReachedAll(verification, given) ? ChainVerdict::kValid : ChainVerdict::kInvalid;
  }
  X509* top = verification.top();
  if (!verification.lacks_anchor() || top == nullptr) return ChainVerdict::kInvalid;

  // Without an anchor: is what there is good as far as it goes?
  Verification partial(time, allow_legacy);
  partial.AllowPartialChains();
  partial.Trust(top);
  for (const X509Ptr& certificate : given) partial.Offer(certificate.get());
  const bool good = partial.Run(end) && ReachedAll(partial, given);
  return good ? ChainVerdict::kUnknown : ChainVerdict::kInvalid;
}

Result<bool> BelongsTo(ByteView certificate, std::span<const ByteView> authorities) {
  const X509Ptr candidate = TRY(DecodeCertificate(certificate));
  const std::vector<X509Ptr> others = TRY(Decode(authorities));
  Verification verification(std::nullopt, true);
  verification.AllowPartialChains();
  for (const X509Ptr& other : others) {
    const bool same_name = X509_NAME_cmp(X509_get_subject_name(candidate.get()),
                                         X509_get_subject_name(other.get())) == 0;
    const EVP_PKEY* key = X509_get0_pubkey(candidate.get());
    const EVP_PKEY* other_key = X509_get0_pubkey(other.get());
    if (key == nullptr || other_key == nullptr) {
      TakeOpenSslError();
      return Error(Code::kMalformed, "a certificate whose key cannot be read");
    }
    if (same_name || EVP_PKEY_eq(key, other_key) == 1) return true;
    verification.Trust(other.get());
    verification.Offer(other.get());
  }
  return verification.Run(candidate.get());
}

}  // namespace dare::crypto
