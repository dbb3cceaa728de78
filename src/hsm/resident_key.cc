#include "hsm/resident_key.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "base/log.h"
#include "crypto/asymmetric_key.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "hsm/ecdsa_signature.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

constexpr std::size_t kMostListed = std::size_t{1} << 16;
constexpr std::string_view kWhat = "a key that stays in the HSM";
constexpr std::string_view kPairProbe = "dare-kms pair check";

// Beside the rights, which differ.
constexpr AttributeRule kRules[] = {
    {CKA_TOKEN, "CKA_TOKEN", true, false},
    {CKA_PRIVATE, "CKA_PRIVATE", true, false},
    {CKA_SENSITIVE, "CKA_SENSITIVE", true, false},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", true, false},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false, false},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", true, false},
    {CKA_LOCAL, "CKA_LOCAL", true, false},
    {CKA_DERIVE, "CKA_DERIVE", false, false},
    {CKA_MODIFIABLE, "CKA_MODIFIABLE", false, false},
    {CKA_COPYABLE, "CKA_COPYABLE", false, true},
};

bool SetByToken(CK_ATTRIBUTE_TYPE type) {
  return type == CKA_ALWAYS_SENSITIVE || type == CKA_NEVER_EXTRACTABLE || type == CKA_LOCAL;
}

// The named curves that tokens are asked for: OBJECT IDENTIFIER in DER (RFC 5480, 2.1.1.1).
constexpr std::uint8_t kP256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
constexpr std::uint8_t kP384[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
constexpr std::uint8_t kP521[] = {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23};

ByteView CurveParameters(const std::string& curve) {
  if (curve == "prime256v1") return kP256;
  if (curve == "secp384r1") return kP384;
  if (curve == "secp521r1") return kP521;
  return {};
}

CK_OBJECT_CLASS ClassOf(ResidentKind kind) {
  return kind == ResidentKind::kRsa || kind == ResidentKind::kEc ? CKO_PRIVATE_KEY : CKO_SECRET_KEY;
}

CK_KEY_TYPE TypeOf(ResidentKind kind) {
  switch (kind) {
    case ResidentKind::kAes:
      return CKK_AES;
    case ResidentKind::kHmac:
      return CKK_GENERIC_SECRET;
    case ResidentKind::kRsa:
      return CKK_RSA;
    case ResidentKind::kEc:
      return CKK_EC;
  }
  return CKK_VENDOR_DEFINED;
}

void AddRules(Template& wanted, bool copyable_known) {
  for (const AttributeRule& rule : kRules) {
    if (SetByToken(rule.type) || (rule.optional && !copyable_known)) continue;
    wanted.Bool(rule.type, rule.value);
  }
}

CK_RV GenerateSecret(const SessionLease& lease, const ResidentSpecification& spec, ByteView id,
                     bool copyable_known, ObjectHandle& made) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = TypeOf(spec.kind);
  const CK_ULONG bytes = spec.bits / 8;
  const bool aes = spec.kind == ResidentKind::kAes;
  Template wanted;
  wanted.Number(CKA_CLASS, object_class)
      .Number(CKA_KEY_TYPE, type)
      .Number(CKA_VALUE_LEN, bytes)
      .Data(CKA_LABEL, AsBytes(spec.label))
      .Data(CKA_ID, id)
      .Bool(CKA_ENCRYPT, spec.rights.encrypt && aes)
      .Bool(CKA_DECRYPT, spec.rights.decrypt && aes)
      .Bool(CKA_SIGN, spec.rights.sign)
      .Bool(CKA_VERIFY, spec.rights.verify)
      .Bool(CKA_WRAP, spec.rights.wrap && aes)
      .Bool(CKA_UNWRAP, spec.rights.unwrap && aes);
  AddRules(wanted, copyable_known);
  CK_MECHANISM mechanism{
      static_cast<CK_MECHANISM_TYPE>(aes ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN), nullptr,
      0};
  return lease.functions().C_GenerateKey(lease.session(), &mechanism, wanted.data(), wanted.size(),
                                         &made);
}

