#include "hsm/token_profile.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

constexpr CK_ULONG kKeyBytes = 32;
constexpr CK_ULONG kRsaBits = 2048;
constexpr std::string_view kText = "what a token is tried with, 40 bytes ...";
constexpr std::string_view kAad = "bound to this";
constexpr std::size_t kRoom = 1024;

Error Wrong(std::string what) { return Error(Code::kUnsupported, std::move(what)); }

// An object of the session, destroyed with this.
class Throwaway {
 public:
  Throwaway(const SessionLease& lease, ObjectHandle handle) : lease_(lease), handle_(handle) {}
  Throwaway(Throwaway&& other) noexcept
      : lease_(other.lease_), handle_(std::exchange(other.handle_, CK_INVALID_HANDLE)) {}
  Throwaway& operator=(Throwaway&&) = delete;
  ~Throwaway() {
    if (handle_ != CK_INVALID_HANDLE) {
      lease_.functions().C_DestroyObject(lease_.session(), handle_);
    }
  }
  ObjectHandle handle() const { return handle_; }

 private:
  const SessionLease& lease_;
  ObjectHandle handle_;
};

struct Pair {
  Throwaway open;
  Throwaway secret;
};

using Rights = std::initializer_list<CK_ATTRIBUTE_TYPE>;

