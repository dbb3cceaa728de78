// TokenResidentKeys: ciphers, and keys wrapped and unwrapped.
#include <algorithm>
#include <optional>

#include "hsm/resident_place.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

// Behind PKCS#11 2.40, hence not in the header: RFC 5649 as 3.0 numbers it.
constexpr CK_MECHANISM_TYPE kAesKeyWrapKwp = 0x210B;
constexpr std::size_t kBlockBytes = 16;

// A mechanism with the parameters that it points into, which it owns; stays where it is.
class Mechanism {
 public:
  Mechanism() = default;
  Mechanism(const Mechanism&) = delete;
  Mechanism& operator=(const Mechanism&) = delete;

  Result<void> Choose(const crypto::CipherRequest& request) {
    if (request.algorithm != crypto::CipherAlgorithm::kAes) return Unsupported();
    iv_ = ToBytes(request.iv);
    aad_ = ToBytes(request.aad);
    const bool pads = request.padding == crypto::Padding::kPkcs5;
    switch (request.mode) {
      case crypto::CipherMode::kGcm:
        SetGcm(request.tag_length);
        return {};
      case crypto::CipherMode::kCbc:
        return SetIv(pads ? CKM_AES_CBC_PAD : CKM_AES_CBC);
      case crypto::CipherMode::kCtr:
        return SetCounter();
      case crypto::CipherMode::kEcb:
        if (pads) return Unsupported();
        mechanism_ = {CKM_AES_ECB, nullptr, 0};
        return {};
      default:
        return Unsupported();
    }
  }
  CK_MECHANISM* get() { return &mechanism_; }

 private:
  static Error Unsupported() {
    return Error(Code::kUnsupported, "keys in the HSM do AES in GCM, CBC, CTR and ECB only");
  }
  void SetGcm(std::size_t tag_length) {
    gcm_.pIv = iv_.data();
    gcm_.ulIvLen = iv_.size();
    gcm_.ulIvBits = iv_.size() * 8;
    gcm_.pAAD = aad_.data();
    gcm_.ulAADLen = aad_.size();
    gcm_.ulTagBits = tag_length * 8;
    mechanism_ = {CKM_AES_GCM, &gcm_, sizeof gcm_};
  }
  Result<void> SetIv(CK_MECHANISM_TYPE type) {
    if (iv_.size() != kBlockBytes) return Error(Code::kInvalidArgument, "the IV has 16 bytes");
    mechanism_ = {type, iv_.data(), iv_.size()};
    return {};
  }
  Result<void> SetCounter() {
    if (iv_.size() != kBlockBytes) return Error(Code::kInvalidArgument, "the IV has 16 bytes");
    counter_.counter_bits = kBlockBytes * 8;
    std::copy(iv_.begin(), iv_.end(), counter_.cb);
    mechanism_ = {CKM_AES_CTR, &counter_, sizeof counter_};
    return {};
  }

  Bytes iv_, aad_;
  CK_MECHANISM mechanism_{};
  CK_GCM_PARAMS gcm_{};
  ck_aes_ctr_params counter_{};
};

Result<void> CheckRequest(const crypto::CipherRequest& request, std::size_t key_bits) {
  TRY(crypto::CheckCipher(request.policy, request.algorithm, request.mode, key_bits / 8,
                          request.tag_length));
  if (!crypto::IvFits(request.algorithm, request.mode, request.iv.size())) {
    return Error(Code::kInvalidArgument, "the IV does not fit the mode");
  }
  if (!request.aad.empty() && !crypto::IsAuthenticated(request.algorithm, request.mode)) {
    return Error(Code::kInvalidArgument, "this mode takes no additional data");
  }
  return {};
}

// The token has no such mechanism, or not with these parameters: nothing that trying again mends.
Error NotAble(std::string_view what, CK_RV rv) {
  Error error = Pkcs11Error(what, rv);
  if (rv == CKR_ARGUMENTS_BAD || rv == CKR_KEY_TYPE_INCONSISTENT ||
      rv == CKR_WRAPPING_KEY_TYPE_INCONSISTENT || rv == CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT) {
    error.code = Code::kUnsupported;
  }
  return error;
}

