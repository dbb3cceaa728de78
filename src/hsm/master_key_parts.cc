#include "hsm/master_key_parts.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "crypto/derived_rsa_key.h"
#include "crypto/digest.h"
#include "crypto/hkdf.h"
#include "hsm/kept_key_rules.h"
#include "hsm/rsa_key.h"
#include "hsm/sealed_record.h"
#include "hsm/token_quirks.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kWhat = "master key";
constexpr CK_ULONG kKeyBytes = 32;
constexpr std::size_t kMostObjects = 1024;

enum class Rights { kSeal, kAuthenticate };

// What a part must be.
constexpr auto RulesFor(Rights rights) {
  const bool seal = rights == Rights::kSeal;
  return KeptKeyRules({
      {CKA_ENCRYPT, "CKA_ENCRYPT", seal, false},
      {CKA_DECRYPT, "CKA_DECRYPT", seal, false},
      {CKA_WRAP, "CKA_WRAP", false, false},
      {CKA_UNWRAP, "CKA_UNWRAP", false, false},
      {CKA_SIGN, "CKA_SIGN", !seal, false},
      {CKA_VERIFY, "CKA_VERIFY", !seal, false},
  });
}

constexpr auto kSealRules = RulesFor(Rights::kSeal);
constexpr auto kAuthenticateRules = RulesFor(Rights::kAuthenticate);

// The same of a private key. CKA_SIGN_RECOVER would be decryption by another name.
constexpr auto PrivateRulesFor(Rights rights) {
  const bool seal = rights == Rights::kSeal;
  return KeptKeyRules({
      {CKA_DECRYPT, "CKA_DECRYPT", seal, false},
      {CKA_UNWRAP, "CKA_UNWRAP", false, false},
      {CKA_SIGN, "CKA_SIGN", !seal, false},
      {CKA_SIGN_RECOVER, "CKA_SIGN_RECOVER", false, false},
  });
}

constexpr auto kDecryptRules = PrivateRulesFor(Rights::kSeal);
constexpr auto kSignRules = PrivateRulesFor(Rights::kAuthenticate);

// One object of a master key.
struct Part {
  std::string_view what;
  CK_KEY_TYPE type;
  const char* type_name;
  CK_MECHANISM_TYPE generation;
  CK_MECHANISM_TYPE mechanism;
  const char* mechanism_name;
  std::optional<CK_MECHANISM_TYPE> also;  // a mechanism that may be allowed beside it
  std::span<const AttributeRule> rules;
};

// AES-CBC beside AES-GCM is for the check value; anything else could undo what GCM protects.
constexpr Part kGcmKey{kWhat,       CKK_AES,       "CKK_AES",   CKM_AES_KEY_GEN,
                       CKM_AES_GCM, "CKM_AES_GCM", CKM_AES_CBC, kSealRules};
constexpr Part kCbcKey{kWhat,           CKK_AES,           "CKK_AES", CKM_AES_KEY_GEN,
                       CKM_AES_CBC_PAD, "CKM_AES_CBC_PAD", {},        kSealRules};
constexpr Part kMacKey{"authentication half of master key",
                       CKK_GENERIC_SECRET,
                       "CKK_GENERIC_SECRET",
                       CKM_GENERIC_SECRET_KEY_GEN,
                       CKM_SHA256_HMAC,
                       "CKM_SHA256_HMAC",
                       {},
                       kAuthenticateRules};
constexpr Part kOaepKey{kWhat,
                        CKK_RSA,
                        "CKK_RSA",
                        CKM_RSA_PKCS_KEY_PAIR_GEN,
                        CKM_RSA_PKCS_OAEP,
                        "CKM_RSA_PKCS_OAEP",
                        {},
                        kDecryptRules};
constexpr Part kSignatureKey{"signing half of master key",
                             CKK_RSA,
                             "CKK_RSA",
                             CKM_RSA_PKCS_KEY_PAIR_GEN,
                             CKM_RSA_PKCS,
                             "CKM_RSA_PKCS",
                             {},
                             kSignRules};
// As many as the token takes.
constexpr CK_ULONG kRsaBits[] = {3072, 2048};

// These three the token sets itself.
std::string NameOf(const Part& part, const std::string& label) {
  return std::string(part.what) + " '" + label + "'";
}

// CKA_ALLOWED_MECHANISMS as the token shows it: empty where it has none or does not know the
// attribute.
Result<Bytes> AllowedMechanisms(const SessionLease& lease, ObjectHandle key) {
  Result<Bytes> allowed = ReadBytes(lease, key, CKA_ALLOWED_MECHANISMS);
  if (!allowed && allowed.error().detail == CKR_ATTRIBUTE_TYPE_INVALID) return Bytes();
  return allowed;
}