Result<Throwaway> MakeSecret(const SessionLease& lease, CK_MECHANISM_TYPE type, Rights rights,
                             bool extractable = false) {
  Template wanted;
  wanted.Number(CKA_VALUE_LEN, kKeyBytes).Bool(CKA_TOKEN, false).Bool(CKA_SENSITIVE, true);
  wanted.Bool(CKA_EXTRACTABLE, extractable);
  for (const CK_ATTRIBUTE_TYPE right : rights) wanted.Bool(right, true);
  CK_MECHANISM mechanism{type, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  const CK_RV rv = lease.functions().C_GenerateKey(lease.session(), &mechanism, wanted.data(),
                                                   wanted.size(), &key);
  if (rv != CKR_OK) return Pkcs11Error("making a key", rv);
  return Throwaway(lease, key);
}

Result<Pair> MakePair(const SessionLease& lease, CK_MECHANISM_TYPE type, Template open,
                      Rights secret_rights) {
  open.Bool(CKA_TOKEN, false);
  Template secret;
  secret.Bool(CKA_TOKEN, false).Bool(CKA_SENSITIVE, true).Bool(CKA_EXTRACTABLE, false);
  for (const CK_ATTRIBUTE_TYPE right : secret_rights) secret.Bool(right, true);
  CK_MECHANISM mechanism{type, nullptr, 0};
  CK_OBJECT_HANDLE open_key = CK_INVALID_HANDLE;
  CK_OBJECT_HANDLE secret_key = CK_INVALID_HANDLE;
  const CK_RV rv =
      lease.functions().C_GenerateKeyPair(lease.session(), &mechanism, open.data(), open.size(),
                                          secret.data(), secret.size(), &open_key, &secret_key);
  if (rv != CKR_OK) return Pkcs11Error("making a key pair", rv);
  return Pair{Throwaway(lease, open_key), Throwaway(lease, secret_key)};
}

Result<Pair> MakeRsaPair(const SessionLease& lease) {
  static constexpr std::array<std::uint8_t, 3> kExponent{1, 0, 1};
  Template open;
  open.Number(CKA_MODULUS_BITS, kRsaBits).Data(CKA_PUBLIC_EXPONENT, kExponent);
  open.Bool(CKA_ENCRYPT, true).Bool(CKA_VERIFY, true);
  return MakePair(lease, CKM_RSA_PKCS_KEY_PAIR_GEN, open, {CKA_DECRYPT, CKA_SIGN});
}

Result<Bytes> Encrypt(const SessionLease& lease, ObjectHandle key, CK_MECHANISM mechanism,
                      ByteView text) {
  const CK_FUNCTION_LIST& p11 = lease.functions();
  if (const CK_RV rv = p11.C_EncryptInit(lease.session(), &mechanism, key); rv != CKR_OK) {
    return Pkcs11Error("beginning to encrypt", rv);
  }
  Bytes out(kRoom);
  CK_ULONG size = out.size();
  const CK_RV rv = p11.C_Encrypt(lease.session(), const_cast<std::uint8_t*>(text.data()),
                                 text.size(), out.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("encrypting", rv);
  out.resize(std::min<std::size_t>(size, kRoom));
  return out;
}

Result<Bytes> Decrypt(const SessionLease& lease, ObjectHandle key, CK_MECHANISM mechanism,
                      Bytes data) {
  const CK_FUNCTION_LIST& p11 = lease.functions();
  if (const CK_RV rv = p11.C_DecryptInit(lease.session(), &mechanism, key); rv != CKR_OK) {
    return Pkcs11Error("beginning to decrypt", rv);
  }
  Bytes out(kRoom);
  CK_ULONG size = out.size();
  const CK_RV rv = p11.C_Decrypt(lease.session(), data.data(), data.size(), out.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("decrypting", rv);
  out.resize(std::min<std::size_t>(size, kRoom));
  return out;
}

Result<Bytes> Sign(const SessionLease& lease, ObjectHandle key, CK_MECHANISM_TYPE type,
                   ByteView text) {
  CK_MECHANISM mechanism{type, nullptr, 0};
  const CK_FUNCTION_LIST& p11 = lease.functions();
  if (const CK_RV rv = p11.C_SignInit(lease.session(), &mechanism, key); rv != CKR_OK) {
    return Pkcs11Error("beginning to sign", rv);
  }
  Bytes out(kRoom);
  CK_ULONG size = out.size();
  const CK_RV rv = p11.C_Sign(lease.session(), const_cast<std::uint8_t*>(text.data()), text.size(),
                              out.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("signing", rv);
  out.resize(std::min<std::size_t>(size, kRoom));
  return out;
}

Result<void> Verify(const SessionLease& lease, ObjectHandle key, CK_MECHANISM_TYPE type,
                    ByteView text, Bytes signature) {
  CK_MECHANISM mechanism{type, nullptr, 0};
  const CK_FUNCTION_LIST& p11 = lease.functions();
  if (const CK_RV rv = p11.C_VerifyInit(lease.session(), &mechanism, key); rv != CKR_OK) {
    return Pkcs11Error("beginning to verify", rv);
  }
  const CK_RV rv = p11.C_Verify(lease.session(), const_cast<std::uint8_t*>(text.data()),
                                text.size(), signature.data(), signature.size());
  if (rv != CKR_OK) return Pkcs11Error("verifying", rv);
  return {};
}

Result<void> RoundTrip(const SessionLease& lease, ObjectHandle in, ObjectHandle out,
                       CK_MECHANISM mechanism) {
  const Bytes hidden = TRY(Encrypt(lease, in, mechanism, AsBytes(kText)));
  if (hidden == ToBytes(AsBytes(kText))) return Wrong("it encrypts nothing");
  const Bytes back = TRY(Decrypt(lease, out, mechanism, hidden));
  if (back != ToBytes(AsBytes(kText))) return Wrong("it decrypts to something else");
  return {};
}

Result<void> TryAesGcm(const SessionLease& lease) {
  const Throwaway key = TRY(MakeSecret(lease, CKM_AES_KEY_GEN, {CKA_ENCRYPT, CKA_DECRYPT}));
  std::array<std::uint8_t, 12> nonce{};
  CK_GCM_PARAMS params{};
  params.pIv = nonce.data();
  params.ulIvLen = nonce.size();
  params.ulIvBits = nonce.size() * 8;
  params.pAAD = reinterpret_cast<CK_BYTE*>(const_cast<char*>(kAad.data()));
  params.ulAADLen = kAad.size();
  params.ulTagBits = 128;
  const CK_MECHANISM mechanism{CKM_AES_GCM, &params, sizeof params};
  TRY(RoundTrip(lease, key.handle(), key.handle(), mechanism));
  const Bytes sealed = TRY(Encrypt(lease, key.handle(), mechanism, AsBytes(kText)));
  if (sealed.size() != kText.size() + 16) return Wrong("its tag has another length");
  for (const std::size_t at : {std::size_t{0}, sealed.size() - 1}) {
    Bytes altered = sealed;
    altered[at] ^= 1;
    if (Decrypt(lease, key.handle(), mechanism, altered)) return Wrong("it opens altered text");
  }
  --params.ulAADLen;
  if (Decrypt(lease, key.handle(), mechanism, sealed)) {
    return Wrong("it does not look at associated data");
  }
  return {};
}

Result<void> TryAesCbcPad(const SessionLease& lease) {
  const Throwaway key = TRY(MakeSecret(lease, CKM_AES_KEY_GEN, {CKA_ENCRYPT, CKA_DECRYPT}));
  std::array<std::uint8_t, 16> iv{};
  return RoundTrip(lease, key.handle(), key.handle(), {CKM_AES_CBC_PAD, iv.data(), iv.size()});
}

Result<void> TryHmac(const SessionLease& lease) {
  const Throwaway key = TRY(MakeSecret(lease, CKM_GENERIC_SECRET_KEY_GEN, {CKA_SIGN, CKA_VERIFY}));
  const Bytes code = TRY(Sign(lease, key.handle(), CKM_SHA256_HMAC, AsBytes(kText)));
  if (code.size() != 32) return Wrong("its code has another length");
  if (TRY(Sign(lease, key.handle(), CKM_SHA256_HMAC, AsBytes(kText))) != code) {
    return Wrong("the same text has two codes");
  }
  if (TRY(Sign(lease, key.handle(), CKM_SHA256_HMAC, AsBytes(kAad))) == code) {
    return Wrong("two texts have the same code");
  }
  return {};
}

Result<void> TryImport(const SessionLease& lease) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = CKK_AES;
  const std::array<std::uint8_t, kKeyBytes> value{1, 2, 3};
  Template wanted;
  wanted.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, type).Data(CKA_VALUE, value);
  wanted.Bool(CKA_TOKEN, false).Bool(CKA_SENSITIVE, true).Bool(CKA_EXTRACTABLE, false);
  wanted.Bool(CKA_ENCRYPT, true).Bool(CKA_DECRYPT, true);
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv =
      lease.functions().C_CreateObject(lease.session(), wanted.data(), wanted.size(), &handle);
  if (rv != CKR_OK) return Pkcs11Error("putting a key in", rv);
  const Throwaway key(lease, handle);
  if (TRY(ReadBool(lease, handle, CKA_LOCAL))) return Wrong("it says that it made the key itself");
  return {};
}

Result<Bytes> Wrap(const SessionLease& lease, CK_MECHANISM mechanism, ObjectHandle by,
                   ObjectHandle key) {
  Bytes out(kRoom);
  CK_ULONG size = out.size();
  const CK_RV rv =
      lease.functions().C_WrapKey(lease.session(), &mechanism, by, key, out.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("wrapping", rv);
  out.resize(std::min<std::size_t>(size, kRoom));
  return out;
}

Result<void> TryAesKeyWrap(const SessionLease& lease) {
  const Throwaway by = TRY(MakeSecret(lease, CKM_AES_KEY_GEN, {CKA_WRAP, CKA_UNWRAP}));
  const Throwaway key = TRY(MakeSecret(lease, CKM_AES_KEY_GEN, {CKA_ENCRYPT, CKA_DECRYPT}, true));
  CK_MECHANISM mechanism{CKM_AES_KEY_WRAP, nullptr, 0};
  Bytes wrapped = TRY(Wrap(lease, mechanism, by.handle(), key.handle()));
  if (wrapped.size() != kKeyBytes + 8) return Wrong("what it wraps has another length");
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = CKK_AES;
  Template wanted;
  wanted.Number(CKA_CLASS, object_class).Number(CKA_KEY_TYPE, type).Bool(CKA_TOKEN, false);
  CK_OBJECT_HANDLE back = CK_INVALID_HANDLE;
  const CK_RV rv =
      lease.functions().C_UnwrapKey(lease.session(), &mechanism, by.handle(), wrapped.data(),
                                    wrapped.size(), wanted.data(), wanted.size(), &back);
  if (rv != CKR_OK) return Pkcs11Error("unwrapping", rv);
  const Throwaway unwrapped(lease, back);
  return {};
}

Result<void> TryOaep(const SessionLease& lease, const Pair& pair, CK_MECHANISM_TYPE hash,
                     CK_RSA_PKCS_MGF_TYPE mgf) {
  CK_RSA_PKCS_OAEP_PARAMS params{};
  params.hashAlg = hash;
  params.mgf = mgf;
  params.source = CKZ_DATA_SPECIFIED;
  return RoundTrip(lease, pair.open.handle(), pair.secret.handle(),
                   {CKM_RSA_PKCS_OAEP, &params, sizeof params});
}

Result<void> TryRsaSignature(const SessionLease& lease, const Pair& pair) {
  const Bytes signature = TRY(Sign(lease, pair.secret.handle(), CKM_RSA_PKCS, AsBytes(kText)));
  TRY(Verify(lease, pair.open.handle(), CKM_RSA_PKCS, AsBytes(kText), signature));
  if (Verify(lease, pair.open.handle(), CKM_RSA_PKCS, AsBytes(kAad), signature)) {
    return Wrong("it takes the signature for another text");
  }
  return {};
}

Result<void> TryEcdsa(const SessionLease& lease) {
  static constexpr std::array<std::uint8_t, 10> kP256{0x06, 0x08, 0x2a, 0x86, 0x48,
                                                      0xce, 0x3d, 0x03, 0x01, 0x07};
  Template open;
  open.Data(CKA_EC_PARAMS, kP256).Bool(CKA_VERIFY, true);
  const Pair pair = TRY(MakePair(lease, CKM_EC_KEY_PAIR_GEN, open, {CKA_SIGN}));
  const ByteView digest = AsBytes(kText).first(32);
  const Bytes signature = TRY(Sign(lease, pair.secret.handle(), CKM_ECDSA, digest));
  TRY(Verify(lease, pair.open.handle(), CKM_ECDSA, digest, signature));
  if (Verify(lease, pair.open.handle(), CKM_ECDSA, AsBytes(kText).last(32), signature)) {
    return Wrong("it takes the signature for another text");
  }
  return {};
}

// Of a token that has no AES.
Result<void> TryHidesPrivateKey(const SessionLease& lease) {
  const Pair pair = TRY(MakeRsaPair(lease));
  for (const CK_ATTRIBUTE_TYPE type : {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2}) {
    const Result<Bytes> value = ReadBytes(lease, pair.secret.handle(), type);
    if (value && !value->empty()) return Wrong("it shows the value of a sensitive key");
  }
  return {};
}

Result<void> TryHidesKeys(const SessionLease& lease) {
  for (const bool extractable : {false, true}) {
    const Result<Throwaway> key = MakeSecret(lease, CKM_AES_KEY_GEN, {CKA_ENCRYPT}, extractable);
    if (!key && key.error().code == Code::kUnsupported) return TryHidesPrivateKey(lease);
    if (!key) return key.error();
    const Result<Bytes> value = ReadBytes(lease, key->handle(), CKA_VALUE);
    if (value && !value->empty()) return Wrong("it shows the value of a sensitive key");
  }
  return {};
}

// Every way of wrapping by AES, for a token may refuse the one and not the other.
Result<void> TryKeepsKeys(const SessionLease& lease) {
  const Result<Throwaway> made =
      MakeSecret(lease, CKM_AES_KEY_GEN, {CKA_WRAP, CKA_UNWRAP, CKA_ENCRYPT, CKA_DECRYPT});
  if (!made && made.error().code == Code::kUnsupported) return {};  // nothing to wrap by
  if (!made) return made.error();
  const Throwaway& by = *made;
  const Throwaway kept = TRY(MakeSecret(lease, CKM_AES_KEY_GEN, {CKA_ENCRYPT, CKA_DECRYPT}));
  std::array<std::uint8_t, 16> iv{};
  const std::pair<const char*, CK_MECHANISM> ways[] = {
      {"CKM_AES_KEY_WRAP", {CKM_AES_KEY_WRAP, nullptr, 0}},
      {"CKM_AES_KEY_WRAP_PAD", {CKM_AES_KEY_WRAP_PAD, nullptr, 0}},
      {"CKM_AES_CBC_PAD", {CKM_AES_CBC_PAD, iv.data(), iv.size()}},
      {"CKM_AES_CBC", {CKM_AES_CBC, iv.data(), iv.size()}},
      {"CKM_AES_ECB", {CKM_AES_ECB, nullptr, 0}},
  };
  for (const auto& [name, mechanism] : ways) {
    if (Wrap(lease, mechanism, by.handle(), kept.handle())) {
      return Wrong(std::string("it wraps a key that is not extractable, by ") + name +
                   ": whoever has the PIN can take the master key out");
    }
  }
  return {};
}

bool TokenIsGone(const Result<void>& tried) {
  return !tried && tried.error().detail != 0 && MeansLost(tried.error().detail) &&
         tried.error().detail != CKR_OPERATION_NOT_INITIALIZED &&
         tried.error().detail != CKR_OPERATION_ACTIVE;
}

// A session for each: what failed half-way must not be in the way of what comes next.
Result<AbilityFound> TryOne(SessionPool& pool, Ability ability,
                            Result<void> (*use)(const SessionLease&)) {
  const SessionLease lease = TRY(pool.OpenReadWrite());
  const Result<void> tried = use(lease);
  if (TokenIsGone(tried)) return tried.error();
  return AbilityFound{ability, tried.has_value(), tried ? "" : tried.error().message};
}

Result<void> TryRsa(const SessionLease& lease, Ability ability) {
  const Pair pair = TRY(MakeRsaPair(lease));
  switch (ability) {
    case Ability::kRsaOaepSha1:
      return TryOaep(lease, pair, CKM_SHA_1, CKG_MGF1_SHA1);
    case Ability::kRsaOaepSha256:
      return TryOaep(lease, pair, CKM_SHA256, CKG_MGF1_SHA256);
    default:
      return TryRsaSignature(lease, pair);
  }
}

constexpr std::pair<Ability, Result<void> (*)(const SessionLease&)> kUses[] = {
    {Ability::kAesGcm, TryAesGcm},
    {Ability::kAesCbcPad, TryAesCbcPad},
    {Ability::kHmacSha256, TryHmac},
    {Ability::kImportKey, TryImport},
    {Ability::kAesKeyWrap, TryAesKeyWrap},
    {Ability::kRsaOaepSha1, [](const auto& lease) { return TryRsa(lease, Ability::kRsaOaepSha1); }},
    {Ability::kRsaOaepSha256,
     [](const auto& lease) { return TryRsa(lease, Ability::kRsaOaepSha256); }},
    {Ability::kRsaSignature,
     [](const auto& lease) { return TryRsa(lease, Ability::kRsaSignature); }},
    {Ability::kEcdsaP256, TryEcdsa},
    {Ability::kHidesKeys, TryHidesKeys},
    {Ability::kKeepsKeys, TryKeepsKeys},
};

// What the sealing mechanisms are made of.
bool NeededToSeal(Ability ability) {
  switch (ability) {
    case Ability::kAesGcm:
    case Ability::kAesCbcPad:
    case Ability::kHmacSha256:
    case Ability::kRsaOaepSha1:
    case Ability::kRsaSignature:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view NameOf(Ability ability) {
  switch (ability) {
    case Ability::kAesGcm:
      return "AES-256-GCM with associated data";
    case Ability::kAesCbcPad:
      return "AES-256-CBC-PAD";
    case Ability::kHmacSha256:
      return "HMAC-SHA-256";
    case Ability::kImportKey:
      return "a key from outside";
    case Ability::kAesKeyWrap:
      return "AES key wrap (RFC 3394)";
    case Ability::kRsaOaepSha1:
      return "RSA-OAEP, SHA-1";
    case Ability::kRsaOaepSha256:
      return "RSA-OAEP, SHA-256";
    case Ability::kRsaSignature:
      return "RSA signatures";
    case Ability::kEcdsaP256:
      return "ECDSA on P-256";
    case Ability::kHidesKeys:
      return "shows no value of a sensitive key";
    case Ability::kKeepsKeys:
      return "wraps no key that may not leave";
  }
  return "";
}

bool TokenProfile::Can(Ability ability) const {
  return std::ranges::any_of(abilities, [&](const AbilityFound& found) {
    return found.ability == ability && found.works;
  });
}

Result<TokenProfile> ProfileToken(SessionPool& pool) {
  TokenProfile profile;
  for (const auto& [ability, use] : kUses) {
    profile.abilities.push_back(TRY(TryOne(pool, ability, use)));
  }
  profile.token = pool.token();
  return profile;
}

std::optional<SealingMechanism> BestMechanism(const TokenProfile& profile) {
  if (profile.Can(Ability::kAesGcm)) return SealingMechanism::kAesGcm;
  if (profile.Can(Ability::kAesCbcPad) && profile.Can(Ability::kHmacSha256)) {
    return SealingMechanism::kAesCbcHmac;
  }
  if (profile.Can(Ability::kRsaOaepSha1) && profile.Can(Ability::kRsaSignature)) {
    return SealingMechanism::kRsaOaep;
  }
  return std::nullopt;
}

Result<SealingMechanism> ChooseMechanism(SessionPool& pool) {
  TokenProfile profile;
  // Until one mechanism has all that it needs: a key pair takes some tokens long.
  for (const auto& [ability, use] : kUses) {
    if (!NeededToSeal(ability)) continue;
    profile.abilities.push_back(TRY(TryOne(pool, ability, use)));
    if (const auto best = BestMechanism(profile)) return *best;
  }
  std::string why;
  for (const AbilityFound& found : profile.abilities) {
    if (found.works) continue;
    why += (why.empty() ? "" : "; ") + std::string(NameOf(found.ability)) + ": " + found.detail;
  }
  return Error(Code::kUnsupported, "the token has no mechanism that seals (" + why + ")");
}

}  // namespace dare::hsm