// Numbers with which tokens report that what came does not authenticate. SoftHSM2 2.6.1 says
// CKR_GENERAL_ERROR.
bool MayMeanDamaged(CK_RV rv) {
  switch (rv) {
    case CKR_ENCRYPTED_DATA_INVALID:
    case CKR_ENCRYPTED_DATA_LEN_RANGE:
    case CKR_DATA_INVALID:
    case CKR_DATA_LEN_RANGE:
    case CKR_SIGNATURE_INVALID:
    case CKR_WRAPPED_KEY_INVALID:
    case CKR_WRAPPED_KEY_LEN_RANGE:
    case CKR_GENERAL_ERROR:
    case CKR_FUNCTION_FAILED:
      return true;
    default:
      return rv >= CKR_VENDOR_DEFINED;
  }
}

Error DoesNotDecrypt() { return Error(Code::kDamaged, "the data does not authenticate"); }

// A token that still shows the key was right about the data; one that does not has a trouble of its
// own.
Error OpeningError(const SessionLease& lease, CK_OBJECT_HANDLE key, std::string_view what,
                   CK_RV rv) {
  if (MayMeanDamaged(rv) && ReadNumber(lease, key, CKA_KEY_TYPE)) return DoesNotDecrypt();
  return Pkcs11Error(what, rv);
}

// A key of this session only, for as long as it is wrapped or read.
class SessionObject {
 public:
  explicit SessionObject(const SessionLease& lease) : lease_(lease) {}
  ~SessionObject() {
    if (handle_ != CK_INVALID_HANDLE) {
      lease_.functions().C_DestroyObject(lease_.session(), handle_);
    }
  }
  SessionObject(const SessionObject&) = delete;
  SessionObject& operator=(const SessionObject&) = delete;
  CK_OBJECT_HANDLE* out() { return &handle_; }
  CK_OBJECT_HANDLE handle() const { return handle_; }

 private:
  const SessionLease& lease_;
  CK_OBJECT_HANDLE handle_ = CK_INVALID_HANDLE;
};

constexpr CK_OBJECT_CLASS kSecretKey = CKO_SECRET_KEY;
constexpr CK_KEY_TYPE kGenericSecret = CKK_GENERIC_SECRET;

Template PassingKey() {
  Template passing;
  passing.Number(CKA_CLASS, kSecretKey)
      .Number(CKA_KEY_TYPE, kGenericSecret)
      .Bool(CKA_TOKEN, false)
      .Bool(CKA_PRIVATE, true)
      .Bool(CKA_SENSITIVE, false)
      .Bool(CKA_EXTRACTABLE, true);
  return passing;
}

Result<Bytes> WrapBy(const SessionLease& lease, CK_OBJECT_HANDLE key, CK_OBJECT_HANDLE passing,
                     CK_MECHANISM_TYPE type, std::size_t expected) {
  CK_MECHANISM mechanism{type, nullptr, 0};
  Bytes wrapped(expected + 2 * kBlockBytes);
  CK_ULONG size = wrapped.size();
  const CK_RV rv =
      lease.functions().C_WrapKey(lease.session(), &mechanism, key, passing, wrapped.data(), &size);
  if (rv != CKR_OK) return NotAble("the HSM does not wrap with this key", rv);
  if (size != expected) {
    return Error(Code::kUnsupported, "the HSM wraps keys in a way of its own");
  }
  wrapped.resize(size);
  return wrapped;
}

Result<SecretBytes> ReadSecret(const SessionLease& lease, CK_OBJECT_HANDLE object) {
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_ATTRIBUTE value{CKA_VALUE, nullptr, 0};
  CK_RV rv = p11.C_GetAttributeValue(lease.session(), object, &value, 1);
  if (rv != CKR_OK) return Pkcs11Error("cannot read the unwrapped key", rv);
  SecretBytes secret = TRY(SecretBytes::OfSize(value.ulValueLen));
  value.pValue = secret.RevealMutable().data();
  rv = p11.C_GetAttributeValue(lease.session(), object, &value, 1);
  if (rv != CKR_OK || value.ulValueLen != secret.size()) {
    return Pkcs11Error("cannot read the unwrapped key", rv);
  }
  return secret;
}

