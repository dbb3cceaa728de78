#include "hsm/master_key.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "hsm/sealed_record.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

constexpr std::string_view kWhat = "master key";
constexpr CK_ULONG kKeyBytes = 32;

// What a MEK must be. The first eleven are as old as PKCS#11; the last came with 2.40.
constexpr AttributeRule kRules[] = {
    {CKA_TOKEN, "CKA_TOKEN", true, false},
    {CKA_PRIVATE, "CKA_PRIVATE", true, false},
    {CKA_SENSITIVE, "CKA_SENSITIVE", true, false},
    {CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", true, false},
    {CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false, false},
    {CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", true, false},
    {CKA_LOCAL, "CKA_LOCAL", true, false},
    {CKA_ENCRYPT, "CKA_ENCRYPT", true, false},
    {CKA_DECRYPT, "CKA_DECRYPT", true, false},
    {CKA_WRAP, "CKA_WRAP", false, false},
    {CKA_UNWRAP, "CKA_UNWRAP", false, false},
    {CKA_SIGN, "CKA_SIGN", false, false},
    {CKA_VERIFY, "CKA_VERIFY", false, false},
    {CKA_DERIVE, "CKA_DERIVE", false, false},
    {CKA_MODIFIABLE, "CKA_MODIFIABLE", false, false},
    {CKA_COPYABLE, "CKA_COPYABLE", false, true},
};

// CKA_ALLOWED_MECHANISMS as the token shows it: empty where it has none or does not know the
// attribute.
Result<Bytes> AllowedMechanisms(const SessionLease& lease, ObjectHandle key) {
  Result<Bytes> allowed = ReadBytes(lease, key, CKA_ALLOWED_MECHANISMS);
  if (!allowed && allowed.error().detail == CKR_ATTRIBUTE_TYPE_INVALID) return Bytes();
  return allowed;
}

// The list may name AES-CBC beside AES-GCM, for the check value; anything else could undo what GCM
// protects.
Result<bool> IsGcmOnly(const SessionLease& lease, ObjectHandle key, const std::string& name) {
  const Bytes allowed = TRY(AllowedMechanisms(lease, key));
  if (allowed.empty()) return false;
  bool gcm = false;
  bool only = true;
  for (std::size_t at = 0; at + sizeof(CK_MECHANISM_TYPE) <= allowed.size();
       at += sizeof(CK_MECHANISM_TYPE)) {
    CK_MECHANISM_TYPE type = 0;
    std::memcpy(&type, allowed.data() + at, sizeof type);
    gcm = gcm || type == CKM_AES_GCM;
    only = only && type == CKM_AES_GCM;
    if (type != CKM_AES_GCM && type != CKM_AES_CBC) {
      return Error(Code::kDenied, name +
                                      " is refused: its CKA_ALLOWED_MECHANISMS allows more than "
                                      "CKM_AES_GCM");
    }
  }
  if (!gcm) {
    return Error(Code::kDenied,
                 name + " is refused: its CKA_ALLOWED_MECHANISMS does not allow CKM_AES_GCM");
  }
  return only;
}

Result<bool> Judge(const SessionLease& lease, ObjectHandle key, const std::string& label) {
  const std::string name = std::string(kWhat) + " '" + label + "'";
  const CK_ULONG type = TRY(ReadNumber(lease, key, CKA_KEY_TYPE));
  if (type != CKK_AES) {
    return Error(Code::kDenied, name + " is refused: its CKA_KEY_TYPE is not CKK_AES");
  }
  const CK_ULONG bytes = TRY(ReadNumber(lease, key, CKA_VALUE_LEN));
  if (bytes != kKeyBytes) {
    return Error(Code::kDenied, name + " is refused: its CKA_VALUE_LEN is " +
                                    std::to_string(bytes) + " and must be 32");
  }
  TRY(CheckRules(lease, key, kRules, name));
  return IsGcmOnly(lease, key, name);
}

// Our own check value, where the token has none: the first bytes of SHA-256 over one AES-CBC block
// of a fixed text. As a GCM counter block that text would be number 0x20763100, which a record of
// 64 KiB cannot reach, so that the block gives away no key stream; and unlike the usual encryption
// of zeroes it is not GCM's hash key.
Result<Bytes> OwnCheckValue(const SessionLease& lease, ObjectHandle key) {
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

Bytes CheckValue(const SessionLease& lease, ObjectHandle key) {
  Result<Bytes> value = ReadBytes(lease, key, CKA_CHECK_VALUE);
  if (value && value->size() >= 3) return Bytes(value->begin(), value->begin() + 3);
  value = OwnCheckValue(lease, key);
  return value ? *value : Bytes();
}

CK_RV Generate(const SessionLease& lease, const std::string& label, ByteView id, bool bind) {
  const CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  const CK_KEY_TYPE type = CKK_AES;
  const CK_MECHANISM_TYPE gcm = CKM_AES_GCM;
  Template wanted;
  wanted.Number(CKA_CLASS, object_class)
      .Number(CKA_KEY_TYPE, type)
      .Number(CKA_VALUE_LEN, kKeyBytes)
      .Data(CKA_LABEL, AsBytes(label))
      .Data(CKA_ID, id);
  for (const AttributeRule& rule : kRules) {
    // These three the token sets itself.
    if (rule.type == CKA_ALWAYS_SENSITIVE || rule.type == CKA_NEVER_EXTRACTABLE ||
        rule.type == CKA_LOCAL) {
      continue;
    }
    if (rule.optional && !bind) continue;
    wanted.Bool(rule.type, rule.value);
  }
  if (bind) wanted.Number(CKA_ALLOWED_MECHANISMS, gcm);
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
  return lease.functions().C_GenerateKey(lease.session(), &mechanism, wanted.data(), wanted.size(),
                                         &key);
}

}  // namespace

Result<std::shared_ptr<MasterKey>> MasterKey::Create(std::shared_ptr<SessionPool> pool,
                                                     const std::string& label) {
  {
    const SessionLease lease = TRY(pool->OpenReadWrite());
    TRY(RefuseExisting(lease, CKO_SECRET_KEY, label, kWhat));
    std::array<std::uint8_t, kMasterKeyIdBytes> id;
    TRY(crypto::RandomBytes(id));
    CK_RV rv = Generate(lease, label, id, true);
    // A token that does not know PKCS#11 2.40's attributes gets the template without them.
    if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_VALUE_INVALID ||
        rv == CKR_TEMPLATE_INCONSISTENT) {
      rv = Generate(lease, label, id, false);
    }
    if (rv != CKR_OK) return Pkcs11Error("cannot make the master key", rv);
  }
  return Find(std::move(pool), label);
}

Result<std::shared_ptr<MasterKey>> MasterKey::Find(std::shared_ptr<SessionPool> pool,
                                                   const std::string& label) {
  const auto look = [&](const SessionLease& lease) -> Result<MasterKeyInfo> {
    const ObjectHandle key = TRY(FindOne(lease, CKO_SECRET_KEY, label, kWhat));
    const bool gcm_only = TRY(Judge(lease, key, label));
    Bytes id = TRY(ReadBytes(lease, key, CKA_ID));
    MasterKeyInfo found{label, std::move(id), CheckValue(lease, key), gcm_only};
    if (found.id.size() != kMasterKeyIdBytes) {
      return Error(Code::kDenied,
                   "master key '" + label + "' is refused: its CKA_ID must have 8 bytes");
    }
    return found;
  };
  MasterKeyInfo info = TRY(pool->With(look));
  return std::shared_ptr<MasterKey>(new MasterKey(std::move(pool), std::move(info)));
}

Result<unsigned long> MasterKey::Handle(const SessionLease& lease) {
  const MutexLock lock(mutex_);
  if (handle_generation_ == lease.generation()) return handle_;
  const ObjectHandle key = TRY(FindOne(lease, CKO_SECRET_KEY, info_.label, kWhat));
  TRY(Judge(lease, key, info_.label));
  const Bytes id = TRY(ReadBytes(lease, key, CKA_ID));
  if (id != info_.id) {
    return Error(Code::kConflict, "the token came back with another master key '" + info_.label +
                                      "', id " + ToHex(id));
  }
  handle_ = key;
  handle_generation_ = lease.generation();
  return handle_;
}

}  // namespace dare::hsm
