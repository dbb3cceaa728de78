#include "crypto/pkcs12.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include <utility>

#include "crypto/fips_policy.h"
#include "crypto/openssl_handles.h"
#include "crypto/x509_handles.h"

namespace dare::crypto {
namespace {

using Pkcs12Ptr = std::unique_ptr<PKCS12, FreeWith<PKCS12_free>>;

constexpr int kIterations = 20'000;
// Opening runs on the thread that writes; two kinds of bags and the MAC may ask for it each.
constexpr std::int64_t kMostIterations = 1'000'000;

Error Damaged() {
  ERR_clear_error();
  return Error(Code::kDamaged, "the PKCS#12 container does not open with this password");
}

// The key of a container's MAC comes from RFC 7292's own derivation, which SP 800-132 does not
// know.
Result<void> RefuseWhereConfined() {
  if (!ConfinedToFips()) return {};
  return Error(Code::kDenied,
               "PKCS#12 is not approved by FIPS 140-3, and the crypto policy is fips");
}

Error NoMemory() {
  ERR_clear_error();
  return Error(Code::kExhausted, "no memory for a PKCS#12 container");
}

// A password that OpenSSL can take: with a zero behind it, none inside, wiped.
Result<WipingBytes> Terminated(ByteView password) {
  for (const std::uint8_t byte : password) {
    if (byte == 0) return Error(Code::kInvalidArgument, "a password with a zero in it");
  }
  WipingBytes text(password.begin(), password.end());
  text.push_back(0);
  return text;
}
const char* Text(const WipingBytes& password) {
  return reinterpret_cast<const char*>(password.data());
}

// What protects a bag: an algorithm older than PBES2 (which means AES here), or more work than
// anybody should be made to do.
struct Protection {
  bool old = false;
  bool costly = false;

  void Add(bool is_old, std::int64_t iterations) {
    old |= is_old;
    costly |= iterations < 0 || iterations > kMostIterations;
  }
};

template <auto Free, typename T>
std::unique_ptr<T, FreeWith<Free>> Parameter(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  const void* value = nullptr;
  int type = 0;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return nullptr;
  const auto* sequence = static_cast<const ASN1_STRING*>(value);
  return std::unique_ptr<T, FreeWith<Free>>(static_cast<T*>(ASN1_item_unpack(sequence, item)));
}

int KindOf(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(object);
}

void Judge(const X509_ALGOR* algorithm, Protection& protection) {
  if (KindOf(algorithm) != NID_pbes2) {
    const auto old = Parameter<PBEPARAM_free, PBEPARAM>(algorithm, ASN1_ITEM_rptr(PBEPARAM));
    return protection.Add(true, old ? ASN1_INTEGER_get(old->iter) : -1);
  }
  const auto scheme = Parameter<PBE2PARAM_free, PBE2PARAM>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
  if (!scheme || KindOf(scheme->keyfunc) != NID_id_pbkdf2) return protection.Add(false, -1);
  const auto work =
      Parameter<PBKDF2PARAM_free, PBKDF2PARAM>(scheme->keyfunc, ASN1_ITEM_rptr(PBKDF2PARAM));
  protection.Add(false, work ? ASN1_INTEGER_get(work->iter) : -1);
}

void Judge(const STACK_OF(PKCS12_SAFEBAG) * bags, Protection& protection) {
  for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
    const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
    if (PKCS12_SAFEBAG_get_nid(bag) != NID_pkcs8ShroudedKeyBag) continue;
    const X509_ALGOR* algorithm = nullptr;
    X509_SIG_get0(PKCS12_SAFEBAG_get0_pkcs8(bag), &algorithm, nullptr);
    if (algorithm != nullptr) Judge(algorithm, protection);
  }
}

inline void FreeSafes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }
inline void FreeBags(STACK_OF(PKCS12_SAFEBAG) * bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

Protection ProtectionOf(const PKCS12* container) {
  Protection protection;
  const ASN1_INTEGER* of_mac = nullptr;
  PKCS12_get0_mac(nullptr, nullptr, nullptr, &of_mac, container);
  if (of_mac != nullptr) protection.Add(false, ASN1_INTEGER_get(of_mac));
  const std::unique_ptr<STACK_OF(PKCS7), FreeWith<FreeSafes>> safes(
      PKCS12_unpack_authsafes(container));
  for (int i = 0; safes && i < sk_PKCS7_num(safes.get()); ++i) {
    PKCS7* safe = sk_PKCS7_value(safes.get(), i);
    if (PKCS7_type_is_encrypted(safe)) {
      Judge(safe->d.encrypted->enc_data->algorithm, protection);
    } else if (PKCS7_type_is_data(safe)) {
      const std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), FreeWith<FreeBags>> bags(
          PKCS12_unpack_p7data(safe));
      if (bags) Judge(bags.get(), protection);
    }
  }
  ERR_clear_error();
  return protection;
}