// The public half is an object of the session only: it is read at once, and kept by the KMS.
CK_RV GeneratePair(const SessionLease& lease, const ResidentSpecification& spec, ByteView id,
                   bool copyable_known, ObjectHandle& open_half, ObjectHandle& made) {
  const bool rsa = spec.kind == ResidentKind::kRsa;
  const CK_ULONG bits = spec.bits;
  constexpr std::uint8_t kExponent[] = {0x01, 0x00, 0x01};
  Template open;
  open.Bool(CKA_TOKEN, false).Bool(CKA_PRIVATE, false).Bool(CKA_VERIFY, true);
  if (rsa) {
    open.Number(CKA_MODULUS_BITS, bits).Data(CKA_PUBLIC_EXPONENT, kExponent);
  } else {
    open.Data(CKA_EC_PARAMS, CurveParameters(spec.curve));
  }
  Template secret;
  secret.Data(CKA_LABEL, AsBytes(spec.label))
      .Data(CKA_ID, id)
      .Bool(CKA_SIGN, spec.rights.sign)
      .Bool(CKA_DECRYPT, spec.rights.decrypt && rsa)
      .Bool(CKA_UNWRAP, false)
      .Bool(CKA_SIGN_RECOVER, false);
  AddRules(secret, copyable_known);
  CK_MECHANISM mechanism{
      static_cast<CK_MECHANISM_TYPE>(rsa ? CKM_RSA_PKCS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN),
      nullptr, 0};
  return lease.functions().C_GenerateKeyPair(lease.session(), &mechanism, open.data(), open.size(),
                                             secret.data(), secret.size(), &open_half, &made);
}

// CKA_EC_POINT is an OCTET STRING around the point; some tokens leave the wrapping out
// (pkcs11-curr 2.3.3).
ByteView PointIn(ByteView value) {
  if (value.size() > 2 && value[0] == 0x04 && value[1] == value.size() - 2) return value.subspan(2);
  if (value.size() > 3 && value[0] == 0x04 && value[1] == 0x81 && value[2] == value.size() - 3) {
    return value.subspan(3);
  }
  return value;
}

Result<Bytes> PublicKeyOf(const SessionLease& lease, ObjectHandle open_half,
                          const ResidentSpecification& spec) {
  if (spec.kind == ResidentKind::kRsa) {
    crypto::RsaNumbers numbers;
    numbers.modulus = TRY(ReadBytes(lease, open_half, CKA_MODULUS));
    numbers.public_exponent = TRY(ReadBytes(lease, open_half, CKA_PUBLIC_EXPONENT));
    return TRY(crypto::PublicKey::FromRsa(numbers))
        .Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo);
  }
  const Bytes value = TRY(ReadBytes(lease, open_half, CKA_EC_POINT));
  crypto::EcNumbers numbers;
  numbers.curve = spec.curve;
  numbers.point = ToBytes(PointIn(value));
  return TRY(crypto::PublicKey::FromEc(numbers))
      .Encode(crypto::PublicKeyFormat::kSubjectPublicKeyInfo);
}

Error Another(const ResidentReference& key) {
  return Error(Code::kDenied, "the key " + ToHex(key.id) +
                                  " in the HSM is refused: it is not the one that was made there");
}

// An elliptic curve key shows its public half to nobody: it must sign for it.
Result<void> CheckSigns(const SessionLease& lease, ObjectHandle handle,
                        const ResidentReference& key) {
  const crypto::Sha256Digest digest = crypto::Sha256(AsBytes(kPairProbe));
  CK_MECHANISM mechanism{CKM_ECDSA, nullptr, 0};
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_RV rv = p11.C_SignInit(lease.session(), &mechanism, handle);
  if (rv != CKR_OK) return Pkcs11Error("the key cannot sign", rv);
  Bytes raw(2 * ((key.bits + 7) / 8));
  CK_ULONG size = raw.size();
  rv = p11.C_Sign(lease.session(), const_cast<std::uint8_t*>(digest.data()), digest.size(),
                  raw.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("the key cannot sign", rv);
  if (size != raw.size()) return Another(key);
  const auto half = TRY(crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo,
                                                 key.public_key, crypto::KeySource::kChecked));
  const auto right = crypto::VerifyDigest(half, {}, digest, DerSignature(raw));
  return right && *right ? Result<void>() : Another(key);
}

Result<void> CheckPublicHalf(const SessionLease& lease, ObjectHandle handle,
                             const ResidentReference& key) {
  if (key.kind == ResidentKind::kEc) {
    // A key without the right to sign can do nothing at all.
    return TRY(ReadBool(lease, handle, CKA_SIGN)) ? CheckSigns(lease, handle, key) : Result<void>();
  }
  const auto half = TRY(crypto::PublicKey::Parse(crypto::PublicKeyFormat::kSubjectPublicKeyInfo,
                                                 key.public_key, crypto::KeySource::kChecked));
  const crypto::RsaNumbers numbers = TRY(half.Rsa());
  Bytes modulus = TRY(ReadBytes(lease, handle, CKA_MODULUS));
  while (!modulus.empty() && modulus.front() == 0) modulus.erase(modulus.begin());
  return modulus == numbers.modulus ? Result<void>() : Another(key);
}

