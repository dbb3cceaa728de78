// TokenResidentKeys: MACs, signatures, and RSA's decryption.
#include <algorithm>
#include <optional>

#include "crypto/digest.h"
#include "crypto/ecdsa_signature.h"
#include "hsm/resident_place.h"
#include "hsm/token_objects.h"

namespace dare::hsm {
namespace {

using crypto::HashAlgorithm;

Error NoMechanism(const std::string& what) {
  return Error(Code::kUnsupported, "keys in the HSM do no " + what);
}

struct HashMechanisms {
  HashAlgorithm hash;
  CK_MECHANISM_TYPE digest;
  CK_MECHANISM_TYPE hmac;
  CK_RSA_PKCS_MGF_TYPE mgf;
};
constexpr HashMechanisms kHashes[] = {
    {HashAlgorithm::kSha1, CKM_SHA_1, CKM_SHA_1_HMAC, CKG_MGF1_SHA1},
    {HashAlgorithm::kSha224, CKM_SHA224, CKM_SHA224_HMAC, CKG_MGF1_SHA224},
    {HashAlgorithm::kSha256, CKM_SHA256, CKM_SHA256_HMAC, CKG_MGF1_SHA256},
    {HashAlgorithm::kSha384, CKM_SHA384, CKM_SHA384_HMAC, CKG_MGF1_SHA384},
    {HashAlgorithm::kSha512, CKM_SHA512, CKM_SHA512_HMAC, CKG_MGF1_SHA512},
};

Result<HashMechanisms> MechanismsOf(HashAlgorithm hash) {
  for (const HashMechanisms& known : kHashes) {
    if (known.hash == hash) return known;
  }
  return NoMechanism(std::string(Name(hash)));
}

// DigestInfo up to the digest (RFC 8017, 9.2, note 1): only the last byte of the object identifier
// and two lengths differ between the hashes of FIPS 180-4.
Result<Bytes> DigestInfo(HashAlgorithm hash, ByteView digest) {
  Bytes info;
  if (hash == HashAlgorithm::kSha1) {
    info = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
            0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
  } else {
    std::uint8_t last = 0;
    switch (hash) {
      case HashAlgorithm::kSha256:
        last = 1;
        break;
      case HashAlgorithm::kSha384:
        last = 2;
        break;
      case HashAlgorithm::kSha512:
        last = 3;
        break;
      case HashAlgorithm::kSha224:
        last = 4;
        break;
      default:
        return NoMechanism(std::string(Name(hash)));
    }
    const auto length = static_cast<std::uint8_t>(crypto::DigestBytes(hash));
    info = {0x30,  static_cast<std::uint8_t>(0x11 + length),
            0x30,  0x0d,
            0x06,  0x09,
            0x60,  0x86,
            0x48,  0x01,
            0x65,  0x03,
            0x04,  0x02,
            last,  0x05,
            0x00,  0x04,
            length};
  }
  Append(info, digest);
  return info;
}

Error NotAble(std::string_view what, CK_RV rv) {
  Error error = Pkcs11Error(what, rv);
  if (rv == CKR_ARGUMENTS_BAD || rv == CKR_KEY_TYPE_INCONSISTENT) error.code = Code::kUnsupported;
  return error;
}

Result<CK_MECHANISM_TYPE> MacMechanism(const ResidentReference& key,
                                       const crypto::MacAlgorithm& algorithm) {
  switch (algorithm.kind) {
    case crypto::MacAlgorithm::Kind::kHmac:
      if (key.kind != ResidentKind::kHmac) return NoMechanism("HMAC with keys of ciphers");
      return TRY(MechanismsOf(algorithm.hash)).hmac;
    case crypto::MacAlgorithm::Kind::kCmac:
      if (key.kind != ResidentKind::kAes || algorithm.cipher != crypto::CipherAlgorithm::kAes) {
        return NoMechanism("CMAC but with AES");
      }
      return CKM_AES_CMAC;
    case crypto::MacAlgorithm::Kind::kCbcMac:
      break;
  }
  return NoMechanism("CBC-MAC");
}

Result<Bytes> SignBy(const SessionLease& lease, CK_OBJECT_HANDLE handle, CK_MECHANISM mechanism,
                     ByteView data, std::size_t most) {
  const CK_FUNCTION_LIST& p11 = lease.functions();
  CK_RV rv = p11.C_SignInit(lease.session(), &mechanism, handle);
  if (rv != CKR_OK) return NotAble("the HSM does not sign so with this key", rv);
  Bytes signature(most);
  CK_ULONG size = signature.size();
  rv = p11.C_Sign(lease.session(), const_cast<std::uint8_t*>(data.data()), data.size(),
                  signature.data(), &size);
  if (rv != CKR_OK) return NotAble("the HSM does not sign this", rv);
  signature.resize(std::min<std::size_t>(size, signature.size()));
  return signature;
}

}  // namespace

Result<Bytes> TokenResidentKeys::Mac(const ResidentReference& key,
                                     const crypto::MacAlgorithm& algorithm, ByteView data) {
  const CK_MECHANISM mechanism{TRY(MacMechanism(key, algorithm)), nullptr, 0};
  return With(key, [=, data = Owned(data)](const SessionLease& lease, CK_OBJECT_HANDLE handle) {
    return SignBy(lease, handle, mechanism, *data, 64);
  });
}

Result<bool> TokenResidentKeys::VerifyMac(const ResidentReference& key,
                                          const crypto::MacAlgorithm& algorithm, ByteView data,
                                          ByteView code) {
  const CK_MECHANISM mechanism{TRY(MacMechanism(key, algorithm)), nullptr, 0};
  const auto verify = [mechanism, data = Owned(data), code = Owned(code)](
                          const SessionLease& lease, CK_OBJECT_HANDLE handle) -> Result<bool> {
    CK_MECHANISM hmac = mechanism;
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_VerifyInit(lease.session(), &hmac, handle);
    if (rv != CKR_OK) return NotAble("the HSM does not verify so with this key", rv);
    rv = p11.C_Verify(lease.session(), const_cast<std::uint8_t*>(data->data()), data->size(),
                      const_cast<std::uint8_t*>(code->data()), code->size());
    if (rv == CKR_SIGNATURE_INVALID || rv == CKR_SIGNATURE_LEN_RANGE) return false;
    if (rv != CKR_OK) return Pkcs11Error("the HSM does not verify this", rv);
    return true;
  };
  return With(key, verify);
}

Result<Bytes> TokenResidentKeys::SignDigest(const ResidentReference& key,
                                            const crypto::SignatureScheme& scheme,
                                            ByteView digest) {
  if (!key.IsPair()) return NoMechanism("signatures with secret keys");
  if (scheme.hash && digest.size() != crypto::DigestBytes(*scheme.hash)) {
    return Error(Code::kInvalidArgument, "the digest has not the length of its hash");
  }
  if (key.kind == ResidentKind::kEc) {
    // The leftmost bits that fit, as every implementation cuts them (FIPS 186-5, 6.4.1).
    const std::size_t scalar = (key.bits + 7) / 8;
    const auto cut = Owned(digest.first(std::min(digest.size(), scalar)));
    const Bytes raw =
        TRY(With(key, [=](const SessionLease& lease, CK_OBJECT_HANDLE handle) -> Result<Bytes> {
          return SignBy(lease, handle, {CKM_ECDSA, nullptr, 0}, *cut, 2 * scalar);
        }));
    if (raw.size() != 2 * scalar) {
      return Error(Code::kUnsupported, "the HSM gives a signature of unexpected length");
    }
    return crypto::DerSignature(raw);
  }
  if (!scheme.hash) return NoMechanism("RSA signatures without a hash");
  const HashMechanisms hash = TRY(MechanismsOf(*scheme.hash));
  const auto pss = std::make_shared<CK_RSA_PKCS_PSS_PARAMS>();  // a call keeps it
  CK_MECHANISM mechanism{CKM_RSA_PKCS, nullptr, 0};
  Bytes to_sign;
  if (scheme.padding == crypto::SignaturePadding::kPss) {
    pss->hash_alg = hash.digest;
    pss->mgf = TRY(MechanismsOf(scheme.mgf_hash.value_or(*scheme.hash))).mgf;
    pss->s_len = scheme.salt_length.value_or(digest.size());
    mechanism = {CKM_RSA_PKCS_PSS, pss.get(), sizeof *pss};
    to_sign = ToBytes(digest);
  } else {
    to_sign = TRY(DigestInfo(*scheme.hash, digest));
  }
  const std::size_t length = key.bits / 8;
  const auto sign = [pss, mechanism, to_sign = std::move(to_sign), length](
                        const SessionLease& lease, CK_OBJECT_HANDLE handle) {
    return SignBy(lease, handle, mechanism, to_sign, length);
  };
  Bytes signature = TRY(With(key, sign));
  if (signature.size() != length) {
    return Error(Code::kUnsupported, "the HSM gives a signature of unexpected length");
  }
  return signature;
}

Result<WipingBytes> TokenResidentKeys::DecryptRsa(const ResidentReference& key,
                                                  const crypto::RsaScheme& scheme, ByteView data) {
  if (key.kind != ResidentKind::kRsa) return NoMechanism("encryption with keys of this kind");
  if (scheme.padding != crypto::RsaPadding::kOaep) return NoMechanism("RSA encryption but OAEP");
  CK_RSA_PKCS_OAEP_PARAMS oaep{};
  oaep.hash_alg = TRY(MechanismsOf(scheme.hash)).digest;
  oaep.mgf = TRY(MechanismsOf(scheme.mgf_hash)).mgf;
  oaep.source = CKZ_DATA_SPECIFIED;
  const auto decrypt =
      [oaep, label = Owned(scheme.label), data = Owned(data), size_of_key = key.bits / 8](
          const SessionLease& lease, CK_OBJECT_HANDLE handle) -> Result<WipingBytes> {
    CK_RSA_PKCS_OAEP_PARAMS params = oaep;
    params.source_data = const_cast<std::uint8_t*>(label->data());
    params.source_data_len = label->size();
    CK_MECHANISM mechanism{CKM_RSA_PKCS_OAEP, &params, sizeof params};
    const CK_FUNCTION_LIST& p11 = lease.functions();
    CK_RV rv = p11.C_DecryptInit(lease.session(), &mechanism, handle);
    if (rv != CKR_OK) return NotAble("the HSM does not decrypt so with this key", rv);
    WipingBytes plain(size_of_key);
    CK_ULONG size = plain.size();
    rv = p11.C_Decrypt(lease.session(), const_cast<std::uint8_t*>(data->data()), data->size(),
                       plain.data(), &size);
    if (rv != CKR_OK) {
      // One answer whatever was wrong, unless the token itself is gone (RFC 8017, 7.1.2).
      const Error error = Pkcs11Error("the HSM does not decrypt this", rv);
      if (MeansLost(rv) || !ReadNumber(lease, handle, CKA_KEY_TYPE)) return error;
      return Error(Code::kDamaged, "the data does not decrypt");
    }
    plain.resize(std::min<std::size_t>(size, plain.size()));
    return plain;
  };
  return With(key, decrypt);
}

}  // namespace dare::hsm