// Whether the token itself allows the key its mechanism alone.
Result<bool> IsBound(const SessionLease& lease, ObjectHandle key, const Part& part,
                     const std::string& name) {
  const Bytes allowed = TRY(AllowedMechanisms(lease, key));
  if (allowed.empty()) return false;
  bool own = false;
  bool only = true;
  for (std::size_t at = 0; at + sizeof(CK_MECHANISM_TYPE) <= allowed.size();
       at += sizeof(CK_MECHANISM_TYPE)) {
    CK_MECHANISM_TYPE type = 0;
    std::memcpy(&type, allowed.data() + at, sizeof type);
    own = own || type == part.mechanism;
    only = only && type == part.mechanism;
    if (type != part.mechanism && type != part.also) {
      return Error(
          Code::kDenied,
          name + " is refused: its CKA_ALLOWED_MECHANISMS allows more than " + part.mechanism_name);
    }
  }
  if (!own) {
    return Error(Code::kDenied, name + " is refused: its CKA_ALLOWED_MECHANISMS does not allow " +
                                    part.mechanism_name);
  }
  return only;
}

// A key that was not made in the token cannot have been sensitive and unextractable always: that is
// what sets a ceremony's key apart, and all that may.
std::vector<AttributeRule> RulesOf(const Part& part, KeyOrigin origin) {
  std::vector<AttributeRule> rules;
  for (const AttributeRule& rule : part.rules) {
    if (origin == KeyOrigin::kToken || !SetByToken(rule.type)) rules.push_back(rule);
  }
  return rules;
}

// Without the zeros that some tokens put before it.
Result<Bytes> ModulusOf(const SessionLease& lease, ObjectHandle key) {
  Bytes modulus = TRY(ReadBytes(lease, key, CKA_MODULUS));
  modulus.erase(modulus.begin(),
                std::ranges::find_if(modulus, [](std::uint8_t byte) { return byte != 0; }));
  return modulus;
}

Result<void> CheckModulus(const SessionLease& lease, ObjectHandle key, const std::string& name) {
  const Bytes modulus = TRY(ModulusOf(lease, key));
  const bool known =
      std::ranges::any_of(kRsaBits, [&](CK_ULONG bits) { return modulus.size() == bits / 8; });
  if (known && modulus.front() >= 0x80) return {};
  return Error(Code::kDenied, name + " is refused: its CKA_MODULUS has neither 3072 nor 2048 bits");
}

Result<void> CheckLength(const SessionLease& lease, ObjectHandle key, KeyOrigin origin,
                         const std::string& name) {
  const Result<CK_ULONG> bytes = ReadNumber(lease, key, CKA_VALUE_LEN);
  if (bytes && *bytes == kKeyBytes) return {};
  const bool unknown = bytes ? *bytes == 0 : bytes.error().detail == CKR_ATTRIBUTE_TYPE_INVALID;
  if (!bytes && !unknown) return bytes.error().In("CKA_VALUE_LEN");
  if (unknown && origin == KeyOrigin::kCeremony &&
      HasQuirk(lease.token(), Quirk::kShowsNoLengthOfImportedKeys)) {
    return {};
  }
  if (!bytes) {
    return Error(Code::kDenied, name + " is refused: the token does not show its CKA_VALUE_LEN");
  }
  return Error(Code::kDenied, name + " is refused: its CKA_VALUE_LEN is " + std::to_string(*bytes) +
                                  " and must be 32");
}

Result<JudgedParts> JudgePart(const SessionLease& lease, ObjectHandle key, const Part& part,
                              const std::string& label, KeyOrigins origins) {
  const std::string name = NameOf(part, label);
  const CK_ULONG type = TRY(ReadNumber(lease, key, CKA_KEY_TYPE));
  if (type != part.type) {
    return Error(Code::kDenied, name + " is refused: its CKA_KEY_TYPE is not " + part.type_name);
  }
  JudgedParts judged;
  if (origins == KeyOrigins::kAlsoCeremony && !TRY(WasMadeInToken(lease, key))) {
    judged.origin = KeyOrigin::kCeremony;
  }
  if (part.type == CKK_RSA) {
    TRY(CheckModulus(lease, key, name));
  } else {
    TRY(CheckLength(lease, key, judged.origin, name));
  }
  TRY(CheckRules(lease, key, RulesOf(part, judged.origin), name));
  judged.bound = TRY(IsBound(lease, key, part, name));
  return judged;
}