// RFC 3394 and RFC 5649: the length rounded up to 8, and 8 more.
std::size_t WrappedBytes(std::size_t plain) { return (plain + 7) / 8 * 8 + 8; }

// The mechanisms that mean the mode, the best first. PKCS#11 2.40's AES_KEY_WRAP_PAD is RFC 5649 in
// some tokens (SoftHSM2) and something else in others (NSS), which the length tells.
std::vector<CK_MECHANISM_TYPE> MechanismsOf(crypto::KeyWrapMode mode) {
  if (mode == crypto::KeyWrapMode::kAesKw) return {CKM_AES_KEY_WRAP};
  return {kAesKeyWrapKwp, CKM_AES_KEY_WRAP_PAD};
}

bool TriesNext(const Error& error) {
  return error.detail == CKR_MECHANISM_INVALID || error.detail == CKR_MECHANISM_PARAM_INVALID;
}

Result<Bytes> WrapBytes(const SessionLease& lease, CK_OBJECT_HANDLE key, crypto::KeyWrapMode mode,
                        ByteView plain) {
  SessionObject passing(lease);
  Template what = PassingKey();
  what.Data(CKA_VALUE, plain);
  const CK_RV rv =
      lease.functions().C_CreateObject(lease.session(), what.data(), what.size(), passing.out());
  if (rv != CKR_OK) return NotAble("the HSM takes no key to be wrapped", rv);
  Result<Bytes> wrapped = Error(Code::kUnsupported, "the HSM wraps no keys");
  for (const CK_MECHANISM_TYPE type : MechanismsOf(mode)) {
    // SoftHSM2 2.6.1 forgets the length of a key that it pads: what it gives unwraps to the key and
    // zeroes behind it.
    if (type == CKM_AES_KEY_WRAP_PAD && plain.size() % 8 != 0) {
      return Error(Code::kUnsupported, "the HSM wraps keys in whole units of 8 bytes only");
    }
    wrapped = WrapBy(lease, key, passing.handle(), type, WrappedBytes(plain.size()));
    if (wrapped || !TriesNext(wrapped.error())) break;
  }
  return wrapped;
}

}  // namespace

Result<crypto::CipherOutput> TokenResidentKeys::Encrypt(const ResidentReference& key,
                                                        const crypto::CipherRequest& request,
                                                        ByteView plain) {
  TRY(CheckRequest(request, key.bits));
  const auto mechanism = std::make_shared<Mechanism>();
  TRY(mechanism->Choose(request));
  const bool tagged = crypto::IsAuthenticated(request.algorithm, request.mode);
  const std::size_t tag = tagged ? request.tag_length : 0;
  const auto text = Owned(plain);
  const auto encrypt = [=](const SessionLease& lease,
                           CK_OBJECT_HANDLE handle) -> Result<crypto::CipherOutput> {
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_EncryptInit(lease.session(), mechanism->get(), handle);
    if (rv != CKR_OK) return NotAble("the HSM does not encrypt so with this key", rv);
    crypto::CipherOutput output;
    output.data.resize(text->size() + tag + kBlockBytes);
    CK_ULONG size = output.data.size();
    rv = p11.C_Encrypt(lease.session(), const_cast<std::uint8_t*>(text->data()), text->size(),
                       output.data.data(), &size);
    if (rv != CKR_OK) return Pkcs11Error("the HSM does not encrypt this", rv);
    output.data.resize(std::min<std::size_t>(size, output.data.size()));
    if (tagged && output.data.size() != text->size() + tag) {
      return Error(Code::kUnsupported, "the HSM's AES-GCM gives an unexpected length");
    }
    const auto at = output.data.end() - static_cast<std::ptrdiff_t>(tag);
    output.tag.assign(at, output.data.end());
    output.data.erase(at, output.data.end());
    return output;
  };
  return With(key, encrypt);
}