// Whether the key is what the reference says, and as strong as it was made.
Result<void> Judge(const SessionLease& lease, ObjectHandle handle, const ResidentReference& key) {
  const CK_ULONG type = TRY(ReadNumber(lease, handle, CKA_KEY_TYPE));
  if (type != TypeOf(key.kind)) return Another(key);
  TRY(CheckRules(lease, handle, kRules, "the key " + ToHex(key.id) + " in the HSM"));
  if (key.IsPair()) return CheckPublicHalf(lease, handle, key);
  const Result<CK_ULONG> bytes = ReadNumber(lease, handle, CKA_VALUE_LEN);
  if (bytes && *bytes != key.bits / 8) return Another(key);
  if (key.check.empty()) return {};
  const Result<Bytes> check = ReadBytes(lease, handle, CKA_CHECK_VALUE);
  return check && *check == key.check ? Result<void>() : Another(key);
}

Result<std::vector<ObjectHandle>> FindById(const SessionLease& lease, CK_OBJECT_CLASS object_class,
                                           ByteView id) {
  Template wanted;
  wanted.Number(CKA_CLASS, object_class).Bool(CKA_TOKEN, true).Data(CKA_ID, id);
  return FindObjects(lease, wanted, 2);
}

Result<std::vector<ResidentEntry>> ListIn(const SessionLease& lease, const TokenInfo& token,
                                          const std::string& label_prefix) {
  std::vector<ResidentEntry> found;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    Template wanted;
    wanted.Number(CKA_CLASS, object_class).Bool(CKA_TOKEN, true);
    for (const ObjectHandle handle : TRY(FindObjects(lease, wanted, kMostListed))) {
      // What shows no label is somebody else's.
      const Result<Bytes> label = ReadBytes(lease, handle, CKA_LABEL);
      if (!label || !AsText(*label).starts_with(label_prefix)) continue;
      found.push_back({std::string(AsText(*label)), token.label, token.serial,
                       TRY(ReadBytes(lease, handle, CKA_ID))});
    }
  }
  return found;
}

}  // namespace

TokenResidentKeys::TokenResidentKeys(std::vector<std::shared_ptr<SessionPool>> pools,
                                     std::size_t most_keys)
    : pools_(std::move(pools)), most_keys_(most_keys) {}

Error TokenResidentKeys::Gone(const ResidentReference& key) {
  return Error(Code::kNotFound, "the HSM '" + key.token_label + "' does not have the key " +
                                    ToHex(key.id) + " any more");
}

bool TokenResidentKeys::IsStale(const Error& error) {
  return error.detail == CKR_KEY_HANDLE_INVALID || error.detail == CKR_OBJECT_HANDLE_INVALID ||
         error.detail == CKR_WRAPPING_KEY_HANDLE_INVALID ||
         error.detail == CKR_UNWRAPPING_KEY_HANDLE_INVALID;
}

std::vector<std::size_t> TokenResidentKeys::PlacesOf(const ResidentReference& key) const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < pools_.size(); ++i) {
    const TokenInfo token = pools_[i]->token();
    const bool home = token.label == key.token_label && token.serial == key.token_serial;
    places.insert(home ? places.begin() : places.end(), i);
  }
  return places;
}

Result<TokenResidentKeys::Handle> TokenResidentKeys::HandleOf(std::size_t place,
                                                              const SessionLease& lease,
                                                              const ResidentReference& key) {
  {
    const MutexLock lock(mutex_);
    const auto known = handles_.find({place, key.id});
    if (known != handles_.end() && known->second.generation == lease.generation()) {
      return known->second.handle;
    }
  }
  const auto found = TRY(FindById(lease, ClassOf(key.kind), key.id));
  if (found.empty()) return Gone(key);
  if (found.size() > 1) {
    return Error(Code::kDenied,
                 "the HSM has two keys with the CKA_ID " + ToHex(key.id) + "; neither is used");
  }
  TRY(Judge(lease, found.front(), key));
  const MutexLock lock(mutex_);
  if (handles_.size() >= kMostHandles) handles_.clear();
  handles_[{place, key.id}] = {lease.generation(), found.front()};
  return found.front();
}

void TokenResidentKeys::Forget(std::size_t place, ByteView id) {
  const MutexLock lock(mutex_);
  handles_.erase({place, ToBytes(id)});
}