// What the template of a key says, made or put in.
void Describe(Template& out, const Part& part, const std::string& label, ByteView id, bool copyable,
              bool bind) {
  out.Number(CKA_KEY_TYPE, part.type).Data(CKA_LABEL, AsBytes(label)).Data(CKA_ID, id);
  AskFor(part.rules, copyable, out);
  if (bind) out.Number(CKA_ALLOWED_MECHANISMS, part.mechanism);
}

// Calls `make(copyable, bind)` with as much of what came late to PKCS#11 as the token takes.
template <typename Make>
Result<void> WithWhatTheTokenKnows(const SessionLease& lease, std::string_view what, Make&& make) {
  CK_RV rv = CKR_OK;
  for (const auto& [copyable, bind] : {std::pair(true, true), std::pair(true, false),
                                       std::pair(false, true), std::pair(false, false)}) {
    rv = make(copyable, bind);
    if (!MayNotKnowAttribute(lease, rv)) break;
  }
  if (rv != CKR_OK) return Pkcs11Error(what, rv);
  return {};
}

Result<void> GeneratePart(const SessionLease& lease, const Part& part, const std::string& label,
                          ByteView id) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  return WithWhatTheTokenKnows(lease, "cannot make the master key", [&](bool copyable, bool bind) {
    Template wanted;
    wanted.Number(CKA_CLASS, object_class).Number(CKA_VALUE_LEN, kKeyBytes);
    Describe(wanted, part, label, id, copyable, bind);
    CK_MECHANISM mechanism{part.generation, nullptr, 0};
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    return lease.functions().C_GenerateKey(lease.session(), &mechanism, wanted.data(),
                                           wanted.size(), &key);
  });
}

// The public half is an object of the session: whoever needs it reads the modulus in the other one.
Result<void> GeneratePair(const SessionLease& lease, const Part& part, const std::string& label,
                          ByteView id, CK_ULONG bits) {
  return WithWhatTheTokenKnows(lease, "cannot make the master key", [&](bool copyable, bool bind) {
    const bool signs = part.mechanism == CKM_RSA_PKCS;
    Template open;
    open.Number(CKA_MODULUS_BITS, bits).Data(CKA_PUBLIC_EXPONENT, kRsaExponent);
    open.Bool(CKA_TOKEN, false).Bool(CKA_VERIFY, signs).Bool(CKA_ENCRYPT, !signs);
    Template secret;
    Describe(secret, part, label, id, copyable, bind);
    CK_MECHANISM mechanism{part.generation, nullptr, 0};
    CK_OBJECT_HANDLE open_key = CK_INVALID_HANDLE;
    CK_OBJECT_HANDLE secret_key = CK_INVALID_HANDLE;
    return lease.functions().C_GenerateKeyPair(lease.session(), &mechanism, open.data(),
                                               open.size(), secret.data(), secret.size(), &open_key,
                                               &secret_key);
  });
}

Result<void> GeneratePair(const SessionLease& lease, const Part& part, const std::string& label,
                          ByteView id) {
  Result<void> made;
  for (const CK_ULONG bits : kRsaBits) {
    made = GeneratePair(lease, part, label, id, bits);
    if (made) break;
  }
  return made;
}

Result<void> ImportPart(const SessionLease& lease, const Part& part, const std::string& label,
                        ByteView id, ByteView value) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  return WithWhatTheTokenKnows(lease, "cannot put the master key in",
                               [&](bool copyable, bool bind) {
                                 Template wanted;
                                 wanted.Number(CKA_CLASS, object_class).Data(CKA_VALUE, value);
                                 Describe(wanted, part, label, id, copyable, bind);
                                 CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
                                 return lease.functions().C_CreateObject(
                                     lease.session(), wanted.data(), wanted.size(), &key);
                               });
}