Result<WipingBytes> TokenResidentKeys::Decrypt(const ResidentReference& key,
                                               const crypto::CipherRequest& request, ByteView data,
                                               ByteView tag) {
  TRY(CheckRequest(request, key.bits));
  const bool tagged = crypto::IsAuthenticated(request.algorithm, request.mode);
  if (tag.size() != (tagged ? request.tag_length : 0)) return DoesNotDecrypt();
  const auto mechanism = std::make_shared<Mechanism>();
  TRY(mechanism->Choose(request));
  auto whole = std::make_shared<Bytes>(ToBytes(data));
  Append(*whole, tag);
  const auto decrypt = [mechanism, sealed = std::shared_ptr<const Bytes>(std::move(whole))](
                           const SessionLease& lease,
                           CK_OBJECT_HANDLE handle) -> Result<WipingBytes> {
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_DecryptInit(lease.session(), mechanism->get(), handle);
    if (rv != CKR_OK) return NotAble("the HSM does not decrypt so with this key", rv);
    WipingBytes plain(sealed->size() + kBlockBytes);  // SoftHSM2 wants room for the tag too
    CK_ULONG size = plain.size();
    rv = p11.C_Decrypt(lease.session(), const_cast<std::uint8_t*>(sealed->data()), sealed->size(),
                       plain.data(), &size);
    if (rv != CKR_OK) return OpeningError(lease, handle, "the HSM does not decrypt this", rv);
    plain.resize(std::min<std::size_t>(size, plain.size()));
    return plain;
  };
  return With(key, decrypt);
}

Result<Bytes> TokenResidentKeys::WrapKey(const ResidentReference& key, crypto::KeyWrapMode mode,
                                         ByteView plain) {
  const bool whole_units = plain.size() % 8 == 0 && plain.size() >= kBlockBytes;
  if (plain.empty() || (mode == crypto::KeyWrapMode::kAesKw && !whole_units)) {
    return Error(Code::kInvalidArgument, "a key of this length cannot be wrapped so");
  }
  const auto secret = std::make_shared<const SecretBytes>(TRY(SecretBytes::CopyOf(plain)));
  const auto wrap = [=](const SessionLease& lease, CK_OBJECT_HANDLE handle) {
    return WrapBytes(lease, handle, mode, secret->Reveal());
  };
  return With(key, wrap);
}

Result<SecretBytes> TokenResidentKeys::UnwrapKey(const ResidentReference& key,
                                                 crypto::KeyWrapMode mode, ByteView wrapped) {
  const auto sealed = Owned(wrapped);
  const auto unwrap = [=](const SessionLease& lease,
                          CK_OBJECT_HANDLE handle) -> Result<SecretBytes> {
    CK_RV rv = CKR_MECHANISM_INVALID;
    for (const CK_MECHANISM_TYPE type : MechanismsOf(mode)) {
      SessionObject passing(lease);
      Template what = PassingKey();
      CK_MECHANISM mechanism{type, nullptr, 0};
      rv = lease.functions().C_UnwrapKey(lease.session(), &mechanism, handle,
                                         const_cast<std::uint8_t*>(sealed->data()), sealed->size(),
                                         what.data(), what.size(), passing.out());
      if (rv == CKR_OK) return ReadSecret(lease, passing.handle());
      if (rv != CKR_MECHANISM_INVALID && rv != CKR_MECHANISM_PARAM_INVALID) break;
    }
    if (rv == CKR_MECHANISM_INVALID || rv == CKR_KEY_FUNCTION_NOT_PERMITTED ||
        rv == CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT) {
      return NotAble("the HSM does not unwrap with this key", rv);
    }
    return OpeningError(lease, handle, "the HSM does not unwrap this", rv);
  };
  return With(key, unwrap);
}

}  // namespace dare::hsm