Result<Pkcs12Ptr> Decode(ByteView der) {
  const std::uint8_t* in = der.data();
  Pkcs12Ptr container(d2i_PKCS12(nullptr, &in, static_cast<long>(der.size())));
  if (!container || in != der.data() + der.size()) {
    ERR_clear_error();
    return Error(Code::kMalformed, "these bytes are no PKCS#12 container");
  }
  return container;
}

Result<void> CheckProtection(const PKCS12* container, const AlgorithmPolicy& policy) {
  const Protection protection = ProtectionOf(container);
  if (protection.costly) {
    return Error(Code::kUnsupported, "the PKCS#12 container asks for too many iterations");
  }
  if (protection.old && !policy.allow_legacy) {
    return Error(Code::kDenied, "PKCS#12 with 3DES or older is not allowed by the policy");
  }
  return {};
}

Result<Bytes> EncodeCertificate(X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return NoMemory();
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* out = der.data();
  i2d_X509(certificate, &out);
  return der;
}

// The certificate among `others` that issued `of`; null at the end of the chain. The stack
// keeps it.
X509* IssuerOf(STACK_OF(X509) * others, X509* of) {
  if (X509_check_issued(of, of) == X509_V_OK) return nullptr;
  for (int i = 0; i < sk_X509_num(others); ++i) {
    X509* candidate = sk_X509_value(others, i);
    if (candidate != of && X509_check_issued(candidate, of) == X509_V_OK) return candidate;
  }
  return nullptr;
}

std::string FriendlyName(X509* certificate) {
  int length = 0;
  const unsigned char* alias = X509_alias_get0(certificate, &length);
  if (alias == nullptr || length <= 0) return {};
  return std::string(reinterpret_cast<const char*>(alias), static_cast<std::size_t>(length));
}

}  // namespace

Result<Pkcs12> OpenPkcs12(ByteView der, ByteView password, const AlgorithmPolicy& policy) {
  TRY(RefuseWhereConfined());
  const WipingBytes text = TRY(Terminated(password));
  const Pkcs12Ptr container = TRY(Decode(der));
  TRY(CheckProtection(container.get(), policy));
  EVP_PKEY* key = nullptr;
  X509* own = nullptr;
  STACK_OF(X509)* others = nullptr;
  const int opened = PKCS12_parse(container.get(), Text(text), &key, &own, &others);
  PkeyPtr held_key(key);
  const X509Ptr held_own(own);
  const StackPtr held_others(others);
  if (opened != 1) return Damaged();
  if (!held_key) return Error(Code::kInvalidArgument, "no private key in the PKCS#12 container");
  PrivateKey adopted = TRY(PrivateKey::Adopt(held_key.release()));
  Pkcs12 contents{std::move(adopted), {}, {}};
  if (held_own) {
    contents.friendly_name = FriendlyName(held_own.get());
    contents.certificates.push_back(TRY(EncodeCertificate(held_own.get())));
  }
  const int most = held_others ? sk_X509_num(held_others.get()) : 0;
  X509* next = held_own.get();
  for (int i = 0; next != nullptr && i < most; ++i) {
    next = IssuerOf(held_others.get(), next);
    if (next != nullptr) contents.certificates.push_back(TRY(EncodeCertificate(next)));
  }
  ERR_clear_error();
  return contents;
}

Result<SecretBytes> MakePkcs12(const Pkcs12& contents, ByteView password) {
  TRY(RefuseWhereConfined());
  const WipingBytes text = TRY(Terminated(password));
  X509Ptr own;
  const StackPtr others(sk_X509_new_null());
  if (!others) return NoMemory();
  for (const Bytes& der : contents.certificates) {
    X509Ptr certificate = TRY(DecodeCertificate(der));
    if (!own) {
      own = std::move(certificate);
    } else if (sk_X509_push(others.get(), certificate.get()) > 0) {
      certificate.release();
    } else {
      return NoMemory();
    }
  }
  const Pkcs12Ptr container(PKCS12_create(
      Text(text), contents.friendly_name.empty() ? nullptr : contents.friendly_name.c_str(),
      contents.key.handle(), own.get(), others.get(), NID_aes_256_cbc, NID_aes_256_cbc, kIterations,
      -1, 0));
  // Its own MAC would be SHA-1's in older OpenSSL: made here.
  if (!container ||
      PKCS12_set_mac(container.get(), Text(text), -1, nullptr, 0, kIterations, EVP_sha256()) != 1) {
    ERR_clear_error();
    return Error(Code::kInvalidArgument, "this key and its certificates do not go together");
  }
  std::uint8_t* out = nullptr;
  const int size = i2d_PKCS12(container.get(), &out);
  if (size <= 0) return NoMemory();
  auto der = SecretBytes::CopyOf(ByteView(out, static_cast<std::size_t>(size)));
  OPENSSL_free(out);
  return der;
}

}  // namespace dare::crypto