// The private half alone, as with GeneratePair.
Result<void> ImportPair(const SessionLease& lease, const Part& part, const std::string& label,
                        ByteView id, const crypto::RsaNumbers& numbers) {
  const CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  return WithWhatTheTokenKnows(
      lease, "cannot put the master key in", [&](bool copyable, bool bind) {
        Template wanted;
        wanted.Number(CKA_CLASS, object_class).Data(CKA_MODULUS, numbers.modulus);
        wanted.Data(CKA_PUBLIC_EXPONENT, numbers.public_exponent);
        wanted.Data(CKA_PRIVATE_EXPONENT, numbers.private_exponent.Reveal());
        wanted.Data(CKA_PRIME_1, numbers.p.Reveal()).Data(CKA_PRIME_2, numbers.q.Reveal());
        wanted.Data(CKA_EXPONENT_1, numbers.exponent_p.Reveal());
        wanted.Data(CKA_EXPONENT_2, numbers.exponent_q.Reveal());
        wanted.Data(CKA_COEFFICIENT, numbers.coefficient.Reveal());
        Describe(wanted, part, label, id, copyable, bind);
        CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
        return lease.functions().C_CreateObject(lease.session(), wanted.data(), wanted.size(),
                                                &key);
      });
}

// The two keys that a ceremony's one key stands for: RFC 5869, the label in both steps.
Result<SecretBytes> HalfOf(const SecretBytes& key, std::string_view label) {
  const SecretBytes prk =
      TRY(crypto::HkdfExtract(crypto::HkdfHash::kSha256, AsBytes(label), key.Reveal()));
  return crypto::HkdfExpand(crypto::HkdfHash::kSha256, prk.Reveal(), AsBytes(label), kKeyBytes);
}

// The second half's CKA_ID is the key's and the number of the mechanism more: NSS keeps one secret
// key for each CKA_ID, and another one silently takes its place.
Bytes IdOfSecondHalf(ByteView id, SealingMechanism mechanism) {
  Bytes its = ToBytes(id);
  its.push_back(static_cast<std::uint8_t>(mechanism));
  return its;
}

// One object under the label, and whose it is.
struct LabelledObject {
  ObjectHandle handle;
  Bytes id;  // of the master key
  bool second_half;
  SealingMechanism mechanism;  // of a first half: unless a second one says otherwise
};

// The mechanism that the second half of a master key of this type belongs to.
SealingMechanism MechanismOfSecondHalf(CK_ULONG type) {
  return type == CKK_RSA ? SealingMechanism::kRsaOaep : SealingMechanism::kAesCbcHmac;
}

Result<std::vector<LabelledObject>> Labelled(const SessionLease& lease, const std::string& label,
                                             ByteView id) {
  if (label.empty()) return Error(Code::kInvalidArgument, "a key in a token needs a label");
  std::vector<LabelledObject> objects;
  for (const CK_OBJECT_CLASS object_class : {CKO_SECRET_KEY, CKO_PRIVATE_KEY}) {
    Template wanted;
    wanted.Number(CKA_CLASS, object_class).Bool(CKA_TOKEN, true).Data(CKA_LABEL, AsBytes(label));
    for (const ObjectHandle handle : TRY(FindObjects(lease, wanted, kMostObjects))) {
      const CK_ULONG type = TRY(ReadNumber(lease, handle, CKA_KEY_TYPE));
      if (object_class == CKO_PRIVATE_KEY && type != CKK_RSA) continue;  // somebody else's
      const SealingMechanism mechanism = MechanismOfSecondHalf(type);
      LabelledObject object{handle, TRY(ReadBytes(lease, handle, CKA_ID)), false, mechanism};
      object.second_half = (type == CKK_GENERIC_SECRET || type == CKK_RSA) &&
                           object.id.size() == kMasterKeyIdBytes + 1 &&
                           object.id.back() == static_cast<std::uint8_t>(mechanism);
      if (object.second_half) object.id.pop_back();
      if (!object.second_half && type != CKK_RSA) object.mechanism = SealingMechanism::kAesGcm;
      if (id.empty() || object.id == ToBytes(id)) objects.push_back(std::move(object));
    }
  }
  return objects;
}

Error Several(const std::string& label, ByteView id) {
  return Error(Code::kConflict, "the token has more than one " + std::string(kWhat) + " '" + label +
                                    "' with id " + ToHex(id) +
                                    "; remove or relabel what is not ours");
}