Result<ResidentReference> TokenResidentKeys::GenerateIn(std::size_t place,
                                                        const ResidentSpecification& wanted) {
  const SessionLease lease = TRY(pools_[place]->OpenReadWrite());
  const TokenInfo token = pools_[place]->token();
  if (TRY(ListIn(lease, token, std::string(kResidentLabel))).size() >= most_keys_) {
    return Error(Code::kExhausted, "the HSM '" + token.label + "' holds " +
                                       std::to_string(most_keys_) +
                                       " keys already, as many as the configuration allows");
  }
  ResidentReference key{.kind = wanted.kind,
                        .bits = static_cast<std::uint32_t>(wanted.bits),
                        .token_label = token.label,
                        .token_serial = token.serial};
  key.id.resize(16);
  TRY(crypto::RandomBytes(key.id));
  if (wanted.kind == ResidentKind::kEc) {
    if (CurveParameters(wanted.curve).empty()) {
      return Error(Code::kUnsupported, "no HSM is asked for keys on this curve");
    }
    key.bits = static_cast<std::uint32_t>(crypto::CurveBits(wanted.curve));
  }
  ObjectHandle open_half = CK_INVALID_HANDLE;
  ObjectHandle made = CK_INVALID_HANDLE;
  const auto generate = [&](bool copyable_known) {
    return key.IsPair() ? GeneratePair(lease, wanted, key.id, copyable_known, open_half, made)
                        : GenerateSecret(lease, wanted, key.id, copyable_known, made);
  };
  CK_RV rv = generate(true);
  // A token that does not know PKCS#11 2.40's attributes gets the template without them.
  if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
      rv == CKR_TEMPLATE_INCONSISTENT) {
    rv = generate(false);
  }
  if (rv != CKR_OK) return Pkcs11Error("the HSM makes no such key", rv);
  const Result<void> complete = [&]() -> Result<void> {
    if (key.IsPair()) {
      key.public_key = TRY(PublicKeyOf(lease, open_half, wanted));
    } else if (Result<Bytes> check = ReadBytes(lease, made, CKA_CHECK_VALUE); check) {
      key.check = *std::move(check);
    }
    return Judge(lease, made, key);
  }();
  if (!complete) {
    if (lease.functions().C_DestroyObject(lease.session(), made) != CKR_OK) {
      log::Failure("hsm: a key that is no good could not be removed: '" + wanted.label + "'");
    }
    return complete.error().In("the HSM makes no such key");
  }
  return key;
}

Result<ResidentReference> TokenResidentKeys::Generate(const ResidentSpecification& wanted) {
  Result<ResidentReference> made = Error(Code::kUnavailable, "there is no HSM to make keys in");
  for (std::size_t place = 0; place < pools_.size(); ++place) {
    made = GenerateIn(place, wanted);
    if (made) return made;
    log::Warning("hsm: " + made.error().message);
  }
  return made;
}

Result<void> TokenResidentKeys::Find(const ResidentReference& key) {
  // A handle that is known may be of a key that was removed since.
  return With(key, [](const SessionLease& lease, Handle handle) -> Result<void> {
    TRY(ReadNumber(lease, handle, CKA_KEY_TYPE));
    return {};
  });
}

Result<bool> TokenResidentKeys::RemoveFrom(std::size_t place, ByteView id) {
  const SessionLease lease = TRY(pools_[place]->OpenReadWrite());
  bool removed = false;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    for (const ObjectHandle handle : TRY(FindById(lease, object_class, id))) {
      const CK_RV rv = lease.functions().C_DestroyObject(lease.session(), handle);
      if (rv != CKR_OK && rv != CKR_OBJECT_HANDLE_INVALID) {
        return Pkcs11Error("the HSM does not remove the key " + ToHex(id), rv);
      }
      removed = true;
    }
  }
  Forget(place, id);
  return removed;
}

Result<void> TokenResidentKeys::Remove(const ResidentReference& key) {
  // A token that is away and never had the key does not keep it from being removed.
  bool settled = false;
  Result<void> outcome;
  for (const std::size_t place : PlacesOf(key)) {
    const TokenInfo token = pools_[place]->token();
    const bool home = token.label == key.token_label && token.serial == key.token_serial;
    const Result<bool> removed = RemoveFrom(place, key.id);
    if (!removed && !settled) outcome = removed.error();
    settled |= removed && (home || *removed);
  }
  return settled ? Result<void>() : outcome;
}

Result<void> TokenResidentKeys::Remove(const ResidentEntry& key) {
  ResidentReference where;
  where.token_label = key.token_label;
  where.token_serial = key.token_serial;
  where.id = key.id;
  return Remove(where);
}

Result<std::vector<ResidentEntry>> TokenResidentKeys::List(const std::string& label_prefix) {
  std::vector<ResidentEntry> all;
  for (const std::shared_ptr<SessionPool>& pool : pools_) {
    auto here = TRY(pool->With(
        [&](const SessionLease& lease) { return ListIn(lease, pool->token(), label_prefix); }));
    std::ranges::move(here, std::back_inserter(all));
  }
  return all;
}

}  // namespace dare::hsm