// Our own check value of an AES-GCM key, where the token has none: the first bytes of SHA-256 over
// one AES-CBC block of a fixed text. As a GCM counter block that text would be number 0x20763100,
// which a record of 64 KiB cannot reach, so that the block gives away no key stream; and unlike the
// usual encryption of zeroes it is not GCM's hash key.
Result<Bytes> CbcCheckValue(const SessionLease& lease, ObjectHandle key) {
  std::array<std::uint8_t, 16> text{'d', 'a', 'r', 'e', '-', 'k', 'm', 's',
                                    ' ', 'K', 'C', 'V', ' ', 'v', '1', 0};
  std::array<std::uint8_t, 16> iv{};
  std::array<std::uint8_t, 32> block{};
  CK_MECHANISM mechanism{CKM_AES_CBC, iv.data(), iv.size()};
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_RV rv = p11.C_EncryptInit(lease.session(), &mechanism, key);
  if (rv != CKR_OK) return Pkcs11Error("check value", rv);
  CK_ULONG size = block.size();
  rv = p11.C_Encrypt(lease.session(), text.data(), text.size(), block.data(), &size);
  if (rv != CKR_OK || size != 16) return Pkcs11Error("check value", rv);
  const crypto::Sha256Digest digest = crypto::Sha256(ByteView(block).first(16));
  return Bytes(digest.begin(), digest.begin() + 3);
}

// Of a key with two halves: the second one's code of a text that no record begins with and of what
// the first one makes of it.
Result<Bytes> TwoHalvesCheckValue(const SessionLease& lease, const MasterKeyParts& parts) {
  Bytes text = ToBytes(AsBytes("dare-kms KCV v1"));
  std::array<std::uint8_t, 16> iv{};
  std::array<std::uint8_t, 16> block{};
  CK_MECHANISM cbc{CKM_AES_CBC_PAD, iv.data(), iv.size()};
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_RV rv = p11.C_EncryptInit(lease.session(), &cbc, parts.seal);
  if (rv != CKR_OK) return Pkcs11Error("check value", rv);
  CK_ULONG size = block.size();
  rv = p11.C_Encrypt(lease.session(), text.data(), text.size(), block.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("check value", rv);
  Append(text, block);
  std::array<std::uint8_t, 32> code{};
  CK_MECHANISM hmac{CKM_SHA256_HMAC, nullptr, 0};
  rv = p11.C_SignInit(lease.session(), &hmac, parts.authenticate);
  if (rv != CKR_OK) return Pkcs11Error("check value", rv);
  size = code.size();
  rv = p11.C_Sign(lease.session(), text.data(), text.size(), code.data(), &size);
  if (rv != CKR_OK) return Pkcs11Error("check value", rv);
  return Bytes(code.begin(), code.begin() + 3);
}

}  // namespace

Result<std::vector<MasterKeyParts>> FindParts(const SessionLease& lease, const std::string& label,
                                              ByteView id) {
  const std::vector<LabelledObject> objects = TRY(Labelled(lease, label, id));
  std::vector<MasterKeyParts> found;
  for (const LabelledObject& object : objects) {
    if (object.second_half) continue;
    if (std::ranges::find(found, object.id, &MasterKeyParts::id) != found.end()) {
      return Several(label, object.id);
    }
    found.push_back({object.id, object.mechanism, object.handle, CK_INVALID_HANDLE});
  }
  for (const LabelledObject& object : objects) {
    if (!object.second_half) continue;
    const auto first = std::ranges::find(found, object.id, &MasterKeyParts::id);
    if (first == found.end()) continue;
    const bool of_rsa = object.mechanism == SealingMechanism::kRsaOaep;
    if (of_rsa != (first->mechanism == SealingMechanism::kRsaOaep)) continue;
    if (first->authenticate != CK_INVALID_HANDLE) return Several(label, object.id);
    first->authenticate = object.handle;
    first->mechanism = object.mechanism;
  }
  std::erase_if(found, [](const MasterKeyParts& parts) {
    return parts.mechanism == SealingMechanism::kRsaOaep && parts.authenticate == CK_INVALID_HANDLE;
  });
  return found;
}

Result<JudgedParts> JudgeParts(const SessionLease& lease, const MasterKeyParts& parts,
                               const std::string& label, KeyOrigins origins) {
  if (parts.id.size() != kMasterKeyIdBytes) {
    return Error(Code::kDenied,
                 std::string(kWhat) + " '" + label + "' is refused: its CKA_ID must have 8 bytes");
  }
  if (parts.mechanism == SealingMechanism::kAesGcm) {
    return JudgePart(lease, parts.seal, kGcmKey, label, origins);
  }
  const bool of_rsa = parts.mechanism == SealingMechanism::kRsaOaep;
  const JudgedParts first =
      TRY(JudgePart(lease, parts.seal, of_rsa ? kOaepKey : kCbcKey, label, origins));
  const JudgedParts second =
      TRY(JudgePart(lease, parts.authenticate, of_rsa ? kSignatureKey : kMacKey, label, origins));
  if (first.origin != second.origin) {
    return Error(Code::kDenied, std::string(kWhat) + " '" + label +
                                    "' is refused: one half of it was made in the token, and the "
                                    "other one was not");
  }
  return JudgedParts{first.origin, first.bound && second.bound};
}

Result<void> MakeParts(const SessionLease& lease, const std::string& label, ByteView id,
                       SealingMechanism mechanism) {
  switch (mechanism) {
    case SealingMechanism::kAesGcm:
      return GeneratePart(lease, kGcmKey, label, id);
    case SealingMechanism::kAesCbcHmac:
      TRY(GeneratePart(lease, kMacKey, label, IdOfSecondHalf(id, mechanism)));
      return GeneratePart(lease, kCbcKey, label, id);
    case SealingMechanism::kRsaOaep:
      TRY(GeneratePair(lease, kSignatureKey, label, IdOfSecondHalf(id, mechanism)));
      return GeneratePair(lease, kOaepKey, label, id);
  }
  return Error(Code::kInternal, "a mechanism without a number");
}

Result<void> ImportParts(const SessionLease& lease, const std::string& label, ByteView id,
                         SealingMechanism mechanism, const SecretBytes& key) {
  if (key.size() != kKeyBytes) {
    return Error(Code::kInvalidArgument, "a master key has 32 bytes");
  }
  switch (mechanism) {
    case SealingMechanism::kAesGcm:
      return ImportPart(lease, kGcmKey, label, id, key.Reveal());
    case SealingMechanism::kAesCbcHmac: {
      const SecretBytes authenticate = TRY(HalfOf(key, "dare-mek-authenticate-1"));
      const SecretBytes seal = TRY(HalfOf(key, "dare-mek-seal-1"));
      TRY(ImportPart(lease, kMacKey, label, IdOfSecondHalf(id, mechanism), authenticate.Reveal()));
      return ImportPart(lease, kCbcKey, label, id, seal.Reveal());
    }
    case SealingMechanism::kRsaOaep: {
      const auto signs = TRY(crypto::DeriveRsaKey(key, "dare-mek-rsa-sign-1"));
      const auto opens = TRY(crypto::DeriveRsaKey(key, "dare-mek-rsa-seal-1"));
      TRY(ImportPair(lease, kSignatureKey, label, IdOfSecondHalf(id, mechanism), signs));
      return ImportPair(lease, kOaepKey, label, id, opens);
    }
  }
  return Error(Code::kInternal, "a mechanism without a number");
}

Result<std::size_t> RemoveParts(const SessionLease& lease, const std::string& label, ByteView id) {
  if (id.empty()) return Error(Code::kInvalidArgument, "which key is to be removed is not said");
  std::vector<LabelledObject> objects = TRY(Labelled(lease, label, id));
  // The half that tells the mechanism goes last, as it came first.
  std::stable_partition(objects.begin(), objects.end(),
                        [](const auto& object) { return !object.second_half; });
  for (const LabelledObject& object : objects) {
    const CK_RV rv = lease.functions().C_DestroyObject(lease.session(), object.handle);
    if (rv != CKR_OK) return Pkcs11Error("cannot remove the master key", rv);
  }
  return objects.size();
}

Result<MasterKeyModuli> ModuliOf(const SessionLease& lease, const MasterKeyParts& parts) {
  MasterKeyModuli moduli;
  if (parts.mechanism != SealingMechanism::kRsaOaep) return moduli;
  moduli.seal = TRY(ModulusOf(lease, parts.seal));
  moduli.sign = TRY(ModulusOf(lease, parts.authenticate));
  return moduli;
}

Bytes CheckValueOf(const SessionLease& lease, const MasterKeyParts& parts) {
  if (parts.mechanism == SealingMechanism::kRsaOaep) {
    const auto moduli = ModuliOf(lease, parts);
    if (!moduli) return {};
    Bytes text = ToBytes(AsBytes("dare-kms KCV v1"));
    Append(text, moduli->seal);
    Append(text, moduli->sign);
    const crypto::Sha256Digest digest = crypto::Sha256(text);
    return Bytes(digest.begin(), digest.begin() + 3);
  }
  if (parts.mechanism == SealingMechanism::kAesCbcHmac) {
    return TwoHalvesCheckValue(lease, parts).value_or(Bytes());
  }
  const Result<Bytes> shown = ReadBytes(lease, parts.seal, CKA_CHECK_VALUE);
  if (shown && shown->size() >= 3) return Bytes(shown->begin(), shown->begin() + 3);
  return CbcCheckValue(lease, parts.seal).value_or(Bytes());
}

}  // namespace dare::hsm
